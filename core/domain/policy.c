#include "core/domain/policy.h"

struct tc_policy tc_policy_default(void)
{
    return (struct tc_policy){
        .default_type = "demo.process",
        .default_max_crashes = 3,
        .payload_max = (size_t)1024 * 1024,
        .result_max = (size_t)1024 * 1024,
        .retry_min_ms = 4000,
        .retry_max_ms = 600000,
        .lease_ms = 30000,
        .key_lifetime_ms = INT64_C(48) * 60 * 60 * 1000,
    };
}
