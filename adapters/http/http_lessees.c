#include "adapters/http/http_lessees.h"

#include "adapters/http/http_connections.h"
#include "adapters/http/http_lessee_group.h"
#include "core/domain/container_of.h"
#include "ports/task_queue.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#define LOOK_MS        250
#define LOOK_GROUPS_MS 4  /* and no shorter than this for every group there is */
#define CALM_MS        10 /* after an announcement that was for nothing */

/*
 * Nothing announced is missed: who waits draws a ticket, the number of announcements so far,
 * before its first look, counts itself among the waiting, and then compares the ticket;
 * announce() raises the number before it looks whether anybody waits (all sequentially
 * consistent). So either the announcement finds the waiter, or the waiter the announcement.
 */
struct http_lessees {
    struct tc_task_queue base;
    struct tc_task_queue *inner;
    int64_t look_ms;
    _Atomic uint64_t announced;
    _Atomic size_t waiting;

    pthread_mutex_t lock;
    struct http_lessee_group *groups; /* of which each has somebody who waits */
    size_t group_count;
    bool is_interrupted;
};

/* One request, on its thread's stack. */
struct lessee {
    struct http_lessee place;
    struct http_lessee_group *group;
    int64_t end_ms;
};

/* --- those who wait */

static int64_t interval_ms(const struct http_lessees *self)
{
    int64_t ms = (int64_t)self->group_count * LOOK_GROUPS_MS;

    return ms > self->look_ms ? ms : self->look_ms;
}

/* When the first of the group shall look. */
static int64_t look_at_ms(const struct http_lessees *self,
                          const struct http_lessee_group *group)
{
    if (!group->is_called)
        return group->looked_ms + interval_ms(self);
    return group->was_for_nothing ? group->looked_ms + CALM_MS : 0;
}

static void call_first(struct http_lessee_group *group)
{
    group->is_called = true;
    pthread_cond_signal(&group->first->call);
}

static void sleep_until(struct http_lessees *self, struct lessee *lessee, int64_t until_ms)
{
    struct timespec until = { (time_t)(until_ms / 1000), (long)(until_ms % 1000) * 1000000 };

    pthread_cond_timedwait(&lessee->place.call, &self->lock, &until);
}

/* The lock is held, but not during the look. */
static enum http_look look(struct http_lessees *self, struct lessee *lessee,
                           http_look_fn *look_fn, void *ctx)
{
    struct http_lessee_group *group = lessee->group;
    enum http_look found;

    group->is_called = false;
    pthread_mutex_unlock(&self->lock);
    found = look_fn(ctx, false);
    pthread_mutex_lock(&self->lock);
    group->looked_ms = http_now_ms();
    group->was_for_nothing = found == HTTP_LOOK_EMPTY || found == HTTP_LOOK_FAILED;
    if (found == HTTP_LOOK_FULL || found == HTTP_LOOK_LEFT)
        group->is_called = true;
    return found;
}

/* The lock is held. Only the first in line looks, so that those behind it can sleep on. */
static void wait_in_line(struct http_lessees *self, struct lessee *lessee,
                         http_look_fn *look_fn, void *ctx)
{
    enum http_look found = HTTP_LOOK_EMPTY;

    while (found == HTTP_LOOK_EMPTY && !self->is_interrupted) {
        int64_t until_ms = lessee->end_ms;
        int64_t at_ms = http_now_ms();

        if (at_ms >= until_ms)
            return;
        if (lessee->group->first == &lessee->place) {
            int64_t look_ms = look_at_ms(self, lessee->group);

            if (at_ms >= look_ms) {
                found = look(self, lessee, look_fn, ctx);
                continue;
            }
            until_ms = look_ms < until_ms ? look_ms : until_ms;
        }
        sleep_until(self, lessee, until_ms);
    }
}

/* The lock is held. @return false: no memory. */
static bool enter(struct http_lessees *self, struct lessee *lessee,
                  const struct http_lessee_wish *wish, uint64_t ticket)
{
    struct http_lessee_group *group = http_lessee_group_find(self->groups, wish);

    if (!group) {
        group = http_lessee_group_new(wish);
        if (!group)
            return false;
        group->looked_ms = http_now_ms();
        group->next = self->groups;
        self->groups = group;
        self->group_count++;
    }
    lessee->group = group;
    http_lessee_group_join(group, &lessee->place);
    atomic_fetch_add(&self->waiting, 1);
    if (atomic_load(&self->announced) != ticket)
        call_first(group);
    return true;
}

static void drop_group(struct http_lessees *self, struct http_lessee_group *group)
{
    struct http_lessee_group **place = &self->groups;

    while (*place != group)
        place = &(*place)->next;
    *place = group->next;
    self->group_count--;
    http_lessee_group_free(group);
}

/* The lock is held. The next in line takes over the watch. */
static void leave(struct http_lessees *self, struct lessee *lessee)
{
    struct http_lessee_group *group = lessee->group;
    bool was_first = group->first == &lessee->place;

    atomic_fetch_sub(&self->waiting, 1);
    http_lessee_group_leave(group, &lessee->place);
    if (!group->first)
        drop_group(self, group);
    else if (was_first)
        pthread_cond_signal(&group->first->call);
}

