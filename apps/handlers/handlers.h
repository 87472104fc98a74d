#ifndef TASKCORE_APPS_HANDLERS_HANDLERS_H
#define TASKCORE_APPS_HANDLERS_HANDLERS_H

/** @file handlers.h The handlers that a handlers file asks for. */

#include "apps/handlers/handler_file.h"
#include "ports/handler.h"

struct handlers;
struct tc_clock;

/** Borrowed until handlers_close(). */
struct handlers_config {
    struct tc_clock *clock; /**< the worker's */
    size_t result_max;      /**< bytes that a program may write where its section is silent */
};

/**
 * Make the handler of each section; `file` is not needed afterwards.
 * @return TC_OK; TC_INVALID: "[type] …" for a value that its kind cannot take; TC_NO_MEMORY.
 */
enum tc_code handlers_open(const struct handler_file *file,
                           const struct handlers_config *config, struct handlers **ret_handlers,
                           struct tc_error *err) TC_MUST_CHECK;

/** One for each section whose work is done here; borrowed until close. */
const struct tc_handler_entry *handlers_entries(const struct handlers *handlers,
                                                size_t *ret_count);

/** No handler may be running. NULL is fine. */
void handlers_close(struct handlers *handlers);

#endif
