#include "adapters/local/local_task_queue.h"

#include "adapters/local/local_wait.h"
#include "core/domain/container_of.h"

#include <stdatomic.h>
#include <stdlib.h>

/* The bell's state: a set of these. */
#define RUNG        1u
#define WAITING     2u /* the receiver sleeps, or is about to */
#define INTERRUPTED 4u

struct local_task_queue {
    struct tc_task_queue base;
    _Atomic unsigned bell;
    pthread_mutex_t mutex; /* between "nothing has rung" and the sleep */
    pthread_cond_t rung;
};

static struct local_task_queue *self_of(struct tc_task_queue *queue)
{
    return TC_CONTAINER_OF(queue, struct local_task_queue, base);
}

/* Only the first to ring wakes the receiver; those who come before it has woken up find
 * their ring, or an interrupt, there already. */
static void ring(struct local_task_queue *self, unsigned how)
{
    if (atomic_fetch_or(&self->bell, how) != WAITING)
        return;
    pthread_mutex_lock(&self->mutex);
    pthread_cond_signal(&self->rung);
    pthread_mutex_unlock(&self->mutex);
}

static enum tc_code local_publish(struct tc_task_queue *queue, const struct tc_hint *hints,
                                  size_t count, struct tc_error *err)
{
    (void)hints;
    (void)count;
    (void)err;
    ring(self_of(queue), RUNG);
    return TC_OK;
}

/* A bell keeps nothing: what it was told it has. */
static enum tc_code local_deliver(struct tc_task_queue *queue, const struct tc_hint *hints,
                                  size_t count, int64_t wait_ms, struct tc_error *err)
{
    (void)wait_ms;
    return local_publish(queue, hints, count, err);
}

static void sleep_until_rung(struct local_task_queue *self, int64_t wait_ms)
{
    struct timespec end = local_wait_end(wait_ms);
    unsigned silent = 0;
    int over = 0;

    pthread_mutex_lock(&self->mutex);
    if (atomic_compare_exchange_strong(&self->bell, &silent, WAITING))
        while (over == 0 && atomic_load(&self->bell) == WAITING)
            over = pthread_cond_timedwait(&self->rung, &self->mutex, &end);
    pthread_mutex_unlock(&self->mutex);
}

static enum tc_code local_receive(struct tc_task_queue *queue, int64_t wait_ms, size_t max,
                                  struct tc_hint *ret_hints, struct tc_delivery *ret_delivery,
                                  struct tc_error *err)
{
    struct local_task_queue *self = self_of(queue);
    unsigned heard;

    (void)max;
    (void)ret_hints;
    (void)err;
    if (wait_ms > 0)
        sleep_until_rung(self, wait_ms);
    heard = atomic_exchange(&self->bell, 0);
    *ret_delivery = (struct tc_delivery){ .look = (heard & RUNG) != 0 };
    return TC_OK;
}

static enum tc_code local_commit(struct tc_task_queue *queue, uint64_t receipt,
                                 struct tc_error *err)
{
    (void)queue;
    (void)receipt;
    (void)err;
    return TC_OK;
}

static void local_interrupt(struct tc_task_queue *queue)
{
    ring(self_of(queue), INTERRUPTED);
}

enum tc_code local_task_queue_open(struct tc_task_queue **ret_queue, struct tc_error *err)
{
    static const struct tc_task_queue_ops ops = {
        .name = "local",
        .publish = local_publish,
        .deliver = local_deliver,
        .receive = local_receive,
        .commit = local_commit,
        .interrupt = local_interrupt,
    };
    struct local_task_queue *self = calloc(1, sizeof(*self));

    if (!self)
        return tc_fail(err, TC_NO_MEMORY, "a local task queue");
    if (!local_wait_init(&self->mutex, &self->rung)) {
        free(self);
        return tc_fail(err, TC_INTERNAL, "no mutex or condition for a local task queue");
    }
    self->base.ops = &ops;
    *ret_queue = &self->base;
    return TC_OK;
}

void local_task_queue_close(struct tc_task_queue *queue)
{
    if (!queue)
        return;

    struct local_task_queue *self = self_of(queue);

    pthread_cond_destroy(&self->rung);
    pthread_mutex_destroy(&self->mutex);
    free(self);
}
