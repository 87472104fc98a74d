#include "core/usecases/heartbeat_tasks.h"

enum tc_code tc_heartbeat_tasks(struct tc_lease_repo *leases, const struct tc_renewal *renewals,
                                size_t count, struct tc_renewed *ret_renewed,
                                struct tc_error *err)
{
    for (size_t i = 0; i < count; i++) {
        if (renewals[i].lease_ms < 0 || renewals[i].lease_ms > TC_LEASE_MAX_MS)
            return tc_fail(err, TC_INVALID, "lease_ms must be 0..%d", TC_LEASE_MAX_MS);
        if (renewals[i].progress.len > TC_PROGRESS_MAX)
            return tc_fail(err, TC_INVALID, "progress must not be over %d bytes",
                           TC_PROGRESS_MAX);
    }
    return leases->ops->extend(leases, renewals, count, ret_renewed, err);
}
