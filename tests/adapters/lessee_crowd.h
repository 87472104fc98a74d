#ifndef TESTS_ADAPTERS_LESSEE_CROWD_H
#define TESTS_ADAPTERS_LESSEE_CROWD_H

/** @file lessee_crowd.h A waiting room for leases, and threads that wait in it. */

#include "adapters/http/http_lessees.h"
#include "tests/support/fakes.h"

#include <pthread.h>
#include <stdatomic.h>

#define LONG_MS  20000 /* nobody waits so long, on a machine however busy */
#define SHORT_MS 600
#define CROWD    20

/** The room, what waits to be taken in it, and who looked. */
struct lessee_crowd {
    struct fake_queue queue; /* behind the room */
    struct http_lessees *lessees;
    struct tc_task_queue *front;
    _Atomic int stock;
    _Atomic int looks;   /* after the first of each */
    _Atomic int entered; /* first looks */
    _Atomic bool is_broken;
    _Atomic bool announces; /* a first look is overtaken by an announcement */
};

extern struct lessee_crowd crowd;

extern const struct http_lessee_wish crowd_of_default; /* all types */
extern const struct http_lessee_wish crowd_of_types;   /* "email" and "sms" alone */

/** A thread that waits. */
struct waiter {
    const struct http_lessee_wish *wish;
    int64_t wait_ms;
    bool is_gone; /* its client */
    enum http_look found;
    int64_t took_ms;
    pthread_t thread;
};

/** `look_ms`: as for http_lessees_open(). */
void crowd_open(int64_t look_ms);
void crowd_close(void);

int64_t crowd_now_ms(void);
void crowd_sleep_ms(long ms);

/** Announce a task in front of the room. */
void crowd_announce(const char *queue_name, const char *type);

/** Wait on this thread. */
void *crowd_wait(void *waiter);

/** Waiters for any type of the queue "default". */
void crowd_make(struct waiter *waiters, int count, int64_t wait_ms);

/** Start those who wait, one behind the other. */
void crowd_start(struct waiter *waiters, int count);

/** Until all have ended their wait. */
void crowd_join(struct waiter *waiters, int count);

int crowd_count(const struct waiter *waiters, int count, enum http_look found);

#endif
