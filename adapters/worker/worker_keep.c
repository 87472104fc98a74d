#include "adapters/worker/worker_internal.h"

#include "core/usecases/heartbeat_tasks.h"
#include "core/usecases/rescue_tasks.h"
#include "core/usecases/store_status.h"
#include "core/usecases/wake_tasks.h"

#include <stdlib.h>

#define RESCUE_EVERY_US INT64_C(500000)
#define RESCUE_MAX      100
#define WAKE_EVERY_US   INT64_C(200000) /* a due task is claimable within 250 ms */
#define KEYS_EVERY_US   INT64_C(60000000)
#define BEAT_AGAIN_US   INT64_C(1000000)

/* What the keeper does by the clock. */
struct chores {
    int64_t beat_us;
    int64_t rescue_us;
    int64_t wake_us;
    int64_t keys_us;
};

/* One heartbeat: what it says, and of which attempts. */
struct beat {
    struct tc_renewal *renewals;
    struct tc_renewed *renewed;
    struct attempt **attempts; /* each with a reference */
    char **progress;           /* taken from the attempts; owned */
    size_t count;
    size_t max;
};

/*
 * Beats come twice as often as leases are renewed, and pass over what is younger than one
 * beat: so every lease is renewed within its third, and tasks that last milliseconds never.
 */
static int64_t beat_every_us(const struct worker *worker)
{
    return tc_heartbeat_interval_ms(worker->ports.policy->lease_ms) * 1000 / 2;
}

static bool needs_renewal(const struct worker *worker, const struct attempt *attempt,
                          int64_t now_us)
{
    /* Of a lost one that waits for its runner nothing more is to be said. */
    bool is_lost =
        attempt->state == ATTEMPT_READY && atomic_load(&attempt->stop) != TC_STOP_NONE;

    return !is_lost && now_us - attempt->renewed_us >= beat_every_us(worker);
}

static bool beat_init(struct beat *beat, size_t max)
{
    *beat = (struct beat){
        .renewals = calloc(max, sizeof(*beat->renewals)),
        .renewed = calloc(max, sizeof(*beat->renewed)),
        .attempts = malloc(max * sizeof(struct attempt *)),
        .progress = calloc(max, sizeof(char *)),
        .max = max,
    };
    return beat->renewals && beat->renewed && beat->attempts && beat->progress;
}

static void beat_release(struct beat *beat)
{
    for (size_t i = 0; i < beat->count; i++)
        free(beat->progress[i]);
    free(beat->renewals);
    free(beat->renewed);
    free(beat->attempts);
    free(beat->progress);
}

static void beat_add(struct beat *beat, struct attempt *attempt)
{
    size_t i = beat->count++;

    attempt->refs++;
    beat->attempts[i] = attempt;
    beat->progress[i] = attempt->progress;
    attempt->progress = NULL;
    beat->renewals[i] = (struct tc_renewal){
        .id = attempt->task.id,
        .epoch = attempt->task.epoch,
        .progress = { beat->progress[i], beat->progress[i] ? attempt->progress_len : 0 },
    };
}

/* The lock is held. */
static void beat_collect(struct worker *worker, struct beat *beat, int64_t now_us)
{
    struct attempt *attempt = worker->held;

    for (; attempt && beat->count < beat->max; attempt = attempt->next)
        if (needs_renewal(worker, attempt, now_us))
            beat_add(beat, attempt);
}

/* The store says that the lease is gone. The lock is held. */
static void lose(struct worker *worker, struct attempt *attempt, enum tc_stale_reason stale,
                 struct attempt **chain)
{
    bool cancelled = stale == TC_STALE_CANCELLED;

    if (attempt->state != ATTEMPT_READY && attempt->state != ATTEMPT_RUNNING)
        return; /* its report is on the way and will learn the same */
    if (atomic_load(&attempt->stop) == TC_STOP_NONE)
        attempt_stop(worker, attempt, cancelled ? TC_STOP_CANCELLED : TC_STOP_LOST);
    if (attempt->state == ATTEMPT_READY)
        return; /* the next runner throws it away */
    attempt_drop(worker, attempt, chain);
}

/* What the answers mean. The lock is held. */
static void beat_apply(struct worker *worker, struct beat *beat, enum tc_code code,
                       int64_t sent_us, struct attempt **chain)
{
    for (size_t i = 0; i < beat->count; i++) {
        struct attempt *attempt = beat->attempts[i];

        if (code != TC_OK) {
            if (!attempt->progress) { /* no later word: this one goes with the next beat */
                attempt->progress = beat->progress[i];
                beat->progress[i] = NULL;
            }
        } else if (beat->renewed[i].stale == TC_STALE_NONE) {
            attempt->renewed_us = sent_us;
        } else {
            lose(worker, attempt, beat->renewed[i].stale, chain);
        }
        attempt_unref(attempt, chain);
    }
}

/* Renew one group. Returns how many there were. */
static size_t beat_group(struct worker *worker, struct beat *beat, enum tc_code *ret_code)
{
    struct attempt *chain = NULL;
    struct tc_error err;
    int64_t now_us = worker_now_us();

    pthread_mutex_lock(&worker->lock);
    beat_collect(worker, beat, now_us);
    pthread_mutex_unlock(&worker->lock);
    if (beat->count == 0)
        return 0;
    *ret_code = tc_heartbeat_tasks(worker->ports.leases, beat->renewals, beat->count,
                                   beat->renewed, &err);
    worker_note_store(worker, *ret_code, &err);
    pthread_mutex_lock(&worker->lock);
    beat_apply(worker, beat, *ret_code, now_us, &chain);
    pthread_mutex_unlock(&worker->lock);
    attempts_retire(worker, chain);
    return beat->count;
}

