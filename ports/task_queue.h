#ifndef TASKCORE_PORTS_TASK_QUEUE_H
#define TASKCORE_PORTS_TASK_QUEUE_H

/**
 * @file task_queue.h
 * Port: hints between processes that tasks may be ready.
 *
 * A hint is never the truth: it may come twice, late, out of order, or never [Q1]. The
 * store decides; code that needs a hint to arrive is wrong.
 *
 * Two kinds of adapter: those that carry ids (Kafka) and those that only wake (`look`): the
 * receiver then asks the store. Threads: publish from any; receive and commit from one.
 */

#include "core/domain/task.h"

struct tc_task_queue;

/** What a publisher knows of one task. */
struct tc_hint {
    struct tc_id id;
    char queue[TC_NAME_MAX + 1];
    char type[TC_NAME_MAX + 1];
    int priority;
};

/** What one receive() brought. */
struct tc_delivery {
    size_t count;     /**< hints written */
    bool look;        /**< look into the store: something may wait there */
    uint64_t receipt; /**< for commit() */
};

struct tc_task_queue_ops {
    const char *name; /**< "local", "postgres", "kafka" */

    /**
     * Tell that `count` tasks wait (0: "look into the store", which a queue that carries ids
     * cannot say to anybody: its receivers look by themselves). Does not wait for a broker.
     * @return TC_OK; TC_UNAVAILABLE [Q4]: full or away, in bounded time, and nothing that
     *         was accepted before is lost.
     */
    enum tc_code (*publish)(struct tc_task_queue *queue, const struct tc_hint *hints,
                            size_t count, struct tc_error *err);

    /**
     * [Q6] Publish 1.. hints and wait up to `wait_ms` until the queue has them: TC_OK only
     * when it has acknowledged every one. A queue that keeps nothing has them when told.
     * @return TC_OK; TC_UNAVAILABLE, TC_UNKNOWN: some may have arrived, and may still.
     */
    enum tc_code (*deliver)(struct tc_task_queue *queue, const struct tc_hint *hints,
                            size_t count, int64_t wait_ms, struct tc_error *err);

    /**
     * Wait up to `wait_ms` for hints [Q3: + 100 ms at most, at once when interrupted];
     * several publishes may come as one. A publish before the call is not missed.
     * [Q5] Higher priority first, within one delivery. Nothing: count 0, look false.
     */
    enum tc_code (*receive)(struct tc_task_queue *queue, int64_t wait_ms, size_t max,
                            struct tc_hint *ret_hints, struct tc_delivery *ret_delivery,
                            struct tc_error *err);

    /** [Q2] What was received and not committed comes again after the receiver died. */
    enum tc_code (*commit)(struct tc_task_queue *queue, uint64_t receipt, struct tc_error *err);

    /** End a receive() that waits, and the next one if none does. Any thread. */
    void (*interrupt)(struct tc_task_queue *queue);
};

struct tc_task_queue {
    const struct tc_task_queue_ops *ops;
};

/**
 * Tell the queue that `task` waits. A failure is swallowed, since a lost hint costs time
 * and never the task.
 */
void tc_task_queue_tell(struct tc_task_queue *queue, const struct tc_task *task);

/** Tell the receivers to look into the store; as above. */
void tc_task_queue_tell_look(struct tc_task_queue *queue);

#endif
