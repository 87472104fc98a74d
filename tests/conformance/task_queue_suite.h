#ifndef TESTS_CONFORMANCE_TASK_QUEUE_SUITE_H
#define TESTS_CONFORMANCE_TASK_QUEUE_SUITE_H

/**
 * @file task_queue_suite.h
 * The promises of ports/task_queue.h, [Q1] to [Q6], for queues that carry ids and for those
 * that only wake. A program with a driver adds `conformance_dep` to its dependencies.
 */

#include "ports/task_queue.h"

#include <check.h>

/** How the suite gets at a queue. */
struct task_queue_driver {
    const char *name;

    /** What is published comes out again: id, queue, type, priority. False: the queue only
     *  says `look`, and a publish of nothing rings it as well. */
    bool carries_ids;

    /**
     * A queue in which nothing is: publishes and receives. It need not be ready: the suite
     * waits as long as it must (up to a minute) for what it has published.
     */
    enum tc_code (*open)(struct tc_task_queue **ret_queue, struct tc_error *err);
    void (*close)(struct tc_task_queue *queue);

    /**
     * The receiver ends: close `*queue` and replace it by another receiver of the same group,
     * to which everything goes that was not committed. NULL: what the queue was told does not
     * outlive it, and [Q2] is not tested.
     */
    enum tc_code (*reopen)(struct tc_task_queue **queue, struct tc_error *err);
};

/** One driver per program. */
Suite *task_queue_suite(const struct task_queue_driver *driver);

#endif
