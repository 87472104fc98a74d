#include "core/usecases/claim_tasks.h"

enum tc_code tc_claim_tasks(struct tc_lease_repo *leases, const struct tc_policy *policy,
                            const struct tc_claim *claim, struct tc_task *ret_tasks,
                            size_t *ret_count, struct tc_error *err)
{
    struct tc_claim wanted = *claim;

    if (wanted.lease_ms == 0)
        wanted.lease_ms = policy->lease_ms;
    if (!tc_owner_is_valid(tc_bytes_of(wanted.owner)))
        return tc_fail(err, TC_INVALID, "owner must be 1..%d of A-Z, a-z, 0-9 and '._:@-'",
                       TC_OWNER_MAX);
    if (wanted.max < 1 || wanted.max > TC_LEASE_GROUP_MAX)
        return tc_fail(err, TC_INVALID, "max must be 1..%d", TC_LEASE_GROUP_MAX);
    if (wanted.lease_ms < 1 || wanted.lease_ms > TC_LEASE_MAX_MS)
        return tc_fail(err, TC_INVALID, "lease_ms must be 1..%d", TC_LEASE_MAX_MS);
    return leases->ops->claim(leases, &wanted, ret_tasks, ret_count, err);
}
