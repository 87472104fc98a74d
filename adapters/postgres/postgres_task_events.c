/* The events port: local waiters by id, in shards by its hash; other processes by NOTIFY. */

#include "adapters/postgres/postgres_session_internal.h"
#include "adapters/postgres/postgres_timed_wait.h"
#include "core/domain/container_of.h"

#include <string.h>

#define POOLER_WAIT_MS 250 /* nobody tells us: who waits reads this often */

/* One thread in wait(), on its own stack. */
struct postgres_waiter {
    struct postgres_waiter *next;
    struct postgres_waiter **place; /* what points at this one */
    struct tc_id id;
    bool called;
    pthread_cond_t call;
};

static struct postgres_session *self_of(struct tc_task_events *events)
{
    return TC_CONTAINER_OF(events, struct postgres_session, events);
}

static void release_shards(struct postgres_waiters *waiters, size_t count)
{
    for (size_t i = 0; i < count; i++)
        pthread_mutex_destroy(&waiters->shards[i].mutex);
}

bool postgres_waiters_init(struct postgres_waiters *waiters)
{
    for (size_t i = 0; i < POSTGRES_SHARDS; i++) {
        if (pthread_mutex_init(&waiters->shards[i].mutex, NULL) == 0)
            continue;
        release_shards(waiters, i);
        return false;
    }
    waiters->left_us = INT64_MIN / 2;
    return true;
}

void postgres_waiters_release(struct postgres_waiters *waiters)
{
    release_shards(waiters, POSTGRES_SHARDS);
}

/* The last bits of the ids of one group count up, those before differ between groups. */
static struct postgres_shard *shard_of(struct postgres_waiters *waiters, const struct tc_id *id)
{
    uint64_t tail;

    memcpy(&tail, id->bytes + sizeof(id->bytes) - sizeof(tail), sizeof(tail));
    return &waiters->shards[(tail * UINT64_C(0x9E3779B97F4A7C15)) >> 56];
}

/* `id` NULL: all of them. The sequence moves before the waiters are looked for, and a waiter
 * counts itself before it compares its ticket: one of the two sees the other. */
static void wake(struct postgres_shard *shard, const struct tc_id *id)
{
    atomic_fetch_add(&shard->sequence, 1);
    if (atomic_load(&shard->waiter_count) == 0)
        return;
    pthread_mutex_lock(&shard->mutex);
    for (struct postgres_waiter *waiter = shard->waiters; waiter; waiter = waiter->next) {
        if (id && tc_id_compare(&waiter->id, id) != 0)
            continue;
        waiter->called = true;
        pthread_cond_signal(&waiter->call);
    }
    pthread_mutex_unlock(&shard->mutex);
}

void postgres_waiters_wake(struct postgres_waiters *waiters, const struct tc_id *ids,
                           size_t count)
{
    for (size_t i = 0; i < count; i++)
        wake(shard_of(waiters, &ids[i]), &ids[i]);
}

void postgres_waiters_wake_all(struct postgres_waiters *waiters)
{
    for (size_t i = 0; i < POSTGRES_SHARDS; i++)
        wake(&waiters->shards[i], NULL);
}

static void events_notify(struct tc_task_events *events, const struct tc_id *ids, size_t count)
{
    struct postgres_session *self = self_of(events);

    if (count == 0)
        return;
    postgres_waiters_wake(&self->waiters, ids, count);
    postgres_outbox_add(&self->outbox, ids, count);
    postgres_session_call(self, POSTGRES_CALL_ENDED);
}

static uint64_t events_watch(struct tc_task_events *events, const struct tc_id *id)
{
    return atomic_load(&shard_of(&self_of(events)->waiters, id)->sequence);
}

static void enlist(struct postgres_shard *shard, struct postgres_waiter *waiter)
{
    waiter->next = shard->waiters;
    waiter->place = &shard->waiters;
    if (waiter->next)
        waiter->next->place = &waiter->next;
    shard->waiters = waiter;
    atomic_fetch_add(&shard->waiter_count, 1);
}

static void strike_off(struct postgres_shard *shard, struct postgres_waiter *waiter)
{
    atomic_fetch_sub(&shard->waiter_count, 1);
    *waiter->place = waiter->next;
    if (waiter->next)
        waiter->next->place = waiter->place;
}

static void sleep_until_called(struct postgres_waiters *waiters, struct postgres_shard *shard,
                               struct postgres_waiter *waiter, uint64_t ticket, int64_t wait_ms)
{
    struct timespec end = postgres_wait_end(wait_ms);
    int over = 0;

    pthread_mutex_lock(&shard->mutex);
    enlist(shard, waiter);
    if (atomic_load(&shard->sequence) == ticket && !atomic_load(&waiters->interrupted))
        while (over == 0 && !waiter->called)
            over = pthread_cond_timedwait(&waiter->call, &shard->mutex, &end);
    strike_off(shard, waiter);
    pthread_mutex_unlock(&shard->mutex);
}

/* The thread enters this process and then wakes everyone who has been waiting until then. */
static void stay(struct postgres_session *self, struct postgres_shard *shard,
                 struct postgres_waiter *waiter, uint64_t ticket, int64_t wait_ms)
{
    struct postgres_waiters *waiters = &self->waiters;

    atomic_fetch_add(&waiters->count, 1);
    if (!self->pooler && !atomic_load(&self->entered_ended))
        postgres_session_call(self, POSTGRES_CALL_ENTRY);
    sleep_until_called(waiters, shard, waiter, ticket, wait_ms);
    atomic_store(&waiters->left_us, postgres_tick_us());
    atomic_fetch_sub(&waiters->count, 1);
}

static void events_wait(struct tc_task_events *events, const struct tc_id *id, uint64_t *ticket,
                        int64_t wait_ms)
{
    struct postgres_session *self = self_of(events);
    struct postgres_shard *shard = shard_of(&self->waiters, id);
    struct postgres_waiter waiter = { .id = *id };

    if (self->pooler && wait_ms > POOLER_WAIT_MS)
        wait_ms = POOLER_WAIT_MS;
    if (wait_ms > 0 && atomic_load(&shard->sequence) == *ticket &&
        postgres_init_cond(&waiter.call)) {
        stay(self, shard, &waiter, *ticket, wait_ms);
        pthread_cond_destroy(&waiter.call);
    }
    *ticket = atomic_load(&self->waiters.interrupted) ? TC_EVENTS_INTERRUPTED
                                                      : atomic_load(&shard->sequence);
}

static void events_interrupt(struct tc_task_events *events)
{
    struct postgres_waiters *waiters = &self_of(events)->waiters;

    atomic_store(&waiters->interrupted, true);
    postgres_waiters_wake_all(waiters);
}

const struct tc_task_events_ops postgres_task_events_ops = {
    .notify = events_notify,
    .watch = events_watch,
    .wait = events_wait,
    .interrupt = events_interrupt,
};
