#ifndef TASKCORE_ADAPTERS_HTTP_WATCHDOG_H
#define TASKCORE_ADAPTERS_HTTP_WATCHDOG_H

/**
 * @file http_watchdog.h
 * One thread that cuts connections which are late, and idle ones when places run short, by
 * shutting their sockets down; the thread that serves the connection then sees its end and
 * does the rest. It sleeps while no connection is open, and looks a few times a second while
 * one is.
 *
 * The library's own timeouts start anew with every byte, so that a client that drips keeps
 * its thread for ever; and its acceptor blocks when all threads are taken.
 */

#include "adapters/http/http_connections.h"

struct http_watchdog {
    struct http_connections *table;
    int64_t tick_ms;  /**< how often to look while connections are open */
    bool is_stopping; /**< under the table's lock: nothing new is awaited */
    bool is_cutting;  /**< under the table's lock: nor is what is under way */
    bool is_done;     /**< under the table's lock: end */
    pthread_t thread;
    bool is_running;
};

/**
 * Under the table's lock: cut connections that have been idle for some time, longest first,
 * until there are free places again; beyond the bound also those whose body comes at less than
 * 1 KiB/s. The more places are missing, the shorter that time.
 * @return how many connections remain that are not being cut.
 */
int http_watchdog_make_room(struct http_connections *table, int64_t now_ms);

/** Start. `request_ms` sets how often it looks. @return TC_OK, TC_NO_MEMORY: no thread. */
enum tc_code http_watchdog_start(struct http_watchdog *watchdog, struct http_connections *table,
                                 int64_t request_ms, struct tc_error *err) TC_MUST_CHECK;

/** Close idle connections and cut at once what reads a head, until the end. */
void http_watchdog_begin_stop(struct http_watchdog *watchdog);

/** From now on cut what reads or writes too, until the end. */
void http_watchdog_cut_all(struct http_watchdog *watchdog);

/** End the thread. A watchdog that was not started is legal. */
void http_watchdog_stop(struct http_watchdog *watchdog);

#endif
