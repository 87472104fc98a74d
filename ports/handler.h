#ifndef TASKCORE_PORTS_HANDLER_H
#define TASKCORE_PORTS_HANDLER_H

/**
 * @file handler.h
 * Port: what a task does. One handler serves one or more types; the worker calls it.
 *
 * [H1] run() is called once per (task, epoch), on a worker's thread with at least 1 MiB of
 *      stack, several at a time if the worker has several slots.
 * [H2] It is told to stop, with the reason, within a third of the lease after a cancel or
 *      the loss of the lease, at once on timeout and at the end of a drain.
 * [H3] What it returns after its epoch is gone changes nothing.
 */

#include "core/domain/attempt.h"

enum tc_stop_reason {
    TC_STOP_NONE = 0,
    TC_STOP_CANCELLED, /**< a user cancelled the task */
    TC_STOP_LOST,      /**< another worker may have it now */
    TC_STOP_TIMEOUT,   /**< timeout_ms is over; the attempt has failed */
    TC_STOP_SHUTDOWN,  /**< the worker stops; the task will be given back */
};

/** "cancelled", …; "none". */
const char *tc_stop_reason_name(enum tc_stop_reason reason);

struct tc_run;

/** What a running handler may ask of its worker, from the thread that runs it. */
struct tc_run_ops {
    /** NONE, or why the handler should end soon. Cheap: call it often. */
    enum tc_stop_reason (*should_stop)(struct tc_run *run);

    /** Sleep up to `ms`, less when told to stop. */
    void (*sleep_ms)(struct tc_run *run, int64_t ms);

    /**
     * Tell how far it is: the text of one JSON object, up to TC_PROGRESS_MAX bytes. Stored
     * with the next heartbeat; the last word wins.
     * @return false when too long or no memory.
     */
    bool (*progress)(struct tc_run *run, struct tc_bytes json);

    /** One line for the log, with the task's id. */
    void (*log)(struct tc_run *run, const char *message);
};

/** Borrowed for the length of run(). */
struct tc_run {
    const struct tc_run_ops *ops;
    const struct tc_task *task; /**< as it was leased: attempt, epoch, payload, … */
    int64_t deadline_tick_ms;   /**< on the worker's monotonic clock */
};

struct tc_handler;

struct tc_handler_ops {
    /**
     * Do the work and say how it ended: fill `*ret_report` (it comes as a report of success
     * without result); the worker releases it. A result that is JSON must be valid JSON.
     */
    void (*run)(struct tc_handler *handler, struct tc_run *run, struct tc_report *ret_report);
};

struct tc_handler {
    const struct tc_handler_ops *ops;
};

/** Which handler serves a type. Borrowed for as long as the worker lives. */
struct tc_handler_entry {
    const char *type; /**< tc_name_is_valid() */
    struct tc_handler *handler;
};

#endif
