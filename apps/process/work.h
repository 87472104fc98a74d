#ifndef TASKCORE_APPS_PROCESS_WORK_H
#define TASKCORE_APPS_PROCESS_WORK_H

/** @file work.h The workers of a program with all the handlers that it can run. */

#include "apps/handlers/handlers.h"
#include "apps/service/service_settings.h"

struct demo_handlers;

/** Zeroed it is closed. */
struct work {
    struct handler_file file;
    struct demo_handlers *demo;
    struct handlers *handlers;
    struct tc_handler_entry *entries; /**< owned; those of the file, then demo's */
    size_t entry_count;
};

/**
 * Read TASK_HANDLERS, if it is set. What the file says about types is in `work->file` until
 * work_close().
 * @return TC_OK; TC_INVALID naming the setting, file, line and reason; TC_NO_MEMORY.
 */
enum tc_code work_read(struct work *work, const struct work_settings *settings,
                       struct tc_error *err) TC_MUST_CHECK;

/** The settings and the file as rules; borrows from `work`. */
void work_apply(const struct work *work, const struct work_settings *settings,
                struct tc_policy *policy);

/**
 * Start `slots` workers of `service` for `queues` (count 0: all). All is borrowed until
 * work_close(), which comes after service_close().
 * @return as service_start() and handlers_open().
 */
enum tc_code work_open(struct work *work, struct service *service,
                       const struct work_settings *settings, size_t slots,
                       const char *const *queues, size_t queue_count,
                       struct tc_error *err) TC_MUST_CHECK;
void work_close(struct work *work);

#endif
