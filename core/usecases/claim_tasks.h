#ifndef TASKCORE_CORE_USECASES_CLAIM_TASKS_H
#define TASKCORE_CORE_USECASES_CLAIM_TASKS_H

/** @file claim_tasks.h Use case: a worker takes work. */

#include "ports/lease_repo.h"

/**
 * Lease up to `claim->max` waiting tasks. `claim->lease_ms` 0 means the policy's. The caller
 * releases `ret_tasks[0..*ret_count)`; room for `claim->max`.
 *
 * @return TC_OK, also with none; TC_INVALID for a bad owner, max (1..TC_LEASE_GROUP_MAX) or
 *         lease (1..TC_LEASE_MAX_MS); as lease_repo.claim. After TC_UNKNOWN the tasks
 *         may be leased: they come back when that lease ends.
 */
enum tc_code tc_claim_tasks(struct tc_lease_repo *leases, const struct tc_policy *policy,
                            const struct tc_claim *claim, struct tc_task *ret_tasks,
                            size_t *ret_count, struct tc_error *err) TC_MUST_CHECK;

#endif
