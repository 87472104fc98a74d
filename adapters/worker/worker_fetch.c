#include "adapters/worker/worker_internal.h"

#include "core/usecases/claim_tasks.h"
#include "ports/clock.h"
#include "ports/task_queue.h"

#include <assert.h>
#include <stdlib.h>

#define LOOK_MIN_US    250000 /* hints may be lost, or be with others: looks find the tasks */
#define LOOK_MAX_US    1000000
#define BACKOFF_MIN_US 50000
#define BACKOFF_MAX_US 1000000

/* The fetcher's own, on its thread. */
struct fetch {
    struct worker *worker;
    struct tc_task *tasks;    /* room for WORKER_GROUP_MAX */
    struct attempt *attempts; /* made before the claim: what was claimed always has a place */
    size_t attempt_count;
    struct tc_hint *hints; /* room for WORKER_GROUP_MAX */
    struct tc_id *ids;     /* likewise */
    bool look;             /* something may wait in the store */
    int64_t looked_us;
    int64_t look_every_us; /* grows while looks find nothing */
    int64_t backoff_us;    /* 0: the last claim went well */
};

size_t worker_wanted(const struct worker *worker)
{
    size_t free = worker->active - worker->busy;
    size_t prefetch =
        tc_prefetch_count(worker->config.slots, worker->run_us, WORKER_PREFETCH_MAX);
    size_t ready = worker->ready.count;

    if (worker->draining || worker->reports.count >= WORKER_REPORTS_MAX)
        return 0;
    /* Refill when half of what was claimed ahead is gone, not for each task. */
    if (ready >= free && ready * 2 > prefetch)
        return 0;

    size_t wanted = free + prefetch > ready ? free + prefetch - ready : 0;

    return wanted > WORKER_GROUP_MAX ? WORKER_GROUP_MAX : wanted;
}

void worker_tell_room(struct worker *worker)
{
    if (!worker->fetcher_waits || (worker_wanted(worker) == 0 && !worker->draining))
        return;
    worker->fetcher_waits = false;
    pthread_cond_signal(&worker->room);
}

/* Make attempts for `wanted` tasks. The lock is held. Returns how many there are. */
static size_t prepare(struct fetch *fetch, size_t wanted)
{
    while (fetch->attempt_count < wanted) {
        struct attempt *attempt = attempt_new(fetch->worker);

        if (!attempt)
            break;
        attempt->queued = fetch->attempts;
        fetch->attempts = attempt;
        fetch->attempt_count++;
    }
    return fetch->attempt_count < wanted ? fetch->attempt_count : wanted;
}

/* Wait until there is room. 0: the worker drains. */
static size_t await_room(struct fetch *fetch)
{
    struct worker *worker = fetch->worker;
    size_t wanted = 0;

    pthread_mutex_lock(&worker->lock);
    while (!worker->draining) {
        wanted = worker_wanted(worker);
        if (wanted > 0)
            wanted = prepare(fetch, wanted);
        if (wanted > 0)
            break;
        worker->fetcher_waits = true;
        pthread_cond_wait(&worker->room, &worker->lock);
        worker->fetcher_waits = false;
    }
    if (worker->draining)
        wanted = 0;
    pthread_mutex_unlock(&worker->lock);
    return wanted;
}

/* A claimed task becomes an attempt that waits for a runner. The lock is held. */
static void add(struct fetch *fetch, const struct tc_task *task, int64_t claimed_us)
{
    struct worker *worker = fetch->worker;
    struct attempt *attempt = fetch->attempts;

    assert(attempt); /* prepare() made one for each task that could come */
    fetch->attempts = attempt->queued;
    fetch->attempt_count--;
    *attempt = (struct attempt){ .worker = worker,
                                 .task = *task,
                                 .state = ATTEMPT_READY,
                                 .renewed_us = claimed_us,
                                 .started_us = claimed_us };
    attempt_hold(worker, attempt);
    if (worker->draining)
        attempt_report(worker, attempt, attempt_given_back(0));
    else
        attempt_queue_push(&worker->ready, attempt);
}

static void hand_over(struct fetch *fetch, size_t count, int64_t claimed_us)
{
    struct worker *worker = fetch->worker;

    pthread_mutex_lock(&worker->lock);
    for (size_t i = 0; i < count; i++)
        add(fetch, &fetch->tasks[i], claimed_us);
    /* One runner is enough: who takes a task wakes the next if there is more. */
    if (worker->idle > 0)
        pthread_cond_signal(&worker->work);
    if (worker->ready.count > worker->active - worker->busy)
        worker_watch_by(worker, worker_now_us() + worker->config.ahead_ms * 1000);
    pthread_mutex_unlock(&worker->lock);
}

