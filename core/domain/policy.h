#ifndef TASKCORE_CORE_DOMAIN_POLICY_H
#define TASKCORE_CORE_DOMAIN_POLICY_H

/** @file policy.h The numbers that an operator may set and that the rules need. */

#include "core/domain/task.h"

struct tc_policy {
    char default_type[TC_NAME_MAX + 1];
    int default_max_crashes;
    size_t payload_max;      /**< bytes */
    size_t result_max;       /**< bytes */
    int64_t retry_min_ms;    /**< the first wait between attempts */
    int64_t retry_max_ms;    /**< no wait is longer */
    int64_t lease_ms;        /**< how long a claim holds without a heartbeat */
    int64_t key_lifetime_ms; /**< how long an idempotency key is remembered */
};

/** The documented defaults (docs/configuration.md). */
struct tc_policy tc_policy_default(void);

#endif
