#ifndef TASKCORE_CORE_DOMAIN_TASK_SPEC_H
#define TASKCORE_CORE_DOMAIN_TASK_SPEC_H

/** @file task_spec.h What a creator asks for, the rule of every field, and the task it makes.
 */

#include "core/domain/policy.h"
#include "core/domain/task.h"
#include "core/domain/violations.h"

#define TC_TITLE_MAX        255 /**< code points */
#define TC_MAX_ATTEMPTS_MAX 100
#define TC_MAX_CRASHES_MAX  100
#define TC_TIMEOUT_MAX_MS   INT64_C(604800000)       /**< 7 days */
#define TC_DELAY_MAX_MS     INT64_C(315360000000)    /**< 10 years of 365 days */
#define TC_TIME_MIN_MS      INT64_C(-62167219200000) /**< 0000-01-01T00:00:00.000Z */
#define TC_TIME_MAX_MS      INT64_C(253402300799999) /**< 9999-12-31T23:59:59.999Z */
#define TC_DEFAULT_QUEUE    "default"

/** Start from tc_task_spec_init(). Pointers are borrowed. */
struct tc_task_spec {
    struct tc_content payload;  /**< exactly one of payload and title is required */
    struct tc_bytes title;      /**< the string's value; data NULL: not given */
    struct tc_bytes title_json; /**< the same as JSON text, quotes included: the payload */
    struct tc_bytes type;       /**< data NULL: by default */
    struct tc_bytes queue;      /**< data NULL: by default */
    int64_t priority;
    int64_t run_at_ms; /**< not together with delay_ms */
    int64_t delay_ms;
    int64_t max_attempts;
    int64_t max_crashes;
    int64_t timeout_ms;
    struct tc_bytes tags[TC_TAG_COUNT_MAX];   /**< the first TC_TAG_COUNT_MAX of them */
    size_t tag_count;                         /**< as many as were given, may be more */
    char traceparent[TC_TRACEPARENT_LEN + 1]; /**< empty: none */
};

/** Everything unset. */
void tc_task_spec_init(struct tc_task_spec *spec);

/**
 * Check every field; each broken rule becomes one violation under the pointer `at`.
 * Adds nothing when the spec is good.
 */
void tc_task_spec_validate(const struct tc_task_spec *spec, const struct tc_policy *policy,
                           const char *at, struct tc_violations *violations);

/**
 * The task that a *validated* spec asks for, created at tc_id_ms(id). Borrows the spec's
 * bytes (`storage` stays NULL). Status: SCHEDULED when run_at lies ahead, else NEW.
 */
struct tc_task tc_task_from_spec(const struct tc_task_spec *spec,
                                 const struct tc_policy *policy, struct tc_id id);

/** `[a-z0-9._-]{1,64}`: the rule for queue and type. */
bool tc_name_is_valid(struct tc_bytes name);

/** `[A-Za-z0-9._:@-]{1,128}`: the rule for a lease owner. */
bool tc_owner_is_valid(struct tc_bytes owner);

/** 1..255 visible ASCII characters: the rule for an idempotency key. */
bool tc_key_is_valid(struct tc_bytes key);

#endif
