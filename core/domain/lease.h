#ifndef TASKCORE_CORE_DOMAIN_LEASE_H
#define TASKCORE_CORE_DOMAIN_LEASE_H

/** @file lease.h The rules of leases and epochs: who still holds a task, and if not, why. */

#include "core/domain/task.h"

#define TC_LEASE_MIN_MS 1000
#define TC_LEASE_MAX_MS 3600000

/** Why a word from an epoch changes nothing. */
enum tc_stale_reason {
    TC_STALE_NONE = 0,   /**< it is not stale: the epoch holds the task */
    TC_STALE_SUPERSEDED, /**< a later epoch exists */
    TC_STALE_NOT_LEASED, /**< no such epoch yet */
    TC_STALE_CANCELLED,
    TC_STALE_FINISHED,
    TC_STALE_RELEASED,  /**< it waits again, whatever ended the lease */
    TC_STALE_NOT_FOUND, /**< no such task */
};

/**
 * Does `epoch` hold a task that has `status` and `task_epoch`? The epochs are compared
 * first. Time does not matter here: a lease that has run out but was not taken over still
 * counts for its holder.
 */
enum tc_stale_reason tc_lease_judge(enum tc_status status, int64_t task_epoch, int64_t epoch);

/** "superseded", …; "none". */
const char *tc_stale_reason_name(enum tc_stale_reason reason);

/** When to send the next heartbeat: a third of the lease, so that two may be lost. */
int64_t tc_heartbeat_interval_ms(int64_t lease_ms);

/**
 * How many tasks to claim beyond the free slots, so that short tasks do not wait for a
 * claim each, while long ones are left for other workers: about 20 ms of work for all
 * slots together, none when a run takes longer than that. `run_us`: the average so far,
 * 0 = not known yet (then none).
 */
size_t tc_prefetch_count(size_t slots, int64_t run_us, size_t max);

#endif
