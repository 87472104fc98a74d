#ifndef TASKCORE_CORE_USECASES_HEARTBEAT_TASKS_H
#define TASKCORE_CORE_USECASES_HEARTBEAT_TASKS_H

/** @file heartbeat_tasks.h Use case: holders of leases say that they are alive. */

#include "ports/lease_repo.h"

/**
 * Renew leases and keep progress; the answers carry cancellation and loss.
 *
 * @return TC_OK, also when some are stale; TC_INVALID for a lease time that is neither 0
 *         (as it was leased) nor 1..TC_LEASE_MAX_MS, or progress over
 *         TC_PROGRESS_MAX; as lease_repo.extend.
 */
enum tc_code tc_heartbeat_tasks(struct tc_lease_repo *leases, const struct tc_renewal *renewals,
                                size_t count, struct tc_renewed *ret_renewed,
                                struct tc_error *err) TC_MUST_CHECK;

#endif
