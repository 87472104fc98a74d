#ifndef TASKCORE_CORE_USECASES_ANNOUNCE_TASKS_H
#define TASKCORE_CORE_USECASES_ANNOUNCE_TASKS_H

/** @file announce_tasks.h Use case: a publisher tells the queue what waits. */

#include "ports/announcement_repo.h"

struct tc_task_queue;

/** Ports this use case needs. Borrowed; all required. */
struct tc_announce_tasks_ports {
    struct tc_announcement_repo *announcements;
    struct tc_task_queue *queue;
};

struct tc_announce_tasks_input {
    bool pending;       /**< tasks announced for the first time become PENDING */
    size_t max;         /**< groups, 1..TC_ANNOUNCEMENT_GROUPS_MAX */
    int64_t deliver_ms; /**< how long the queue may take to acknowledge */
};

struct tc_announced {
    size_t groups;
    size_t tasks;
    int64_t next_ms; /**< until the next group is due: 0 now, -1 none */
};

/**
 * Take the groups that are due, tell the queue, and only when it has acknowledged all of them
 * note that in the store. Any number of processes may do this at any time.
 *
 * Whatever fails on the way, the groups are due again after a short while: tasks may then be
 * announced twice, which a claim does not mind.
 *
 * @return TC_OK, also with nothing due; TC_UNAVAILABLE, TC_UNKNOWN, TC_NO_MEMORY,
 *         TC_INTERNAL of the store or the queue.
 */
enum tc_code tc_announce_tasks(const struct tc_announce_tasks_ports *ports,
                               const struct tc_announce_tasks_input *input,
                               struct tc_announced *ret_announced,
                               struct tc_error *err) TC_MUST_CHECK;

#endif
