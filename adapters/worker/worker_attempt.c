#include "adapters/worker/worker_internal.h"

#include <stdlib.h>

struct attempt *attempt_new(struct worker *worker)
{
    struct attempt *attempt = worker->spares;

    if (attempt) {
        worker->spares = attempt->queued;
        worker->spare_count--;
        return attempt;
    }
    return malloc(sizeof(*attempt));
}

void attempt_hold(struct worker *worker, struct attempt *attempt)
{
    attempt->refs = 1;
    attempt->prev = NULL;
    attempt->next = worker->held;
    if (worker->held)
        worker->held->prev = attempt;
    worker->held = attempt;
    worker->held_count++;
}

void attempt_unref(struct attempt *attempt, struct attempt **chain)
{
    if (--attempt->refs > 0)
        return;
    attempt->queued = *chain;
    *chain = attempt;
}

void attempt_unhold(struct worker *worker, struct attempt *attempt, struct attempt **chain)
{
    if (attempt->prev)
        attempt->prev->next = attempt->next;
    else
        worker->held = attempt->next;
    if (attempt->next)
        attempt->next->prev = attempt->prev;
    worker->held_count--;
    if (worker->draining)
        pthread_cond_broadcast(&worker->changed);
    attempt_unref(attempt, chain);
}

void attempt_queue_push(struct attempt_queue *queue, struct attempt *attempt)
{
    attempt->queued = NULL;
    if (queue->tail)
        queue->tail->queued = attempt;
    else
        queue->head = attempt;
    queue->tail = attempt;
    queue->count++;
}

struct attempt *attempt_queue_pop(struct attempt_queue *queue)
{
    struct attempt *attempt = queue->head;

    if (!attempt)
        return NULL;
    queue->head = attempt->queued;
    if (!queue->head)
        queue->tail = NULL;
    queue->count--;
    return attempt;
}

/* Wake the finisher when it pays: at once when nothing more is to come soon. */
static void tell_finisher(struct worker *worker)
{
    bool first = worker->reports.count == 1;
    bool more_soon = worker->ready.count > 0 && worker->run_us < WORKER_LINGER_US / 4;

    if (!worker->finisher_waits)
        return;
    /* The first one starts the time limit of its group. */
    if (first || !more_soon || worker->reports.count >= WORKER_GROUP_MAX) {
        worker->finisher_waits = false;
        pthread_cond_signal(&worker->report);
    }
}

void attempt_report(struct worker *worker, struct attempt *attempt, struct tc_report report)
{
    if (attempt->state == ATTEMPT_RUNNING)
        worker->running--;
    attempt->state = ATTEMPT_REPORTED;
    attempt->report = report;
    if (worker->reports.count == 0)
        worker->oldest_report_us = worker_now_us();
    attempt_queue_push(&worker->reports, attempt);
    tell_finisher(worker);
    if (worker->draining)
        pthread_cond_broadcast(&worker->changed);
}

struct tc_report attempt_given_back(int64_t delay_ms)
{
    return (struct tc_report){ .kind = TC_REPORT_RELEASED, .delay_ms = delay_ms };
}

struct tc_report attempt_timed_out(void)
{
    return tc_report_failed(TC_REASON_TIMEOUT, true,
                            tc_bytes_of("the handler did not end within timeout_ms"));
}

void attempts_release_ready(struct worker *worker)
{
    struct attempt *attempt;

    while ((attempt = attempt_queue_pop(&worker->ready)))
        attempt_report(worker, attempt, attempt_given_back(0));
}

void attempt_stop(struct worker *worker, struct attempt *attempt, enum tc_stop_reason reason)
{
    static const struct tc_metric stopped_total = {
        .name = "taskcore_runs_stopped_total",
        .help = "Handlers that were told to stop",
        .kind = TC_METRIC_COUNTER,
        .labels = { "reason" },
    };

    attempt->stopped_us = worker_now_us();
    atomic_store(&attempt->stop, reason);
    if (!attempt->runner)
        return;
    pthread_cond_signal(&attempt->runner->told);
    tc_metrics_record(worker->ports.metrics, &stopped_total, tc_stop_reason_name(reason), NULL,
                      1);
}

void attempt_drop(struct worker *worker, struct attempt *attempt, struct attempt **chain)
{
    worker->running--;
    attempt->state = ATTEMPT_DROPPED;
    worker_watch_by(worker, attempt->stopped_us + worker->config.stop_grace_ms * 1000);
    attempt_unhold(worker, attempt, chain);
}

void attempts_retire(struct worker *worker, struct attempt *chain)
{
    struct attempt *surplus = NULL;

    if (!chain)
        return;
    for (struct attempt *attempt = chain; attempt; attempt = attempt->queued) {
        tc_task_release(&attempt->task);
        tc_report_release(&attempt->report);
        free(attempt->progress);
    }
    pthread_mutex_lock(&worker->lock);
    while (chain) {
        struct attempt *next = chain->queued;
        bool keep = worker->spare_count < WORKER_PREFETCH_MAX;
        struct attempt **list = keep ? &worker->spares : &surplus;

        worker->spare_count += keep;
        chain->queued = *list;
        *list = chain;
        chain = next;
    }
    pthread_mutex_unlock(&worker->lock);
    while (surplus) {
        struct attempt *next = surplus->queued;

        free(surplus);
        surplus = next;
    }
}
