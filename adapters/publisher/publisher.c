#include "adapters/publisher/publisher.h"

#include "core/domain/container_of.h"
#include "core/usecases/announce_tasks.h"
#include "ports/logger.h"
#include "ports/metrics.h"
#include "ports/task_queue.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#define DELIVER_MS   INT64_C(5000)
#define SLEEP_MAX_MS INT64_C(1000)
#define AGAIN_MS     INT64_C(100) /* after a failure, doubling up to … */
#define AGAIN_MAX_MS INT64_C(2000)

static const struct tc_metric announced_total = {
    .name = "taskcore_announced_total",
    .help = "Tasks that the queue was told of; one counts again when it is told again.",
    .kind = TC_METRIC_COUNTER,
};

static const struct tc_metric failures_total = {
    .name = "taskcore_announce_failures_total",
    .help = "Announcements that failed, at the store or at the queue, and are tried again.",
    .kind = TC_METRIC_COUNTER,
};

struct publisher {
    struct publisher_ports ports;
    bool pending;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t closing; /* ends a pause; the bell's interrupt ends a wait for tasks */
    bool closed;
    /* The thread's own. */
    struct tc_task_queue told; /* the queue, with an eye on what it answers */
    bool queue_is_away;
    int64_t pause_ms; /* 0: all is well */
};

static enum tc_code deliver_watched(struct tc_task_queue *told, const struct tc_hint *hints,
                                    size_t count, int64_t wait_ms, struct tc_error *err)
{
    struct publisher *self = TC_CONTAINER_OF(told, struct publisher, told);
    struct tc_task_queue *queue = self->ports.queue;
    enum tc_code code = queue->ops->deliver(queue, hints, count, wait_ms, err);

    self->queue_is_away = code != TC_OK;
    return code;
}

static bool is_closed(struct publisher *self)
{
    pthread_mutex_lock(&self->lock);

    bool closed = self->closed;

    pthread_mutex_unlock(&self->lock);
    return closed;
}

static struct timespec after_ms(int64_t ms)
{
    struct timespec end;

    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += (time_t)(ms / 1000);
    end.tv_nsec += (long)(ms % 1000) * 1000000;
    if (end.tv_nsec >= 1000000000) {
        end.tv_sec++;
        end.tv_nsec -= 1000000000;
    }
    return end;
}

/* Does not hear the bell: who is in trouble is not asked more often because there is much to
 * do. */
static void rest(struct publisher *self, int64_t ms)
{
    struct timespec end = after_ms(ms);
    int over = 0;

    pthread_mutex_lock(&self->lock);
    while (!self->closed && over == 0)
        over = pthread_cond_timedwait(&self->closing, &self->lock, &end);
    pthread_mutex_unlock(&self->lock);
}

static void note_failure(struct publisher *self, enum tc_code code, const struct tc_error *err)
{
    tc_metrics_record(self->ports.metrics, &failures_total, NULL, NULL, 1);
    if (self->pause_ms == 0)
        tc_log(self->ports.logger, TC_LOG_WARN, NULL, "announcing fails at the %s: %s: %s",
               self->queue_is_away ? "queue" : "store", tc_code_name(code), err->message);
    self->pause_ms = self->pause_ms == 0 ? AGAIN_MS : 2 * self->pause_ms;
    if (self->pause_ms > AGAIN_MAX_MS)
        self->pause_ms = AGAIN_MAX_MS;
}

/* That nothing is due says nothing of a queue that was away. */
static void note_success(struct publisher *self, const struct tc_announced *announced)
{
    if (announced->tasks > 0)
        tc_metrics_record(self->ports.metrics, &announced_total, NULL, NULL,
                          (double)announced->tasks);
    if (self->pause_ms == 0 || self->queue_is_away)
        return;
    tc_log(self->ports.logger, TC_LOG_INFO, NULL, "announcing works again");
    self->pause_ms = 0;
}

/* Until the bell rings or `next_ms` is over. A bell that fails is one that never rings. */
static void listen(struct publisher *self, int64_t next_ms)
{
    struct tc_task_queue *bell = self->ports.bell;
    int64_t wait_ms = next_ms < 0 || next_ms > SLEEP_MAX_MS ? SLEEP_MAX_MS : next_ms;
    struct tc_delivery delivery;
    struct tc_hint hint;
    struct tc_error err;

    if (wait_ms > 0 && bell->ops->receive(bell, wait_ms, 1, &hint, &delivery, &err) != TC_OK)
        rest(self, wait_ms);
}

static void announce(struct publisher *self)
{
    const struct tc_announce_tasks_ports ports = { self->ports.announcements, &self->told };
    const struct tc_announce_tasks_input input = { .pending = self->pending,
                                                   .max = TC_ANNOUNCEMENT_GROUPS_MAX,
                                                   .deliver_ms = DELIVER_MS };
    struct tc_announced announced;
    struct tc_error err;
    enum tc_code code = tc_announce_tasks(&ports, &input, &announced, &err);

    if (code != TC_OK) {
        note_failure(self, code, &err);
        rest(self, self->pause_ms);
        return;
    }
    note_success(self, &announced);
    listen(self, announced.next_ms);
}

static void *run(void *arg)
{
    struct publisher *self = arg;

    /* So that both are there from the start, for alerts on their growth. */
    tc_metrics_record(self->ports.metrics, &announced_total, NULL, NULL, 0);
    tc_metrics_record(self->ports.metrics, &failures_total, NULL, NULL, 0);
    while (!is_closed(self))
        announce(self);
    return NULL;
}

static bool start(struct publisher *self)
{
    sigset_t every;
    sigset_t before;

    sigfillset(&every);
    pthread_sigmask(SIG_SETMASK, &every, &before);

    bool started = pthread_create(&self->thread, NULL, run, self) == 0;

    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return started;
}

static void release(struct publisher *self)
{
    pthread_cond_destroy(&self->closing);
    pthread_mutex_destroy(&self->lock);
    free(self);
}

enum tc_code publisher_open(const struct publisher_ports *ports, bool pending,
                            struct publisher **ret_publisher, struct tc_error *err)
{
    static const struct tc_task_queue_ops told_ops = { .name = "watched",
                                                       .deliver = deliver_watched };
    struct publisher *self = calloc(1, sizeof(*self));
    pthread_condattr_t monotonic;

    if (!self)
        return tc_fail(err, TC_NO_MEMORY, "a publisher");
    self->ports = *ports;
    self->pending = pending;
    self->told.ops = &told_ops;
    pthread_mutex_init(&self->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&self->closing, &monotonic);
    pthread_condattr_destroy(&monotonic);
    if (!start(self)) {
        release(self);
        return tc_fail(err, TC_UNAVAILABLE, "no thread for a publisher");
    }
    *ret_publisher = self;
    return TC_OK;
}

void publisher_close(struct publisher *publisher)
{
    if (!publisher)
        return;
    pthread_mutex_lock(&publisher->lock);
    publisher->closed = true;
    pthread_cond_signal(&publisher->closing);
    pthread_mutex_unlock(&publisher->lock);
    publisher->ports.bell->ops->interrupt(publisher->ports.bell);
    pthread_join(publisher->thread, NULL);
    release(publisher);
}
