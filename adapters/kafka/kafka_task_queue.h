#ifndef TASKCORE_ADAPTERS_KAFKA_TASK_QUEUE_H
#define TASKCORE_ADAPTERS_KAFKA_TASK_QUEUE_H

/**
 * @file kafka_task_queue.h
 * The task queue on Apache Kafka: hints that carry ids, in one topic per band of priorities.
 *
 * Topics `PREFIX.high` (priority 6..10), `PREFIX.normal` (1..5), `PREFIX.low` (0), created by
 * the admin API when they are missing, also when somebody deletes them. A worker has one
 * consumer per band, group `PREFIX.BAND`, and asks the higher one first [Q5].
 *
 * A message is the hint as text, versioned (kafka_hint.h); what cannot be read is counted,
 * logged and passed over. Nothing here is the truth: the store has every task.
 *
 * publish() hands messages to the library and returns; what the broker has not acknowledged
 * within `message_ms` is dropped, because a publisher announces it again from the store.
 * commit() stores the offsets of what was received; the library sends them shortly after.
 *
 * The broker may be away at any time, at open as well: publish() and deliver() then say
 * TC_UNAVAILABLE in bounded time, receive() brings nothing, and all goes on by itself when the
 * broker is back, its topics are gone or its data is lost.
 *
 * publish() of nothing asks, without waiting, whether a broker answers: TC_OK, or
 * TC_UNAVAILABLE, also in the first moments after open.
 *
 * A topic that was deleted and made anew may hide as many of its first hints as the old one had
 * offsets: they are announced again.
 *
 * Threads: the library's own, and one that tends it; publish(), deliver() and interrupt() from
 * any, receive() and commit() from one.
 */

#include "ports/task_queue.h"

#include <stdbool.h>

struct tc_logger;

/** A setting of the library, passed on: "sasl.username". */
struct kafka_option {
    const char *name;
    const char *value;
};

/** Zero means the default. Borrowed until kafka_task_queue_open() returns, but the logger. */
struct kafka_task_queue_config {
    const char *brokers; /**< "host:port,host:port" */
    const char *prefix;  /**< of topics and groups; default "taskcore" */
    bool receives;       /**< open consumers; else receive() is a programming error */
    size_t partitions;   /**< of a topic that is created; default 12 */
    int replication;     /**< of a topic that is created; default 1, -1: the broker's */
    int64_t message_ms;  /**< how long a message may wait for its acknowledgement; 30000 */
    const struct kafka_option *options; /**< override what is set here */
    size_t option_count;
    struct tc_logger *logger; /**< NULL: silent */
};

/**
 * @return TC_OK, whether or not a broker answers; TC_INVALID: an option or address the library
 *         refuses, the message names it; TC_NO_MEMORY; TC_INTERNAL.
 */
enum tc_code kafka_task_queue_open(const struct kafka_task_queue_config *config,
                                   struct tc_task_queue **ret_queue,
                                   struct tc_error *err) TC_MUST_CHECK;

/** Wait up to 1 s for messages on their way, leave the group, close. Blocks for 5 s at most: a
 *  consumer whose broker is away, or that does not end in time, is left behind with its threads
 *  until the process ends; it touches nothing of the caller's. Nobody may be using the queue.
 *  NULL is fine. */
void kafka_task_queue_close(struct tc_task_queue *queue);

#endif
