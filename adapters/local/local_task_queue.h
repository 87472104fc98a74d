#ifndef TASKCORE_ADAPTERS_LOCAL_LOCAL_TASK_QUEUE_H
#define TASKCORE_ADAPTERS_LOCAL_LOCAL_TASK_QUEUE_H

/**
 * @file local_task_queue.h
 * The task queue within one process: a bell. It carries no ids; receive() says `look`.
 *
 * publish() never blocks and never fails; when no receiver waits it is one atomic operation,
 * so that it may be called for every task. Many rings between two receives come as one.
 * Nothing is kept for commit(): the store is asked again instead.
 *
 * Publish and interrupt from any thread; receive from one at a time.
 */

#include "ports/task_queue.h"

/**
 * @return TC_OK; TC_NO_MEMORY; TC_INTERNAL when the system gives no mutex or condition
 *         variable.
 */
enum tc_code local_task_queue_open(struct tc_task_queue **ret_queue,
                                   struct tc_error *err) TC_MUST_CHECK;

/** Nobody may be using the queue. NULL is fine. */
void local_task_queue_close(struct tc_task_queue *queue);

#endif
