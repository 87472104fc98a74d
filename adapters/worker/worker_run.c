#include "adapters/worker/worker_internal.h"

#include "core/domain/container_of.h"
#include "ports/clock.h"

#include <stdlib.h>
#include <string.h>

#define RUNNER_STACK_SIZE ((size_t)2 * 1024 * 1024)

static struct attempt *attempt_of(struct tc_run *run)
{
    return TC_CONTAINER_OF(run, struct attempt, base);
}

static enum tc_stop_reason run_should_stop(struct tc_run *run)
{
    return (enum tc_stop_reason)atomic_load(&attempt_of(run)->stop);
}

static void run_sleep_ms(struct tc_run *run, int64_t ms)
{
    struct attempt *attempt = attempt_of(run);
    struct worker *worker = attempt->worker;
    int64_t end_us = worker_now_us() + (ms > 0 ? ms : 0) * 1000;

    pthread_mutex_lock(&worker->lock);
    while (atomic_load(&attempt->stop) == TC_STOP_NONE && worker_now_us() < end_us)
        worker_wait_until(worker, &attempt->runner->told, end_us);
    pthread_mutex_unlock(&worker->lock);
}

static bool run_progress(struct tc_run *run, struct tc_bytes json)
{
    struct attempt *attempt = attempt_of(run);
    char *copy = json.len <= TC_PROGRESS_MAX ? malloc(json.len + 1) : NULL;
    char *old;

    if (!copy)
        return false;
    if (json.len > 0)
        memcpy(copy, json.data, json.len);
    pthread_mutex_lock(&attempt->worker->lock);
    old = attempt->progress;
    attempt->progress = copy;
    attempt->progress_len = json.len;
    pthread_mutex_unlock(&attempt->worker->lock);
    free(old);
    return true;
}

static void run_log(struct tc_run *run, const char *message)
{
    const struct tc_log_subject subject = { .task_id = &run->task->id };

    tc_log(attempt_of(run)->worker->ports.logger, TC_LOG_INFO, &subject, "%s", message);
}

static const struct tc_run_ops run_ops = {
    .should_stop = run_should_stop,
    .sleep_ms = run_sleep_ms,
    .progress = run_progress,
    .log = run_log,
};

static int compare_types(const void *key, const void *entry)
{
    return strcmp(key, ((const struct tc_handler_entry *)entry)->type);
}

static struct tc_handler *find_handler(const struct worker *worker, const char *type)
{
    const struct tc_handler_entry *entry =
        bsearch(type, worker->handlers, worker->config.handler_count, sizeof(*worker->handlers),
                compare_types);

    return entry ? entry->handler : NULL;
}

/* The lock is held. */
static void begin(struct worker *worker, struct runner *runner, struct attempt *attempt)
{
    int64_t now_us = worker_now_us();

    attempt->base = (struct tc_run){
        .ops = &run_ops,
        .task = &attempt->task,
        .deadline_tick_ms = tc_clock_tick_ms(worker->ports.clock) + attempt->task.timeout_ms,
    };
    attempt->state = ATTEMPT_RUNNING;
    attempt->refs++;
    attempt->runner = runner;
    attempt->started_us = now_us;
    attempt->deadline_us = now_us + attempt->task.timeout_ms * 1000;
    runner->attempt = attempt;
    worker->busy++;
    worker->running++;
    worker_watch_by(worker, attempt->deadline_us);
    if (worker->ready.count > 0 && worker->idle > 0)
        pthread_cond_signal(&worker->work);
    worker_tell_room(worker);
}

/* A task that was lost while it waited for a runner. The lock is given up for a moment. */
static void discard(struct worker *worker, struct attempt *attempt)
{
    struct attempt *chain = NULL;

    attempt_unhold(worker, attempt, &chain);
    pthread_mutex_unlock(&worker->lock);
    attempts_retire(worker, chain);
    pthread_mutex_lock(&worker->lock);
}

/* Wait for a task; NULL: the worker closes. The lock is held. */
static struct attempt *take(struct worker *worker, struct runner *runner)
{
    for (;;) {
        struct attempt *attempt = attempt_queue_pop(&worker->ready);

        if (attempt && atomic_load(&attempt->stop) == TC_STOP_NONE) {
            begin(worker, runner, attempt);
            return attempt;
        }
        if (attempt) {
            discard(worker, attempt);
            continue;
        }
        if (worker->closing)
            return NULL;
        worker->idle++;
        pthread_cond_wait(&worker->work, &worker->lock);
        worker->idle--;
    }
}

