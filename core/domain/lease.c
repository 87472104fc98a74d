#include "core/domain/lease.h"

enum tc_stale_reason tc_lease_judge(enum tc_status status, int64_t task_epoch, int64_t epoch)
{
    if (epoch < task_epoch)
        return TC_STALE_SUPERSEDED;
    if (epoch > task_epoch || epoch < 1)
        return TC_STALE_NOT_LEASED;
    switch (status) {
    case TC_STATUS_PROCESSING:
        return TC_STALE_NONE;
    case TC_STATUS_CANCELLED:
        return TC_STALE_CANCELLED;
    case TC_STATUS_DONE:
    case TC_STATUS_FAILED:
        return TC_STALE_FINISHED;
    default:
        return TC_STALE_RELEASED;
    }
}

const char *tc_stale_reason_name(enum tc_stale_reason reason)
{
    switch (reason) {
    case TC_STALE_NONE:
        return "none";
    case TC_STALE_SUPERSEDED:
        return "superseded";
    case TC_STALE_NOT_LEASED:
        return "not_leased";
    case TC_STALE_CANCELLED:
        return "cancelled";
    case TC_STALE_FINISHED:
        return "finished";
    case TC_STALE_RELEASED:
        return "released";
    case TC_STALE_NOT_FOUND:
        return "not_found";
    }
    return "none";
}

int64_t tc_heartbeat_interval_ms(int64_t lease_ms)
{
    return lease_ms / 3;
}

#define PREFETCH_HORIZON_US 20000

size_t tc_prefetch_count(size_t slots, int64_t run_us, size_t max)
{
    if (run_us <= 0 || run_us > PREFETCH_HORIZON_US)
        return 0;

    uint64_t count = (uint64_t)slots * (uint64_t)(PREFETCH_HORIZON_US / run_us);

    return count > max ? max : (size_t)count;
}
