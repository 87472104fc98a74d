#ifndef TESTS_CONFORMANCE_TASK_EVENTS_SUITE_H
#define TESTS_CONFORMANCE_TASK_EVENTS_SUITE_H

#include "core/domain/error.h"
#include "ports/task_events.h"

#include <check.h>

/** How the suite gets at the events. */
struct task_events_driver {
    const char *name;
    enum tc_code (*open)(struct tc_task_events **ret_events, struct tc_error *err);
    void (*close)(struct tc_task_events *events);
};

/** The promises of ports/task_events.h. One driver per program. */
Suite *task_events_suite(const struct task_events_driver *driver);

#endif