void http_lessees_wait(struct http_lessees *lessees, const struct http_lessee_wish *wish,
                       int64_t wait_ms, http_look_fn *look_fn, void *ctx)
{
    struct lessee lessee = { .end_ms = http_now_ms() + wait_ms };
    uint64_t ticket = atomic_load(&lessees->announced);

    if (look_fn(ctx, true) != HTTP_LOOK_EMPTY || wait_ms <= 0 ||
        !http_lessee_init(&lessee.place))
        return;
    pthread_mutex_lock(&lessees->lock);
    if (!lessees->is_interrupted && enter(lessees, &lessee, wish, ticket)) {
        wait_in_line(lessees, &lessee, look_fn, ctx);
        leave(lessees, &lessee);
    }
    pthread_mutex_unlock(&lessees->lock);
    http_lessee_release(&lessee.place);
}

void http_lessees_interrupt(struct http_lessees *lessees)
{
    pthread_mutex_lock(&lessees->lock);
    lessees->is_interrupted = true;
    for (struct http_lessee_group *group = lessees->groups; group; group = group->next)
        for (struct http_lessee *lessee = group->first; lessee; lessee = lessee->next)
            pthread_cond_signal(&lessee->call);
    pthread_mutex_unlock(&lessees->lock);
}

size_t http_lessees_count(struct http_lessees *lessees)
{
    return atomic_load(&lessees->waiting);
}

/* --- the queue in front of the real one */

static struct http_lessees *self_of(struct tc_task_queue *queue)
{
    return TC_CONTAINER_OF(queue, struct http_lessees, base);
}

static bool is_for(const struct http_lessee_group *group, const struct tc_hint *hints,
                   size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (http_lessee_group_wants(group, hints[i].queue, hints[i].type))
            return true;
    return count == 0; /* "look into the store" is for everybody */
}

static void announce(struct http_lessees *self, const struct tc_hint *hints, size_t count)
{
    atomic_fetch_add(&self->announced, 1);
    if (atomic_load(&self->waiting) == 0)
        return;
    pthread_mutex_lock(&self->lock);
    for (struct http_lessee_group *group = self->groups; group; group = group->next)
        if (!group->is_called && is_for(group, hints, count))
            call_first(group);
    pthread_mutex_unlock(&self->lock);
}

static enum tc_code publish(struct tc_task_queue *queue, const struct tc_hint *hints,
                            size_t count, struct tc_error *err)
{
    struct http_lessees *self = self_of(queue);
    enum tc_code code = self->inner->ops->publish(self->inner, hints, count, err);

    announce(self, hints, count);
    return code;
}

static enum tc_code deliver(struct tc_task_queue *queue, const struct tc_hint *hints,
                            size_t count, int64_t wait_ms, struct tc_error *err)
{
    struct http_lessees *self = self_of(queue);

    announce(self, hints, count);
    return self->inner->ops->deliver(self->inner, hints, count, wait_ms, err);
}

static enum tc_code receive(struct tc_task_queue *queue, int64_t wait_ms, size_t max,
                            struct tc_hint *ret_hints, struct tc_delivery *ret_delivery,
                            struct tc_error *err)
{
    struct tc_task_queue *inner = self_of(queue)->inner;

    return inner->ops->receive(inner, wait_ms, max, ret_hints, ret_delivery, err);
}

static enum tc_code commit(struct tc_task_queue *queue, uint64_t receipt, struct tc_error *err)
{
    struct tc_task_queue *inner = self_of(queue)->inner;

    return inner->ops->commit(inner, receipt, err);
}

static void interrupt(struct tc_task_queue *queue)
{
    struct tc_task_queue *inner = self_of(queue)->inner;

    inner->ops->interrupt(inner);
}

enum tc_code http_lessees_open(struct tc_task_queue *queue, int64_t look_ms,
                               struct http_lessees **ret_lessees, struct tc_error *err)
{
    static const struct tc_task_queue_ops ops = {
        .name = "lessees",
        .publish = publish,
        .deliver = deliver,
        .receive = receive,
        .commit = commit,
        .interrupt = interrupt,
    };
    struct http_lessees *self = calloc(1, sizeof(*self));

    if (!self)
        return tc_fail(err, TC_NO_MEMORY, "a waiting room for leases");
    if (pthread_mutex_init(&self->lock, NULL) != 0) {
        free(self);
        return tc_fail(err, TC_INTERNAL, "no mutex for a waiting room for leases");
    }
    self->base.ops = &ops;
    self->inner = queue;
    self->look_ms = look_ms > 0 ? look_ms : LOOK_MS;
    *ret_lessees = self;
    return TC_OK;
}

void http_lessees_close(struct http_lessees *lessees)
{
    if (!lessees)
        return;
    pthread_mutex_destroy(&lessees->lock);
    free(lessees);
}

struct tc_task_queue *http_lessees_queue(struct http_lessees *lessees)
{
    return &lessees->base;
}
