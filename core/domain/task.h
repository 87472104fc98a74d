#ifndef TASKCORE_CORE_DOMAIN_TASK_H
#define TASKCORE_CORE_DOMAIN_TASK_H

/**
 * @file task.h
 * The task entity. Plain values plus at most one owned buffer.
 *
 * All times are milliseconds since the Unix epoch, UTC; 0 means "not set" for started_at,
 * finished_at, error.at and lease.expires_at.
 */

#include "core/domain/content.h"
#include "core/domain/error.h"
#include "core/domain/id.h"
#include "core/domain/status.h"

#include <stdint.h>

#define TC_NAME_MAX        64  /**< queue and type, bytes */
#define TC_OWNER_MAX       128 /**< lease owner, bytes */
#define TC_TAG_MAX         64  /**< one tag, code points */
#define TC_TAG_COUNT_MAX   16
#define TC_TRACEPARENT_LEN 55   /**< W3C trace context, version 00 */
#define TC_ERROR_TEXT_MAX  4096 /**< a failure's message, code points */
#define TC_PROGRESS_MAX    4096 /**< bytes of JSON */
#define TC_PRIORITY_MAX    10

/** Why an attempt did not end well. The values are stored by adapters: never renumber. */
enum tc_reason {
    TC_REASON_NONE = 0,
    TC_REASON_HANDLER = 1,       /**< the handler said so */
    TC_REASON_TIMEOUT = 2,       /**< it ran longer than timeout_ms */
    TC_REASON_WORKER_LOST = 3,   /**< its lease ended with nobody finishing it */
    TC_REASON_NOT_RETRYABLE = 4, /**< the handler said that trying again is useless */
    TC_REASON_COUNT,             /* not a reason; keep last */
};

/** "handler", …; "none" for NONE and anything that is no reason. */
const char *tc_reason_name(enum tc_reason reason);

/** The last attempt that did not end well; `reason` NONE: there was none. */
struct tc_failure {
    enum tc_reason reason;
    int attempt; /**< the number that the failed run had */
    int64_t at_ms;
    struct tc_bytes message; /**< valid UTF-8, 1..TC_ERROR_TEXT_MAX code points */
};

/** Who holds a processing task. `owner` empty: nobody does. */
struct tc_lease {
    char owner[TC_OWNER_MAX + 1];
    int64_t expires_at_ms;
    int64_t duration_ms; /**< as it was asked for; what a heartbeat renews by default */
};

/** Every field is persisted. Pointers lead into `storage`, or are borrowed if that is NULL. */
struct tc_task {
    struct tc_id id;
    enum tc_status status;
    char queue[TC_NAME_MAX + 1];
    char type[TC_NAME_MAX + 1];
    int priority; /**< 0..10, larger first */
    int attempt;  /**< runs that ended by themselves or by timeout, plus one in progress */
    int max_attempts;
    int crashes; /**< runs that ended with their worker */
    int max_crashes;
    int64_t epoch; /**< acquisitions; never goes back */
    int64_t created_at_ms;
    int64_t updated_at_ms;
    int64_t run_at_ms;
    int64_t timeout_ms; /**< per attempt */
    int64_t started_at_ms;
    int64_t finished_at_ms;
    bool titled; /**< created with `title`; the payload is that JSON string */
    char traceparent[TC_TRACEPARENT_LEN + 1]; /**< empty: none */
    struct tc_content payload;
    struct tc_content result;
    struct tc_bytes progress; /**< JSON object text; empty: none */
    struct tc_bytes tags[TC_TAG_COUNT_MAX];
    size_t tag_count;
    struct tc_failure error;
    struct tc_lease lease;
    void *storage; /**< owned; NULL when every pointer is borrowed */
};

/**
 * Deep copy into one new buffer: `*ret_task` borrows nothing from `src`.
 * Release with tc_task_release(). @return TC_OK or TC_NO_MEMORY.
 */
enum tc_code tc_task_copy(struct tc_task *ret_task, const struct tc_task *src,
                          struct tc_error *err) TC_MUST_CHECK;

/** Free what the task owns and zero it. NULL, zeroed and released tasks are fine. */
void tc_task_release(struct tc_task *task);

#endif
