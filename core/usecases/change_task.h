#ifndef TASKCORE_CORE_USECASES_CHANGE_TASK_H
#define TASKCORE_CORE_USECASES_CHANGE_TASK_H

/** @file change_task.h Use cases: a user cancels a task, or has an ended one run anew. */

#include "ports/task_repo.h"

struct tc_task_events;
struct tc_task_queue;

/** Ports these use cases need. Borrowed; all required. */
struct tc_change_task_ports {
    struct tc_task_repo *repo;
    struct tc_task_events *events;
    struct tc_task_queue *queue;
};

/**
 * Cancel: final, also for a running task, whose worker is refused from now on. Cancelling
 * what is cancelled is a success that changes nothing. The caller releases `*ret_task`.
 *
 * @return TC_OK; TC_NOT_FOUND; TC_CONFLICT when it is done or failed (nothing to release);
 *         TC_UNAVAILABLE, TC_UNKNOWN (doing it again is safe), TC_NO_MEMORY, TC_INTERNAL.
 */
enum tc_code tc_cancel_task(const struct tc_change_task_ports *ports, const struct tc_id *id,
                            struct tc_task *ret_task, struct tc_error *err) TC_MUST_CHECK;

/**
 * Run a failed or cancelled task anew: attempts and crashes start over, the epoch goes on.
 * The caller releases `*ret_task`.
 *
 * @return as tc_cancel_task(); TC_CONFLICT from any other status. After TC_UNKNOWN look at
 *         the task before doing it again.
 */
enum tc_code tc_retry_task(const struct tc_change_task_ports *ports, const struct tc_id *id,
                           struct tc_task *ret_task, struct tc_error *err) TC_MUST_CHECK;

#endif