/* The store failed: wait, each time longer, but not through a drain. */
static void back_off(struct fetch *fetch)
{
    struct worker *worker = fetch->worker;

    fetch->backoff_us = fetch->backoff_us ? fetch->backoff_us * 2 : BACKOFF_MIN_US;
    if (fetch->backoff_us > BACKOFF_MAX_US)
        fetch->backoff_us = BACKOFF_MAX_US;

    int64_t end_us = worker_now_us() + fetch->backoff_us;

    pthread_mutex_lock(&worker->lock);
    while (!worker->draining && worker_now_us() < end_us)
        worker_wait_until(worker, &worker->room, end_us);
    pthread_mutex_unlock(&worker->lock);
}

/* Claim what waits: any (`id_count` 0), or these. False: the store failed. */
static bool claim(struct fetch *fetch, size_t wanted, size_t id_count, size_t *ret_count)
{
    struct worker *worker = fetch->worker;
    const struct worker_config *config = &worker->config;
    struct tc_claim claim = {
        .owner = config->owner,
        .of_process = true,
        .queues = config->queues,
        .queue_count = config->queue_count,
        .types = worker->types,
        .type_count = config->handler_count,
        .ids = fetch->ids,
        .id_count = id_count,
        .max = wanted,
    };
    int64_t now_us = worker_now_us();
    struct tc_error err;
    size_t count = 0;
    enum tc_code code = tc_claim_tasks(worker->ports.leases, worker->ports.policy, &claim,
                                       fetch->tasks, &count, &err);

    worker_note_store(worker, code, &err);
    if (code != TC_OK) {
        back_off(fetch);
        return false;
    }
    fetch->backoff_us = 0;
    if (count > 0) {
        fetch->look_every_us = LOOK_MIN_US;
        hand_over(fetch, count, now_us);
    }
    *ret_count = count;
    return true;
}

/* Wait for hints until the next look is due, and take what they name. */
static void listen(struct fetch *fetch, size_t wanted)
{
    struct worker *worker = fetch->worker;
    struct tc_task_queue *queue = worker->ports.queue;
    int64_t rest_us = fetch->looked_us + fetch->look_every_us - worker_now_us();
    struct tc_delivery delivery = { 0 };
    struct tc_error err;
    size_t count = 0;

    if (rest_us <= 0) {
        fetch->look = true;
        return;
    }

    enum tc_code code = queue->ops->receive(queue, (rest_us + 999) / 1000, wanted, fetch->hints,
                                            &delivery, &err);

    if (code != TC_OK) {
        tc_log(worker->ports.logger, TC_LOG_WARN, NULL, "receiving from the queue: %s",
               err.message);
        back_off(fetch);
        return;
    }
    fetch->look = delivery.look;
    if (delivery.count == 0)
        return;
    for (size_t i = 0; i < delivery.count; i++)
        fetch->ids[i] = fetch->hints[i].id;
    /* Behind the claim and never behind the work: from here on the lease is the truth. */
    if (claim(fetch, wanted, delivery.count, &count))
        (void)!queue->ops->commit(queue, delivery.receipt, &err);
}

static void look(struct fetch *fetch, size_t wanted)
{
    size_t count = wanted; /* when the store fails: what waits there still does */

    fetch->looked_us = worker_now_us();
    if (claim(fetch, wanted, 0, &count) && count == 0 && fetch->look_every_us < LOOK_MAX_US)
        fetch->look_every_us *= 2;
    fetch->look = count == wanted;
}

static void fetch_until_drained(struct fetch *fetch)
{
    size_t wanted;

    while ((wanted = await_room(fetch)) > 0) {
        if (fetch->look)
            look(fetch, wanted);
        else
            listen(fetch, wanted);
    }
}

static bool has_memory(const struct fetch *fetch)
{
    return fetch->tasks && fetch->hints && fetch->ids;
}

void *worker_fetch_main(void *arg)
{
    struct worker *worker = arg;
    struct fetch fetch = {
        .worker = worker,
        .tasks = malloc(WORKER_GROUP_MAX * sizeof(*fetch.tasks)),
        .hints = malloc(WORKER_GROUP_MAX * sizeof(*fetch.hints)),
        .ids = malloc(WORKER_GROUP_MAX * sizeof(*fetch.ids)),
        .look = true,
        .look_every_us = LOOK_MIN_US,
    };

    if (has_memory(&fetch))
        fetch_until_drained(&fetch);
    else
        tc_log(worker->ports.logger, TC_LOG_ERROR, NULL, "no memory to fetch tasks");
    free(fetch.tasks);
    free(fetch.hints);
    free(fetch.ids);
    while (fetch.attempts) {
        struct attempt *next = fetch.attempts->queued;

        free(fetch.attempts);
        fetch.attempts = next;
    }
    pthread_mutex_lock(&worker->lock);
    worker_thread_leave(worker, &worker->fetcher);
    return NULL;
}
