#ifndef TASKCORE_CORE_DOMAIN_ATTEMPT_H
#define TASKCORE_CORE_DOMAIN_ATTEMPT_H

/**
 * @file attempt.h
 * What follows from the end of a run: the retry policy and the crash policy.
 *
 * A handler's word becomes a report; the rules turn (task, report) into an outcome, which
 * a store applies if the epoch still holds. Stores never judge.
 */

#include "core/domain/policy.h"
#include "core/domain/task.h"
#include "core/domain/task_spec.h"

enum tc_report_kind {
    TC_REPORT_DONE,     /**< ended well */
    TC_REPORT_FAILED,   /**< did not */
    TC_REPORT_RELEASED, /**< given back unrun or unfinished; costs no attempt */
};

/** How a run ended, in its holder's words. Bytes are owned by `storage` (malloc) or borrowed.
 */
struct tc_report {
    enum tc_report_kind kind;
    struct tc_content result; /**< DONE, may be NONE; FAILED may carry one as well */
    bool retryable;           /**< FAILED */
    enum tc_reason reason;    /**< FAILED: HANDLER or TIMEOUT */
    int64_t delay_ms; /**< FAILED: wait before the next attempt; RELEASED: before the next
                           claim; TC_UNSET: by the policy, or none */
    struct tc_bytes message; /**< FAILED: 1..TC_ERROR_TEXT_MAX code points of UTF-8 */
    void *result_storage;    /**< owned, freed by tc_report_release(); NULL: borrowed */
    void *message_storage;   /**< likewise */
};

/** A report of success without a result. */
struct tc_report tc_report_done(void);

/** Make the report carry a copy of `bytes` as its result. @return TC_OK or TC_NO_MEMORY. */
enum tc_code tc_report_set_result(struct tc_report *report, enum tc_content_kind kind,
                                  struct tc_bytes bytes, struct tc_error *err) TC_MUST_CHECK;

/**
 * A failure whose message is a copy of `message`, cut at TC_ERROR_TEXT_MAX code points;
 * bytes that are no UTF-8 become '?'. An empty message becomes "failed". When memory
 * fails, the message is a fixed text that says so.
 */
struct tc_report tc_report_failed(enum tc_reason reason, bool retryable,
                                  struct tc_bytes message);

/** Free what the report owns and zero it. NULL and zeroed reports are fine. */
void tc_report_release(struct tc_report *report);

/** The values are stored by adapters: never renumber. */
enum tc_outcome_kind {
    TC_OUTCOME_DONE = 1,     /**< -> done */
    TC_OUTCOME_AGAIN = 2,    /**< -> scheduled or new, with an error */
    TC_OUTCOME_FAILED = 3,   /**< -> failed, with an error */
    TC_OUTCOME_RELEASED = 4, /**< -> scheduled or new; the attempt is taken back */
};

/** What a store must do to the task, if (id, processing, epoch) still holds. Borrowed bytes. */
struct tc_outcome {
    struct tc_id id;
    int64_t epoch;
    enum tc_outcome_kind kind;
    enum tc_status next;      /**< the status to move to */
    int64_t run_at_ms;        /**< AGAIN, RELEASED: when it is due again */
    struct tc_content result; /**< DONE, FAILED; kind NONE: none */
    struct tc_failure error;  /**< AGAIN, FAILED */
};

/**
 * The wait after the `attempt`th failure (1..): between half and all of
 * min(retry_max_ms, retry_min_ms * 2^attempt), never below retry_min_ms; so 4..8 s, 8..16 s,
 * … with the defaults. `random` is any 64-bit value. retry_min_ms <= retry_max_ms, both
 * below TC_DELAY_MAX_MS.
 */
int64_t tc_retry_wait_ms(const struct tc_policy *policy, int attempt, uint64_t random);

/** Decide what follows from `report` on a run of `task` (as it was leased) that ended now. */
struct tc_outcome tc_attempt_decide(const struct tc_task *task, const struct tc_report *report,
                                    const struct tc_policy *policy, int64_t now_ms,
                                    uint64_t random);

/**
 * Decide what becomes of a task whose lease ended with nobody finishing it. `task` is as
 * take_ended returned it: attempt taken back, crash counted. Again at once, or FAILED with
 * WORKER_LOST when crashes > max_crashes.
 */
struct tc_outcome tc_crash_decide(const struct tc_task *task, int64_t now_ms);

#endif
