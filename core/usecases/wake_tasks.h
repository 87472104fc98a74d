#ifndef TASKCORE_CORE_USECASES_WAKE_TASKS_H
#define TASKCORE_CORE_USECASES_WAKE_TASKS_H

/** @file wake_tasks.h Use case: what was scheduled and is due becomes claimable. */

#include "ports/lease_repo.h"

struct tc_task_queue;

/**
 * Wake what is due, up to a bounded number, and tell the queue. Any process may do this at
 * any time.
 *
 * @param ret_next_ms how long until the next is due: 0 now, -1 none is scheduled.
 * @return TC_OK; as lease_repo.wake.
 */
enum tc_code tc_wake_tasks(struct tc_lease_repo *leases, struct tc_task_queue *queue,
                           size_t *ret_count, int64_t *ret_next_ms,
                           struct tc_error *err) TC_MUST_CHECK;

#endif