static size_t held_count(struct worker *worker)
{
    pthread_mutex_lock(&worker->lock);

    size_t count = worker->held_count;

    pthread_mutex_unlock(&worker->lock);
    return count < TC_LEASE_GROUP_MAX ? count : TC_LEASE_GROUP_MAX;
}

/* Renew every lease that needs it. */
static enum tc_code beat_all(struct worker *worker)
{
    enum tc_code code = TC_OK;
    bool more = true;

    while (more && code == TC_OK) {
        size_t max = held_count(worker);
        struct beat beat;

        if (max == 0)
            return TC_OK;
        if (beat_init(&beat, max))
            more = beat_group(worker, &beat, &code) == TC_LEASE_GROUP_MAX;
        else
            code = TC_NO_MEMORY;
        beat_release(&beat);
    }
    return code;
}

static enum tc_code heartbeat(struct worker *worker, struct chores *chores)
{
    int64_t every_us = beat_every_us(worker);
    int64_t start_us = worker_now_us();
    enum tc_code code = beat_all(worker);
    bool soon = code != TC_OK && every_us > BEAT_AGAIN_US;

    chores->beat_us = start_us + (soon ? BEAT_AGAIN_US : every_us);
    return code;
}

/* Take back what dead workers held. Returns when to do it again. */
static int64_t rescue(struct worker *worker)
{
    struct tc_rescued rescued = { 0 };
    struct tc_error err;
    enum tc_code code = tc_rescue_tasks(&worker->rescue_ports, worker->config.owner, RESCUE_MAX,
                                        &rescued, &err);
    size_t count = rescued.again + rescued.failed;

    worker_note_store(worker, code, &err);
    if (count > 0)
        tc_log(worker->ports.logger, TC_LOG_INFO, NULL,
               "took over %zu tasks whose lease had ended: %zu run again, %zu have failed",
               count, rescued.again, rescued.failed);
    return code == TC_OK && count == RESCUE_MAX ? 0 : worker_now_us() + RESCUE_EVERY_US;
}

/* Returns when to do it again. */
static int64_t wake(struct worker *worker)
{
    struct tc_error err;
    size_t count;
    int64_t next_ms = -1;
    enum tc_code code =
        tc_wake_tasks(worker->ports.leases, worker->ports.queue, &count, &next_ms, &err);

    worker_note_store(worker, code, &err);
    if (code == TC_OK && next_ms >= 0 && next_ms * 1000 < WAKE_EVERY_US)
        return worker_now_us() + next_ms * 1000;
    return worker_now_us() + WAKE_EVERY_US;
}

static int64_t forget_keys(struct worker *worker)
{
    struct tc_error err;
    size_t count;
    enum tc_code code = tc_forget_old_keys(worker->ports.repo, worker->ports.clock,
                                           worker->ports.policy, &count, &err);

    worker_note_store(worker, code, &err);
    return worker_now_us() + KEYS_EVERY_US;
}

/* What any process does for all. */
static void do_common_chores(struct worker *worker, struct chores *chores, int64_t now_us)
{
    if (now_us >= chores->rescue_us)
        chores->rescue_us = rescue(worker);
    if (now_us >= chores->wake_us)
        chores->wake_us = wake(worker);
    if (now_us >= chores->keys_us)
        chores->keys_us = forget_keys(worker);
}

/*
 * Do what is due; the lock is not held. Heartbeats go first, after an outage of the store
 * above all: else the rescue would take over the leases of this very worker.
 */
static void do_chores(struct worker *worker, struct chores *chores, bool drains)
{
    int64_t now_us = worker_now_us();
    bool was_down = atomic_load(&worker->store_is_down);
    enum tc_code code = TC_OK;

    if (now_us >= chores->beat_us || (was_down && now_us >= chores->rescue_us))
        code = heartbeat(worker, chores);
    if (was_down && code != TC_OK)
        chores->rescue_us = chores->wake_us = now_us + RESCUE_EVERY_US;
    else if (!drains)
        do_common_chores(worker, chores, now_us);
}

static int64_t next_chore(const struct chores *chores, bool drains)
{
    const int64_t others[] = { chores->rescue_us, chores->wake_us, chores->keys_us };
    int64_t next_us = chores->beat_us;

    for (size_t i = 0; !drains && i < sizeof(others) / sizeof(others[0]); i++)
        if (others[i] < next_us)
            next_us = others[i];
    return next_us;
}

void *worker_keep_main(void *arg)
{
    struct worker *worker = arg;
    int64_t now_us = worker_now_us();
    struct chores chores = {
        .beat_us = now_us + beat_every_us(worker),
        .keys_us = now_us + KEYS_EVERY_US, /* rescue and wake at once */
    };

    pthread_mutex_lock(&worker->lock);
    while (!worker->closing) {
        bool drains = worker->draining;

        pthread_mutex_unlock(&worker->lock);
        do_chores(worker, &chores, drains);
        pthread_mutex_lock(&worker->lock);

        int64_t next_us = next_chore(&chores, worker->draining);

        if (!worker->closing && next_us > worker_now_us())
            worker_wait_until(worker, &worker->keep, next_us);
    }
    worker_thread_leave(worker, &worker->keeper);
    return NULL;
}
