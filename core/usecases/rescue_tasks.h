#ifndef TASKCORE_CORE_USECASES_RESCUE_TASKS_H
#define TASKCORE_CORE_USECASES_RESCUE_TASKS_H

/** @file rescue_tasks.h Use case: take back what dead or hung workers held. */

#include "ports/lease_repo.h"

struct tc_clock;
struct tc_task_events;
struct tc_task_queue;

/** Ports this use case needs. Borrowed; all required. */
struct tc_rescue_tasks_ports {
    struct tc_lease_repo *leases;
    struct tc_task_events *events;
    struct tc_task_queue *queue;
    struct tc_clock *clock;
    const struct tc_policy *policy;
};

/** What a rescue did. */
struct tc_rescued {
    size_t again;  /**< wait for a worker again */
    size_t failed; /**< worker_lost once too often: the dead letters */
};

/**
 * Take over up to `max` (1..TC_LEASE_GROUP_MAX) tasks whose lease has ended, in the name of
 * `owner`, and decide by the crash policy: again at once, or failed. Any process may do
 * this at any time; fencing makes an over-hasty rescue cost time only.
 *
 * If it fails half-way, the tasks taken over come back when the rescuer's own lease ends.
 *
 * @return TC_OK (`*ret_rescued` may be zero); TC_UNAVAILABLE, TC_UNKNOWN, TC_NO_MEMORY,
 *         TC_INTERNAL.
 */
enum tc_code tc_rescue_tasks(const struct tc_rescue_tasks_ports *ports, const char *owner,
                             size_t max, struct tc_rescued *ret_rescued,
                             struct tc_error *err) TC_MUST_CHECK;

#endif
