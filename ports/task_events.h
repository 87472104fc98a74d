#ifndef TASKCORE_PORTS_TASK_EVENTS_H
#define TASKCORE_PORTS_TASK_EVENTS_H

/**
 * @file task_events.h
 * Port: "something became of this task", for those who wait for its end. A hint like
 * those of task_queue.h: the waiter reads the store. Any thread.
 */

#include "core/domain/id.h"

#include <stdbool.h>

struct tc_task_events;

/** A ticket after interrupt(): no use in waiting again. */
#define TC_EVENTS_INTERRUPTED UINT64_MAX

struct tc_task_events_ops {
    /** [E1] Wake whoever waits for one of these. Never blocks. */
    void (*notify)(struct tc_task_events *events, const struct tc_id *ids, size_t count);

    /**
     * Begin to watch `id`; whatever happens after this is seen by wait(). Cheap.
     * @return a ticket for wait().
     */
    uint64_t (*watch)(struct tc_task_events *events, const struct tc_id *id);

    /**
     * [E2] Return when `id` was notified since `ticket` was drawn, or after `wait_ms`, or when
     * interrupted; also sometimes for nothing. `*ticket` moves on. An adapter without events
     * between processes returns after at most its documented poll interval.
     */
    void (*wait)(struct tc_task_events *events, const struct tc_id *id, uint64_t *ticket,
                 int64_t wait_ms);

    /**
     * [E3] End all waits, and every one to come, at once: the process stops. Each sets its
     * `*ticket` to TC_EVENTS_INTERRUPTED, so that who waits does not go round and round.
     */
    void (*interrupt)(struct tc_task_events *events);
};

struct tc_task_events {
    const struct tc_task_events_ops *ops;
};

#endif
