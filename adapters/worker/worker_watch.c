#include "adapters/worker/worker_internal.h"

#define SPAWN_AGAIN_US 1000000
#define SLOW_RUN_US    500000

void worker_watch_by(struct worker *worker, int64_t at_us)
{
    if (at_us >= worker->watch_wake_us)
        return;
    worker->watch_wake_us = at_us;
    pthread_cond_signal(&worker->watch);
}

/* Its thread ignores the stop: it is not counted on any more, another takes its slot. The
 * lock is given up for a moment. */
static void give_up(struct worker *worker, struct runner *runner)
{
    static const struct tc_metric stuck_total = {
        .name = "taskcore_worker_stuck_total",
        .help = "Threads given up because their handler ignored its stop",
        .kind = TC_METRIC_COUNTER,
    };
    struct attempt *attempt = runner->attempt;
    struct attempt *chain = NULL;

    runner->stuck = true;
    worker->stuck++;
    worker->active--;
    worker->busy--;
    tc_metrics_record(worker->ports.metrics, &stuck_total, NULL, NULL, 1);

    /* A log may block: not with the lock held. The reference keeps the task alive. */
    attempt->refs++;
    pthread_mutex_unlock(&worker->lock);

    const struct tc_log_subject subject = { .task_id = &attempt->task.id };

    tc_log(worker->ports.logger, TC_LOG_WARN, &subject,
           "the handler of type '%s' ignores its stop: its thread is given up",
           attempt->task.type);
    pthread_mutex_lock(&worker->lock);
    attempt_unref(attempt, &chain);
    if (!chain)
        return;
    pthread_mutex_unlock(&worker->lock);
    attempts_retire(worker, chain);
    pthread_mutex_lock(&worker->lock);
}

/* What is due for one runner. Returns when to look again. */
static int64_t watch_runner(struct worker *worker, struct runner *runner, int64_t now_us)
{
    struct attempt *attempt = runner->attempt;

    if (!attempt || runner->stuck)
        return WORKER_NEVER_US;

    enum tc_stop_reason stop = (enum tc_stop_reason)atomic_load(&attempt->stop);

    if (stop == TC_STOP_NONE) {
        if (now_us < attempt->deadline_us)
            return attempt->deadline_us;
        attempt_stop(worker, attempt, TC_STOP_TIMEOUT);
        attempt_report(worker, attempt, attempt_timed_out());
    } else if (stop == TC_STOP_SHUTDOWN) {
        return WORKER_NEVER_US; /* worker_drain() sees to it */
    }

    int64_t end_us = attempt->stopped_us + worker->config.stop_grace_ms * 1000;

    if (now_us < end_us)
        return end_us;
    give_up(worker, runner);
    return WORKER_NEVER_US;
}

/* Claimed ahead and still waiting: the guess was wrong, others may have time for them. */
static int64_t watch_ready(struct worker *worker, int64_t now_us)
{
    const struct attempt *oldest = worker->ready.head;

    int64_t ahead_us = worker->config.ahead_ms * 1000;

    if (!oldest)
        return WORKER_NEVER_US;
    if (worker->active > worker->busy) /* somebody is about to take it */
        return now_us + ahead_us;

    int64_t end_us = oldest->started_us + ahead_us;

    if (now_us < end_us)
        return end_us;
    worker->run_us = SLOW_RUN_US; /* they take longer than was thought */
    attempts_release_ready(worker);
    return WORKER_NEVER_US;
}

/* Everything that is due. Returns when the next thing is. The lock is held. */
static int64_t watch_all(struct worker *worker)
{
    int64_t now_us = worker_now_us();
    int64_t next_us = watch_ready(worker, now_us);

    for (size_t i = 0; i < worker->runner_max; i++) {
        int64_t at_us = watch_runner(worker, &worker->runners[i], now_us);

        if (at_us < next_us)
            next_us = at_us;
    }
    worker_spawn_runners(worker);
    /* Threads may be had again, or a stuck one may have ended. */
    if (worker->active < worker->config.slots && now_us + SPAWN_AGAIN_US < next_us)
        next_us = now_us + SPAWN_AGAIN_US;
    return next_us;
}

void *worker_watch_main(void *arg)
{
    struct worker *worker = arg;

    pthread_mutex_lock(&worker->lock);
    while (!worker->closing) {
        worker->watch_wake_us = WORKER_NEVER_US;

        int64_t next_us = watch_all(worker);

        if (next_us < worker->watch_wake_us)
            worker->watch_wake_us = next_us;
        if (worker_now_us() < worker->watch_wake_us)
            worker_wait_until(worker, &worker->watch, worker->watch_wake_us);
    }
    worker_thread_leave(worker, &worker->watcher);
    return NULL;
}
