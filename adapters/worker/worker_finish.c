#include "adapters/worker/worker_internal.h"

#include "core/usecases/finish_tasks.h"

#define BACKOFF_MIN_US 10000
#define BACKOFF_MAX_US 1000000
#define TRIES_MAX      3 /* for a report that the store refuses as such */

/* The finisher's own, on its thread. */
struct finish {
    struct worker *worker;
    struct attempt *attempts[WORKER_GROUP_MAX];
    struct tc_finished_run runs[WORKER_GROUP_MAX];
    struct tc_verdict verdicts[WORKER_GROUP_MAX];
    size_t count;
};

/* When may the waiting reports go? In the past: now. The lock is held. */
static int64_t ripe_at(const struct worker *worker)
{
    bool more_soon = worker->ready.count > 0 && worker->run_us < WORKER_LINGER_US / 4;

    if (worker->reports.count == 0)
        return WORKER_NEVER_US;
    if (!more_soon || worker->draining || worker->reports.count >= WORKER_GROUP_MAX)
        return 0;
    return worker->oldest_report_us + WORKER_LINGER_US;
}

/* Wait for reports and take up to a group of them. None: the worker closes. */
static void collect(struct finish *finish)
{
    struct worker *worker = finish->worker;

    finish->count = 0;
    while (!worker->closing || worker->reports.count > 0) {
        int64_t at_us = ripe_at(worker);

        if (at_us < worker_now_us())
            break;
        worker->finisher_waits = true;
        worker_wait_until(worker, &worker->report, at_us);
        worker->finisher_waits = false;
    }
    while (finish->count < WORKER_GROUP_MAX && worker->reports.count > 0) {
        struct attempt *attempt = attempt_queue_pop(&worker->reports);

        finish->attempts[finish->count] = attempt;
        finish->runs[finish->count++] =
            (struct tc_finished_run){ &attempt->task, &attempt->report };
    }
    worker->oldest_report_us = worker_now_us(); /* of those left behind, near enough */
    worker_tell_room(worker);
}

/* Wait before the next try. False: the worker closes, there will be none. */
static bool pause_for(struct worker *worker, int64_t backoff_us)
{
    int64_t end_us = worker_now_us() + backoff_us;

    pthread_mutex_lock(&worker->lock);
    while (!worker->closing && worker_now_us() < end_us)
        worker_wait_until(worker, &worker->report, end_us);

    bool goes_on = !worker->closing;

    pthread_mutex_unlock(&worker->lock);
    return goes_on;
}

static bool is_refusal(enum tc_code code)
{
    return code != TC_OK && code != TC_UNAVAILABLE && code != TC_UNKNOWN &&
           code != TC_NO_MEMORY;
}

/*
 * Tell the store about runs[at..at+count), again and again while it is away: the leases are
 * kept meanwhile, and one that has run out still counts until somebody takes it over.
 */
static enum tc_code tell(struct finish *finish, size_t at, size_t count, int tries_max)
{
    struct worker *worker = finish->worker;
    int64_t backoff_us = BACKOFF_MIN_US;

    for (int refused = 0;;) {
        struct tc_error err;
        enum tc_code code = tc_finish_tasks(&worker->finish_ports, &finish->runs[at], count,
                                            &finish->verdicts[at], &err);

        worker_note_store(worker, code, &err);
        if (code == TC_OK || (is_refusal(code) && ++refused >= tries_max))
            return code;
        if (!pause_for(worker, backoff_us))
            return code;
        backoff_us = backoff_us * 2 > BACKOFF_MAX_US ? BACKOFF_MAX_US : backoff_us * 2;
    }
}

/* The store refuses something in the group: each report by itself, so that one bad one is
 * lost alone. Its lease then ends, and the rescue decides. */
static void tell_singly(struct finish *finish)
{
    struct worker *worker = finish->worker;

    for (size_t i = 0; i < finish->count; i++) {
        const struct tc_log_subject subject = { .task_id = &finish->runs[i].task->id };
        enum tc_code code = tell(finish, i, 1, TRIES_MAX);

        if (code != TC_OK)
            tc_log(worker->ports.logger, TC_LOG_ERROR, &subject,
                   "the end of a run could not be stored: %s", tc_code_name(code));
    }
}

/* They are not held any more, whatever the verdict. */
static void settle(struct finish *finish)
{
    struct worker *worker = finish->worker;
    struct attempt *chain = NULL;

    pthread_mutex_lock(&worker->lock);
    for (size_t i = 0; i < finish->count; i++)
        attempt_unhold(worker, finish->attempts[i], &chain);
    pthread_mutex_unlock(&worker->lock);
    attempts_retire(worker, chain);
}

void *worker_finish_main(void *arg)
{
    struct worker *worker = arg;
    struct finish finish = { .worker = worker };

    pthread_mutex_lock(&worker->lock);
    for (;;) {
        collect(&finish);
        if (finish.count == 0)
            break;
        pthread_mutex_unlock(&worker->lock);
        if (is_refusal(tell(&finish, 0, finish.count, 1)))
            tell_singly(&finish);
        settle(&finish);
        pthread_mutex_lock(&worker->lock);
    }
    worker_thread_leave(worker, &worker->finisher);
    return NULL;
}
