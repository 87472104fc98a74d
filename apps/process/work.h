#ifndef TASKCORE_APPS_PROCESS_WORK_H
#define TASKCORE_APPS_PROCESS_WORK_H

/** @file work.h The workers of a program with all the handlers that it can run. */

#include "apps/service/service_settings.h"

struct demo_handlers;

/** Zeroed it is closed. */
struct work {
    struct demo_handlers *demo;
};

/**
 * Start `slots` workers of `service` for `queues` (count 0: all). All is borrowed until
 * work_close(), which comes after service_close().
 * @return as service_start().
 */
enum tc_code work_open(struct work *work, struct service *service,
                       const struct work_settings *settings, size_t slots,
                       const char *const *queues, size_t queue_count,
                       struct tc_error *err) TC_MUST_CHECK;
void work_close(struct work *work);

#endif
