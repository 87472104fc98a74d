#ifndef TASKCORE_CORE_DOMAIN_POLICY_H
#define TASKCORE_CORE_DOMAIN_POLICY_H

/** @file policy.h The numbers that an operator may set and that the rules need. */

#include "core/domain/task.h"

#define TC_UNSET INT64_MIN /**< "not given": the documented default holds */

/** What differs for the tasks of one type. Each number may be TC_UNSET: as for all. */
struct tc_type_policy {
    char type[TC_NAME_MAX + 1];
    int64_t priority;     /**< of tasks whose creator gives none */
    int64_t timeout_ms;   /**< likewise */
    int64_t max_attempts; /**< likewise */
    int64_t retry_min_ms;
    int64_t retry_max_ms;
};

struct tc_policy {
    char default_type[TC_NAME_MAX + 1];
    int default_priority;
    int default_max_attempts;
    int default_max_crashes;
    int64_t default_timeout_ms;
    size_t payload_max;                 /**< bytes */
    size_t result_max;                  /**< bytes */
    int64_t retry_min_ms;               /**< the first wait between attempts */
    int64_t retry_max_ms;               /**< no wait is longer */
    int64_t lease_ms;                   /**< how long a claim holds without a heartbeat */
    int64_t key_lifetime_ms;            /**< how long an idempotency key is remembered */
    const struct tc_type_policy *types; /**< by rising names, each once; borrowed */
    size_t type_count;
};

/** The documented defaults (docs/configuration.md). */
struct tc_policy tc_policy_default(void);

/** The policy as it holds for tasks of `type`. */
struct tc_policy tc_policy_for_type(const struct tc_policy *policy, const char *type);

#endif
