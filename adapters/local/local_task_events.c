#include "adapters/local/local_task_events.h"

#include "adapters/local/local_wait.h"
#include "core/domain/container_of.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define SHARDS 256

/* One thread in wait(), on its own stack. */
struct waiter {
    struct waiter *next;
    struct waiter **place; /* what points at this one */
    struct tc_id id;
    bool called;
    pthread_cond_t call;
};

/*
 * The sequence counts the events of a shard: a ticket is its value, so that what happened
 * between watch() and wait() shows. The waiters are counted apart from their list, so that
 * notify() need not take the mutex to find nobody. Both orders are safe: a waiter counts
 * itself before it compares its ticket, and notify() moves the sequence before it looks for
 * waiters (all sequentially consistent).
 */
struct shard {
    _Atomic uint64_t sequence;
    _Atomic unsigned waiter_count;
    pthread_mutex_t mutex;
    struct waiter *waiters;
};

struct local_task_events {
    struct tc_task_events base;
    _Atomic bool interrupted;
    struct shard shards[SHARDS];
};

static struct local_task_events *self_of(struct tc_task_events *events)
{
    return TC_CONTAINER_OF(events, struct local_task_events, base);
}

/* The last bits of the ids of one group count up, those before differ between groups. */
static struct shard *shard_of(struct local_task_events *self, const struct tc_id *id)
{
    uint64_t tail;

    memcpy(&tail, id->bytes + sizeof(id->bytes) - sizeof(tail), sizeof(tail));
    return &self->shards[(tail * UINT64_C(0x9E3779B97F4A7C15)) >> 56];
}

static void call_waiters(struct shard *shard, const struct tc_id *id)
{
    pthread_mutex_lock(&shard->mutex);
    for (struct waiter *waiter = shard->waiters; waiter; waiter = waiter->next) {
        if (id && tc_id_compare(&waiter->id, id) != 0)
            continue;
        waiter->called = true;
        pthread_cond_signal(&waiter->call);
    }
    pthread_mutex_unlock(&shard->mutex);
}

static void local_notify(struct tc_task_events *events, const struct tc_id *ids, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct shard *shard = shard_of(self_of(events), &ids[i]);

        atomic_fetch_add(&shard->sequence, 1);
        if (atomic_load(&shard->waiter_count) > 0)
            call_waiters(shard, &ids[i]);
    }
}

static uint64_t local_watch(struct tc_task_events *events, const struct tc_id *id)
{
    return atomic_load(&shard_of(self_of(events), id)->sequence);
}

static void enlist(struct shard *shard, struct waiter *waiter)
{
    waiter->next = shard->waiters;
    waiter->place = &shard->waiters;
    if (waiter->next)
        waiter->next->place = &waiter->next;
    shard->waiters = waiter;
}

static void strike_off(struct waiter *waiter)
{
    *waiter->place = waiter->next;
    if (waiter->next)
        waiter->next->place = waiter->place;
}

static void sleep_until_called(struct local_task_events *self, struct shard *shard,
                               struct waiter *waiter, uint64_t ticket, int64_t wait_ms)
{
    struct timespec end = local_wait_end(wait_ms);
    int over = 0;

    pthread_mutex_lock(&shard->mutex);
    enlist(shard, waiter);
    atomic_fetch_add(&shard->waiter_count, 1);
    if (atomic_load(&shard->sequence) == ticket && !atomic_load(&self->interrupted))
        while (over == 0 && !waiter->called)
            over = pthread_cond_timedwait(&waiter->call, &shard->mutex, &end);
    atomic_fetch_sub(&shard->waiter_count, 1);
    strike_off(waiter);
    pthread_mutex_unlock(&shard->mutex);
}

static void local_wait(struct tc_task_events *events, const struct tc_id *id, uint64_t *ticket,
                       int64_t wait_ms)
{
    struct local_task_events *self = self_of(events);
    struct shard *shard = shard_of(self, id);
    struct waiter waiter = { .id = *id };

    if (wait_ms > 0 && local_wait_init_cond(&waiter.call)) {
        sleep_until_called(self, shard, &waiter, *ticket, wait_ms);
        pthread_cond_destroy(&waiter.call);
    }
    *ticket =
        atomic_load(&self->interrupted) ? TC_EVENTS_INTERRUPTED : atomic_load(&shard->sequence);
}

static void local_interrupt(struct tc_task_events *events)
{
    struct local_task_events *self = self_of(events);

    atomic_store(&self->interrupted, true);
    for (size_t i = 0; i < SHARDS; i++)
        call_waiters(&self->shards[i], NULL);
}

static void close_shards(struct local_task_events *self, size_t count)
{
    for (size_t i = 0; i < count; i++)
        pthread_mutex_destroy(&self->shards[i].mutex);
}

enum tc_code local_task_events_open(struct tc_task_events **ret_events, struct tc_error *err)
{
    static const struct tc_task_events_ops ops = {
        .notify = local_notify,
        .watch = local_watch,
        .wait = local_wait,
        .interrupt = local_interrupt,
    };
    struct local_task_events *self = calloc(1, sizeof(*self));

    if (!self)
        return tc_fail(err, TC_NO_MEMORY, "local task events");
    for (size_t i = 0; i < SHARDS; i++) {
        if (pthread_mutex_init(&self->shards[i].mutex, NULL) == 0)
            continue;
        close_shards(self, i);
        free(self);
        return tc_fail(err, TC_INTERNAL, "no mutex for local task events");
    }
    self->base.ops = &ops;
    *ret_events = &self->base;
    return TC_OK;
}

void local_task_events_close(struct tc_task_events *events)
{
    if (!events)
        return;

    struct local_task_events *self = self_of(events);

    close_shards(self, SHARDS);
    free(self);
}
