#ifndef TASKCORE_CORE_USECASES_GET_TASK_H
#define TASKCORE_CORE_USECASES_GET_TASK_H

/** @file get_task.h Use case: read one task, now or when it has ended. */

#include "ports/task_repo.h"

struct tc_clock;
struct tc_task_events;

/** Ports this use case needs. Borrowed; all required. */
struct tc_get_task_ports {
    struct tc_task_repo *repo;
    struct tc_task_events *events;
    struct tc_clock *clock;
};

/**
 * Load a task; with `wait_ms` > 0 wait that long for a terminal status first, and answer
 * with what the task then is; sooner when the events are interrupted. Blocks for `wait_ms`
 * at most, plus a read. The caller releases `*ret_task`.
 *
 * @return TC_OK; TC_NOT_FOUND (at once); TC_UNAVAILABLE, TC_NO_MEMORY, TC_INTERNAL.
 */
enum tc_code tc_get_task(const struct tc_get_task_ports *ports, const struct tc_id *id,
                         int64_t wait_ms, struct tc_task *ret_task,
                         struct tc_error *err) TC_MUST_CHECK;

#endif
