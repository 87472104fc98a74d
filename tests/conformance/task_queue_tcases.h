#ifndef TESTS_CONFORMANCE_TASK_QUEUE_TCASES_H
#define TESTS_CONFORMANCE_TASK_QUEUE_TCASES_H

/** @file task_queue_tcases.h What the files of the queue's suite share. */

#include "tests/conformance/task_queue_suite.h"

/* Waits that must end by what another thread does are LONG_MS: a lost wake-up shows as the
 * test's timeout. Waits that must run out are SHORT_MS, and only their lower bound is exact. */
#define LONG_MS  600000
#define SHORT_MS 20

/** The queue of the running test. */
extern struct queue_fixture {
    const struct task_queue_driver *driver;
    struct tc_task_queue *queue;
    struct tc_error err;
} queue_test;

/** A test case whose tests each run on an empty queue. */
TCase *queue_tcase(const char *name);

/** What holds for queues that carry ids alone. */
TCase *task_queue_ids_tcase(void);

/** The n-th hint of a test: every field follows from the number. `priority` 0..10. */
struct tc_hint queue_hint(uint64_t number, int priority);

#endif
