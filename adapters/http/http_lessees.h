#ifndef TASKCORE_ADAPTERS_HTTP_LESSEES_H
#define TASKCORE_ADAPTERS_HTTP_LESSEES_H

/**
 * @file http_lessees.h
 * The waiting room of the pull workers whose request for leases found nothing.
 *
 * Those who want the same (queues and types) wait as one group, and one of them at a time,
 * the first in line, looks into the store for it: at once when a task that they want has been
 * announced in this process, else every 250 ms, since other processes create tasks too and
 * scheduled ones become due. Who finds as much as it asked for lets the next one look, because
 * there may be more. So it does not matter to the store how many wait: a group costs it four
 * looks a second, all groups together never more than 250 (with over 62 groups each waits a
 * little longer between two looks); looks after announcements that found nothing, because a
 * worker of this process was faster, keep 10 ms between them.
 *
 * A look is the claim itself, made on the thread of the request that will be answered with it,
 * after it has been seen that the client is still there. What is lost between the claim and
 * the client's socket comes back when that lease ends.
 *
 * Announcements are heard at a task_queue that is put in front of the real one. That costs
 * the caller one atomic operation while nobody waits.
 *
 * Threads: any, at once.
 */

#include "core/domain/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct http_lessees;
struct tc_task_queue;

/** Sorted lists of names, each once. Borrowed for the call. */
struct http_lessee_wish {
    const char *const *queues;
    size_t queue_count; /**< never 0 */
    const char *const *types;
    size_t type_count; /**< 0: all types */
};

/** How a look ended. */
enum http_look {
    HTTP_LOOK_EMPTY, /**< wait on */
    HTTP_LOOK_SOME,  /**< found less than asked for: nothing is left */
    HTTP_LOOK_FULL,  /**< found all that was asked for: there may be more */
    HTTP_LOOK_LEFT,  /**< the client is gone, nobody has looked: let the next one do it */
    HTTP_LOOK_FAILED,
};

/** Called without locks. `is_first`: at once, before any waiting. */
typedef enum http_look http_look_fn(void *ctx, bool is_first);

/**
 * `queue` is borrowed until http_lessees_close(). `look_ms`: between two looks of a group that
 * hears nothing; 0: 250.
 * @return TC_OK, TC_NO_MEMORY; TC_INTERNAL: the system gives no mutex.
 */
enum tc_code http_lessees_open(struct tc_task_queue *queue, int64_t look_ms,
                               struct http_lessees **ret_lessees,
                               struct tc_error *err) TC_MUST_CHECK;

/** Nobody may be waiting, or using the queue. NULL is fine. */
void http_lessees_close(struct http_lessees *lessees);

/** The queue to announce tasks at instead of the one that was given. */
struct tc_task_queue *http_lessees_queue(struct http_lessees *lessees);

/**
 * Look, and look again when there may be something, until a look ends otherwise than EMPTY;
 * for `wait_ms` at most (0: one look), plus the length of a look. Without memory to wait, as
 * after http_lessees_interrupt(), there is one look.
 */
void http_lessees_wait(struct http_lessees *lessees, const struct http_lessee_wish *wish,
                       int64_t wait_ms, http_look_fn *look, void *ctx);

/** End all waits, and those to come after one look: the process stops. */
void http_lessees_interrupt(struct http_lessees *lessees);

/** How many wait now, for tests. */
size_t http_lessees_count(struct http_lessees *lessees);

#endif
