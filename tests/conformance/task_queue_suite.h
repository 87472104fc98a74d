#ifndef TESTS_CONFORMANCE_TASK_QUEUE_SUITE_H
#define TESTS_CONFORMANCE_TASK_QUEUE_SUITE_H

#include "ports/task_queue.h"

#include <check.h>

/** How the suite gets at a queue. */
struct task_queue_driver {
    const char *name;
    /** A queue in which nothing is. */
    enum tc_code (*open)(struct tc_task_queue **ret_queue, struct tc_error *err);
    void (*close)(struct tc_task_queue *queue);
};

/**
 * The promises of ports/task_queue.h that hold for every queue, whether it carries ids or
 * only wakes. One driver per program.
 */
Suite *task_queue_suite(const struct task_queue_driver *driver);

#endif
