#include "adapters/worker/worker_internal.h"

#include "ports/task_queue.h"

#define STOP_WAIT_US   INT64_C(1000000) /* for handlers that were told to stop */
#define REPORT_WAIT_US INT64_C(800000)  /* for the store, behind that */

/* Nothing more is taken, what has not begun goes back. The lock is held. */
static void start(struct worker *worker, int64_t end_us)
{
    worker->draining = true;
    worker->drain_end_us = end_us;
    attempts_release_ready(worker);
    pthread_cond_broadcast(&worker->room);
    pthread_cond_broadcast(&worker->report);
    pthread_mutex_unlock(&worker->lock);
    worker->ports.queue->ops->interrupt(worker->ports.queue);
    pthread_mutex_lock(&worker->lock);
}

/* Wait until nothing runs, or for `grace_us` behind the drain's end, which may come nearer.
 * The lock is held. */
static void await_running(struct worker *worker, int64_t grace_us)
{
    while (worker->running > 0 && worker_now_us() < worker->drain_end_us + grace_us)
        worker_wait_until(worker, &worker->changed, worker->drain_end_us + grace_us);
}

static void tell_all_to_stop(struct worker *worker)
{
    for (struct attempt *attempt = worker->held; attempt; attempt = attempt->next)
        if (attempt->state == ATTEMPT_RUNNING && atomic_load(&attempt->stop) == TC_STOP_NONE)
            attempt_stop(worker, attempt, TC_STOP_SHUTDOWN);
}

/* Handlers that ignore the stop are left behind; fencing keeps them harmless. */
static void give_back_running(struct worker *worker)
{
    for (struct attempt *attempt = worker->held; attempt; attempt = attempt->next)
        if (attempt->state == ATTEMPT_RUNNING)
            attempt_report(worker, attempt, attempt_given_back(0));
}

static bool is_over(const struct worker *worker)
{
    return worker->held_count == 0 && worker->fetcher.state != THREAD_ALIVE;
}

bool worker_drain(struct worker *worker, int64_t drain_ms)
{
    int64_t end_us = worker_now_us() + (drain_ms > 0 ? drain_ms : 0) * 1000;

    pthread_mutex_lock(&worker->lock);
    if (!worker->draining)
        start(worker, end_us);
    if (end_us < worker->drain_end_us)
        worker->drain_end_us = end_us;
    pthread_cond_broadcast(&worker->changed);

    await_running(worker, 0);
    tell_all_to_stop(worker);
    await_running(worker, STOP_WAIT_US);
    give_back_running(worker);

    int64_t grace_us = STOP_WAIT_US + REPORT_WAIT_US;

    while (!is_over(worker) && worker_now_us() < worker->drain_end_us + grace_us)
        worker_wait_until(worker, &worker->changed, worker->drain_end_us + grace_us);

    bool over = is_over(worker);

    pthread_mutex_unlock(&worker->lock);
    return over;
}
