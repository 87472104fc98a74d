#ifndef TASKCORE_ADAPTERS_HTTP_LESSEE_GROUP_H
#define TASKCORE_ADAPTERS_HTTP_LESSEE_GROUP_H

/**
 * @file http_lessee_group.h
 * Those who wait for the same, in line. Private to http_lessees.h, whose lock guards all of it.
 */

#include "adapters/http/http_lessees.h"

#include <pthread.h>

/** A place in the line; its owner sleeps on `call`. */
struct http_lessee {
    struct http_lessee *next;
    struct http_lessee *before;
    pthread_cond_t call; /**< CLOCK_MONOTONIC */
};

struct http_lessee_group {
    struct http_lessee_group *next;
    struct http_lessee *first;
    struct http_lessee *last;
    int64_t looked_ms;            /**< when the last look ended */
    bool was_for_nothing;         /**< that look */
    bool is_called;               /**< something may wait: the first shall look */
    uint64_t sum;                 /**< of the wish, to tell most apart at once */
    struct http_lessee_wish wish; /**< lies behind this struct */
};

/** @return false: the system gives no condition variable. */
bool http_lessee_init(struct http_lessee *lessee);
void http_lessee_release(struct http_lessee *lessee);

/** A group for whoever wishes this, nobody in it; NULL: no memory. */
struct http_lessee_group *http_lessee_group_new(const struct http_lessee_wish *wish);
void http_lessee_group_free(struct http_lessee_group *group);

/** The group of the list with this wish; NULL. */
struct http_lessee_group *http_lessee_group_find(struct http_lessee_group *groups,
                                                 const struct http_lessee_wish *wish);

/** Does the wish hold for a task of this queue and type? */
bool http_lessee_group_wants(const struct http_lessee_group *group, const char *queue,
                             const char *type);

void http_lessee_group_join(struct http_lessee_group *group, struct http_lessee *lessee);
void http_lessee_group_leave(struct http_lessee_group *group, struct http_lessee *lessee);

#endif
