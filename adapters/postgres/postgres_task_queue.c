/* The queue port: a bell. Hints of other processes arrive by NOTIFY, those of this one here. */

#include "adapters/postgres/postgres_session_internal.h"
#include "adapters/postgres/postgres_timed_wait.h"
#include "core/domain/container_of.h"

/* The bell's state: a set of these. */
#define RUNG        1u
#define WAITING     2u /* the receiver sleeps, or is about to */
#define INTERRUPTED 4u

#define LOOK_EVERY_US 1000000 /* behind a pooler nobody can tell us */

static struct postgres_session *self_of(struct tc_task_queue *queue)
{
    return TC_CONTAINER_OF(queue, struct postgres_session, queue);
}

bool postgres_bell_init(struct postgres_bell *bell)
{
    if (pthread_mutex_init(&bell->mutex, NULL) != 0)
        return false;
    if (!postgres_init_cond(&bell->rung)) {
        pthread_mutex_destroy(&bell->mutex);
        return false;
    }
    bell->left_us = INT64_MIN / 2;
    bell->looked_us = postgres_tick_us();
    return true;
}

void postgres_bell_release(struct postgres_bell *bell)
{
    pthread_cond_destroy(&bell->rung);
    pthread_mutex_destroy(&bell->mutex);
}

/* The load spares the others the cache line while a ring waits to be heard. It is safe: the
 * ring that it saw is taken out later, and the look into the store comes after that. */
static void ring(struct postgres_bell *bell, unsigned how)
{
    if (atomic_load(&bell->state) & how)
        return;
    if (atomic_fetch_or(&bell->state, how) != WAITING)
        return;
    pthread_mutex_lock(&bell->mutex);
    pthread_cond_signal(&bell->rung);
    pthread_mutex_unlock(&bell->mutex);
}

void postgres_bell_ring(struct postgres_bell *bell)
{
    ring(bell, RUNG);
}

static enum tc_code queue_publish(struct tc_task_queue *queue, const struct tc_hint *hints,
                                  size_t count, struct tc_error *err)
{
    struct postgres_session *self = self_of(queue);

    (void)hints;
    (void)count;
    (void)err;
    ring(&self->bell, RUNG);
    postgres_session_call(self, POSTGRES_CALL_READY);
    return TC_OK;
}

/* A bell keeps nothing: what it was told it has. */
static enum tc_code queue_deliver(struct tc_task_queue *queue, const struct tc_hint *hints,
                                  size_t count, int64_t wait_ms, struct tc_error *err)
{
    (void)wait_ms;
    return queue_publish(queue, hints, count, err);
}

/* The thread enters this process and then rings: this receive() ends and says "look". Until
 * then, or when the database is away, it simply sleeps. */
static void sleep_until_rung(struct postgres_session *self, int64_t wait_ms)
{
    struct postgres_bell *bell = &self->bell;
    struct timespec end = postgres_wait_end(wait_ms);
    unsigned silent = 0;
    int over = 0;

    if (atomic_load(&bell->state) != 0)
        return;
    atomic_store(&bell->receiving, true);
    if (!self->pooler && !atomic_load(&self->entered_ready))
        postgres_session_call(self, POSTGRES_CALL_ENTRY);
    pthread_mutex_lock(&bell->mutex);
    if (atomic_compare_exchange_strong(&bell->state, &silent, WAITING))
        while (over == 0 && atomic_load(&bell->state) == WAITING)
            over = pthread_cond_timedwait(&bell->rung, &bell->mutex, &end);
    pthread_mutex_unlock(&bell->mutex);
    atomic_store(&bell->left_us, postgres_tick_us());
    atomic_store(&bell->receiving, false);
}

/* How long to sleep behind a pooler. */
static int64_t until_look_ms(const struct postgres_bell *bell, int64_t wait_ms)
{
    int64_t rest_us = bell->looked_us + LOOK_EVERY_US - postgres_tick_us();
    int64_t rest_ms = rest_us > 0 ? (rest_us + 999) / 1000 : 0;

    return rest_ms < wait_ms ? rest_ms : wait_ms;
}

/* Behind a pooler: whether a second has passed since the last word to look. */
static bool is_look_due(struct postgres_bell *bell, bool look)
{
    int64_t now_us = postgres_tick_us();

    if (!look && now_us - bell->looked_us < LOOK_EVERY_US)
        return false;
    bell->looked_us = now_us;
    return true;
}

static enum tc_code queue_receive(struct tc_task_queue *queue, int64_t wait_ms, size_t max,
                                  struct tc_hint *ret_hints, struct tc_delivery *ret_delivery,
                                  struct tc_error *err)
{
    struct postgres_session *self = self_of(queue);
    unsigned heard;
    bool look;

    (void)max;
    (void)ret_hints;
    (void)err;
    if (self->pooler)
        wait_ms = until_look_ms(&self->bell, wait_ms);
    if (wait_ms > 0)
        sleep_until_rung(self, wait_ms);
    heard = atomic_exchange(&self->bell.state, 0);
    look = (heard & RUNG) != 0;
    if (self->pooler && !(heard & INTERRUPTED))
        look = is_look_due(&self->bell, look);
    *ret_delivery = (struct tc_delivery){ .look = look };
    return TC_OK;
}

static enum tc_code queue_commit(struct tc_task_queue *queue, uint64_t receipt,
                                 struct tc_error *err)
{
    (void)queue;
    (void)receipt;
    (void)err;
    return TC_OK;
}

static void queue_interrupt(struct tc_task_queue *queue)
{
    ring(&self_of(queue)->bell, INTERRUPTED);
}

const struct tc_task_queue_ops postgres_task_queue_ops = {
    .name = "postgres",
    .publish = queue_publish,
    .deliver = queue_deliver,
    .receive = queue_receive,
    .commit = queue_commit,
    .interrupt = queue_interrupt,
};
