#ifndef TASKCORE_CORE_USECASES_FINISH_TASKS_H
#define TASKCORE_CORE_USECASES_FINISH_TASKS_H

/** @file finish_tasks.h Use case: holders of leases say how their runs ended. */

#include "ports/lease_repo.h"

struct tc_clock;
struct tc_ids;
struct tc_task_events;
struct tc_task_queue;

/** Ports this use case needs. Borrowed; all required. */
struct tc_finish_tasks_ports {
    struct tc_lease_repo *leases;
    struct tc_task_events *events;
    struct tc_task_queue *queue;
    struct tc_clock *clock;
    struct tc_ids *ids;
    const struct tc_policy *policy;
};

/** One end of a run. Borrowed. */
struct tc_finished_run {
    /** As it was leased; of a good end within result_max its id and epoch are enough. */
    const struct tc_task *task;
    const struct tc_report *report;
};

/**
 * Decide what follows from each report (attempt.h) and apply it while the epoch still holds.
 * A result over policy.result_max becomes a failure that is not retried.
 *
 * `count` 1..TC_LEASE_GROUP_MAX; `ret_verdicts[count]`. Waiters are told; tasks that wait
 * again are announced.
 *
 * @return TC_OK, also when some are stale; TC_UNAVAILABLE (nothing applied: do it again),
 *         TC_UNKNOWN (do the same again: it is settled by [L5]), TC_NO_MEMORY, TC_INTERNAL.
 */
enum tc_code tc_finish_tasks(const struct tc_finish_tasks_ports *ports,
                             const struct tc_finished_run *runs, size_t count,
                             struct tc_verdict *ret_verdicts,
                             struct tc_error *err) TC_MUST_CHECK;

#endif
