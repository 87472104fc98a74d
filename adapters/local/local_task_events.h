#ifndef TASKCORE_ADAPTERS_LOCAL_LOCAL_TASK_EVENTS_H
#define TASKCORE_ADAPTERS_LOCAL_LOCAL_TASK_EVENTS_H

/**
 * @file local_task_events.h
 * Task events within one process. Ids fall into shards by their hash. A waiter sleeps until
 * its own id is notified; an event of a neighbour in the shard between watch() and wait()
 * makes wait() return for nothing, which the port allows.
 *
 * notify() costs one atomic operation per id while nobody waits in that id's shard; it takes
 * the shard's mutex, held for a few instructions elsewhere, only when somebody does.
 */

#include "core/domain/error.h"
#include "ports/task_events.h"

/**
 * @return TC_OK; TC_NO_MEMORY; TC_INTERNAL when the system gives no mutex or condition
 *         variable.
 */
enum tc_code local_task_events_open(struct tc_task_events **ret_events,
                                    struct tc_error *err) TC_MUST_CHECK;

/** Nobody may be using the events. NULL is fine. */
void local_task_events_close(struct tc_task_events *events);

#endif
