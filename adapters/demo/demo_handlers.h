#ifndef TASKCORE_ADAPTERS_DEMO_HANDLERS_H
#define TASKCORE_ADAPTERS_DEMO_HANDLERS_H

/**
 * @file demo_handlers.h
 * Handlers to try the service with, to measure it, and to test its recovery (http-api.md §9).
 *
 * | type | what it does |
 * |---|---|
 * | `demo.process` | waits; result the text `processed: P (Nsec)` |
 * | `demo.parity`  | waits; even number of characters: done, `success`; odd: failed, `error` |
 * | `demo.noop`    | done at once, without result |
 * | `demo.fail`    | fails at once, may be tried again |
 * | `demo.crash`   | kills its process with SIGKILL |
 *
 * P is the string that the payload is, or the JSON text of any other payload. The wait is a
 * random whole number of seconds; a handler that is told to stop while it waits gives the
 * task back.
 */

#include "ports/handler.h"

struct tc_ids;
struct demo_handlers;

struct demo_config {
    int64_t min_ms;     /**< whole seconds; 0: no wait */
    int64_t max_ms;     /**< not below min_ms */
    struct tc_ids *ids; /**< for the random number; borrowed until close */
};

/** @return TC_OK; TC_INVALID for bad bounds; TC_NO_MEMORY. */
enum tc_code demo_handlers_open(const struct demo_config *config,
                                struct demo_handlers **ret_handlers,
                                struct tc_error *err) TC_MUST_CHECK;

/** The five of them; borrowed until close. */
const struct tc_handler_entry *demo_handlers_entries(const struct demo_handlers *handlers,
                                                     size_t *ret_count);

/** No handler may be running. NULL is fine. */
void demo_handlers_close(struct demo_handlers *handlers);

#endif
