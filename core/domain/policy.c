#include "core/domain/policy.h"

#include <stdlib.h>
#include <string.h>

struct tc_policy tc_policy_default(void)
{
    return (struct tc_policy){
        .default_type = "demo.process",
        .default_max_attempts = 3,
        .default_max_crashes = 3,
        .default_timeout_ms = 300000,
        .payload_max = (size_t)1024 * 1024,
        .result_max = (size_t)1024 * 1024,
        .retry_min_ms = 4000,
        .retry_max_ms = 600000,
        .lease_ms = 30000,
        .key_lifetime_ms = INT64_C(48) * 60 * 60 * 1000,
    };
}

static int by_type(const void *key, const void *entry)
{
    return strcmp(key, ((const struct tc_type_policy *)entry)->type);
}

struct tc_policy tc_policy_for_type(const struct tc_policy *policy, const char *type)
{
    struct tc_policy its = *policy;
    const struct tc_type_policy *own = NULL;

    if (policy->type_count > 0)
        own = bsearch(type, policy->types, policy->type_count, sizeof(*policy->types), by_type);
    if (!own)
        return its;
    if (own->priority != TC_UNSET)
        its.default_priority = (int)own->priority;
    if (own->timeout_ms != TC_UNSET)
        its.default_timeout_ms = own->timeout_ms;
    if (own->max_attempts != TC_UNSET)
        its.default_max_attempts = (int)own->max_attempts;
    if (own->retry_min_ms != TC_UNSET)
        its.retry_min_ms = own->retry_min_ms;
    if (own->retry_max_ms != TC_UNSET)
        its.retry_max_ms = own->retry_max_ms;
    return its;
}