/* Call the handler. The lock is not held. */
static struct tc_report run(struct worker *worker, struct attempt *attempt)
{
    struct tc_handler *handler = find_handler(worker, attempt->task.type);
    struct tc_report report = tc_report_done();

    if (!handler) /* a store that does not keep to the claim */
        return attempt_given_back(60000);
    handler->ops->run(handler, &attempt->base, &report);
    return report;
}

/* What the return of a handler means for an attempt whose end was not known before. */
static void judge(struct worker *worker, struct attempt *attempt, struct tc_report *report,
                  int64_t now_us)
{
    if (atomic_load(&attempt->stop) == TC_STOP_SHUTDOWN) {
        attempt_report(worker, attempt, attempt_given_back(0));
    } else if (now_us >= attempt->deadline_us) {
        attempt_report(worker, attempt, attempt_timed_out());
    } else {
        attempt_report(worker, attempt, *report);
        *report = (struct tc_report){ 0 }; /* it is the attempt's now */
    }
}

static void learn(struct worker *worker, int64_t run_us)
{
    if (run_us < 1)
        run_us = 1;
    worker->run_us += worker->run_us == 0 ? run_us : (run_us - worker->run_us) / 8;
}

/* The handler is back. False: this thread is one too many. The lock is held. */
static bool end(struct worker *worker, struct runner *runner, struct tc_report *report,
                struct attempt **chain)
{
    struct attempt *attempt = runner->attempt;
    int64_t now_us = worker_now_us();

    runner->attempt = NULL;
    learn(worker, now_us - attempt->started_us);
    if (attempt->state == ATTEMPT_RUNNING)
        judge(worker, attempt, report, now_us);
    attempt_unref(attempt, chain);
    if (!runner->stuck) {
        worker->busy--;
    } else {
        worker->stuck--;
        if (worker->active >= worker->config.slots)
            return false;
        runner->stuck = false;
        worker->active++;
    }
    worker_tell_room(worker);
    return true;
}

static void measure(struct worker *worker, const struct attempt *attempt)
{
    static const double buckets[] = { 0.0001, 0.001, 0.01, 0.1, 1, 10, 60, 300, 3600 };
    static const struct tc_metric run_seconds = {
        .name = "taskcore_run_seconds",
        .help = "How long handlers ran",
        .kind = TC_METRIC_HISTOGRAM,
        .labels = { "type" },
        .buckets = buckets,
        .bucket_count = sizeof(buckets) / sizeof(buckets[0]),
    };

    if (worker->ports.metrics)
        tc_metrics_record(worker->ports.metrics, &run_seconds, attempt->task.type, NULL,
                          (double)(worker_now_us() - attempt->started_us) / 1e6);
}

/* Free what ended with the handler's return. The lock is given up for a moment. */
static void clean_up(struct worker *worker, struct attempt *chain, struct tc_report *report)
{
    if (!chain && !report->result_storage && !report->message_storage)
        return;
    pthread_mutex_unlock(&worker->lock);
    attempts_retire(worker, chain);
    tc_report_release(report);
    pthread_mutex_lock(&worker->lock);
}

static void *run_main(void *arg)
{
    struct runner *runner = arg;
    struct worker *worker = runner->worker;
    struct attempt *attempt;
    bool stays = true;

    pthread_mutex_lock(&worker->lock);
    while (stays && (attempt = take(worker, runner))) {
        struct attempt *chain = NULL;

        pthread_mutex_unlock(&worker->lock);

        struct tc_report report = run(worker, attempt);

        measure(worker, attempt);
        pthread_mutex_lock(&worker->lock);
        stays = end(worker, runner, &report, &chain);
        clean_up(worker, chain, &report);
    }
    if (!runner->stuck)
        worker->active--;
    runner->stuck = false;
    worker_thread_leave(worker, &runner->thread);
    return NULL;
}

/* A place for a thread; one that ended there is joined. NULL: as many as there may be. */
static struct runner *vacant(struct worker *worker)
{
    for (size_t i = 0; i < worker->runner_max; i++) {
        struct runner *runner = &worker->runners[i];

        if (runner->thread.state == THREAD_ENDED) {
            pthread_join(runner->thread.id, NULL); /* it has given up the lock: no wait */
            runner->thread.state = THREAD_NONE;
        }
        if (runner->thread.state == THREAD_NONE)
            return runner;
    }
    return NULL;
}

void worker_spawn_runners(struct worker *worker)
{
    while (worker->active < worker->config.slots && !worker->closing) {
        struct runner *runner = vacant(worker);

        if (!runner ||
            !worker_thread_start(worker, &runner->thread, RUNNER_STACK_SIZE, run_main, runner))
            return;
        worker->active++;
    }
    worker_tell_room(worker);
}
