#ifndef TASKCORE_ADAPTERS_HTTP_CONNECTIONS_H
#define TASKCORE_ADAPTERS_HTTP_CONNECTIONS_H

/**
 * @file http_connections.h
 * Table of the open connections: one slot per thread of the library, since a thread serves
 * one connection at a time. The thread writes its own slot as it goes, without locks; the
 * watchdog (http_watchdog.h) reads all of them and cuts what is late or in the way.
 *
 * The library keeps its sockets to itself, so a socket is found by the address of its peer
 * among the open files, once, when it is first needed. Cutting is safe because a slot is
 * emptied, under the table's lock, before the library closes the socket: while the lock is
 * held, no descriptor found can be reused.
 */

#include "core/domain/error.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mg_connection;

/** What the thread waits for. */
enum http_phase {
    HTTP_FREE,  /**< a connection */
    HTTP_HEAD,  /**< the head of the first or next request; may be cut to make room */
    HTTP_BODY,  /**< the body */
    HTTP_ROUTE, /**< our own code: never cut */
    HTTP_WRITE, /**< the client to take the response, or to notice a refusal */
};

struct http_slot {
    _Atomic int phase;           /**< enum http_phase */
    _Atomic int64_t since_ms;    /**< monotonic: when this phase began */
    _Atomic int64_t deadline_ms; /**< monotonic: when it is late */
    _Atomic bool cut;            /**< the watchdog has shut down the reading side */
    _Atomic uint32_t served;     /**< requests on this connection so far */
    /** Of the watchdog and of opening and closing, under the lock: */
    const struct mg_connection *connection;
    int fd;                /**< -1: not found yet */
    uint32_t peer_address; /**< network order; valid while has_peer */
    uint16_t peer_port;    /**< network order */
    bool has_peer;
    /** Of the thread itself: */
    const char *buffer; /**< where the library's read buffer begins, once known */
    bool is_over;       /**< was beyond the bound when it came */
    int64_t date_s;     /**< `date` is right for this second */
    char date[32];
};

struct http_connections {
    pthread_mutex_t lock;
    pthread_cond_t changed; /**< CLOCK_MONOTONIC; see `is_asleep` and `is_awaited` */
    bool is_asleep;         /**< under the lock: the watchdog waits for a first connection */
    bool is_awaited;        /**< under the lock: somebody waits for the last one to go */
    struct http_slot *slots;
    int slot_count;      /**< threads: the bound and a reserve that says 503 */
    int bound;           /**< how many connections are served */
    int64_t request_ms;  /**< what a request has before 1 KiB/s is asked of it */
    _Atomic int taken;   /**< slots given to threads so far */
    _Atomic int open;    /**< connections */
    _Atomic int waiting; /**< requests that wait in http_route() by the client's wish */
    uint16_t port;       /**< listened on, network order; set once it is known */
};

/** @return TC_OK, TC_NO_MEMORY. */
enum tc_code http_connections_init(struct http_connections *table, int bound, int reserve,
                                   struct tc_error *err) TC_MUST_CHECK;

void http_connections_release(struct http_connections *table);

/** With more open than this, idle connections have to make room. */
static inline int http_connections_room(const struct http_connections *table)
{
    return table->bound - table->bound / 8;
}

/** Monotonic milliseconds, and microseconds for durations. */
int64_t http_now_ms(void);
int64_t http_now_us(void);

/** Wait until none is open, at the latest `until_ms` (monotonic). */
void http_connections_await_none(struct http_connections *table, int64_t until_ms);

/** A slot for a thread that has just started; NULL: more threads than slots. */
struct http_slot *http_connections_take(struct http_connections *table);

/** The thread got a connection whose head must be there by `deadline_ms`. */
void http_connections_opened(struct http_connections *table, struct http_slot *slot,
                             const struct mg_connection *connection, int64_t deadline_ms);

/** The library is about to close the connection. */
void http_connections_closing(struct http_connections *table, struct http_slot *slot);

/** The thread enters `phase`, late from `deadline_ms` on. */
static inline void http_slot_enter(struct http_slot *slot, enum http_phase phase,
                                   int64_t now_ms, int64_t deadline_ms)
{
    atomic_store_explicit(&slot->since_ms, now_ms, memory_order_relaxed);
    atomic_store_explicit(&slot->deadline_ms, deadline_ms, memory_order_relaxed);
    atomic_store_explicit(&slot->phase, (int)phase, memory_order_release);
}

/** The thread's own socket, -1 when it cannot be found. Never blocks for long. */
int http_connections_socket(struct http_connections *table, struct http_slot *slot);

/** Under the lock: find the sockets of all slots that lack one, in one pass over the open
 *  files. */
void http_connections_find(struct http_connections *table);

/** True, and one more is counted, while at most half of the bound waits. Pair with leave. */
bool http_connections_enter_wait(struct http_connections *table);
void http_connections_leave_wait(struct http_connections *table);

/** The listening socket of `port` among the open files; -1 when there is none. */
int http_listening_socket(int port);

#endif
