#ifndef TASKCORE_ADAPTERS_WORKER_INTERNAL_H
#define TASKCORE_ADAPTERS_WORKER_INTERNAL_H

/**
 * @file worker_internal.h
 * What the files of this folder share: one lock, one list of what is held, two queues.
 *
 * A leased task is an attempt. It is READY until a runner takes it, RUNNING until its end is
 * known (the handler returned, or time is up and its handler is left behind), REPORTED
 * until the store knows. From the claim to the last it is in the list `held`, whose leases
 * the keeper renews. Everything here is guarded by `lock` unless it says otherwise; no store,
 * queue or handler is called with the lock held.
 */

#include "adapters/worker/worker.h"

#include "core/usecases/finish_tasks.h"
#include "core/usecases/rescue_tasks.h"
#include "ports/logger.h"
#include "ports/metrics.h"

#include <pthread.h>
#include <stdatomic.h>

#define WORKER_GROUP_MAX        256  /**< tasks in one claim and in one finish */
#define WORKER_PREFETCH_MAX     512  /**< tasks claimed ahead */
#define WORKER_REPORTS_MAX      2048 /**< waiting for the store: then nothing is claimed */
#define WORKER_THREADS_PER_SLOT 4    /**< stuck ones included */
#define WORKER_LINGER_US        2000 /**< a report waits so long for others, if many come */
#define WORKER_NEVER_US         INT64_MAX

enum attempt_state {
    ATTEMPT_READY,
    ATTEMPT_RUNNING,
    ATTEMPT_REPORTED,
    ATTEMPT_DROPPED, /**< lost while it ran: nothing will be reported */
};

struct attempt {
    struct tc_run base; /**< what the handler sees */
    struct worker *worker;
    struct tc_task task;
    enum attempt_state state;
    int refs; /**< held, in its handler, in the keeper's hands; the last one retires it */
    struct attempt *prev, *next; /**< in `held` */
    struct attempt *queued;      /**< next in `ready` or `reports`, or in a chain */
    struct runner *runner;       /**< whose thread runs the handler */
    _Atomic int stop;            /**< enum tc_stop_reason; read without the lock */
    int64_t renewed_us;          /**< when the lease was last known to begin */
    int64_t started_us;          /**< of the run; before it, when it was claimed */
    int64_t deadline_us;
    int64_t stopped_us; /**< when `stop` was set */
    struct tc_report report;
    char *progress; /**< not yet stored; owned */
    size_t progress_len;
};

struct attempt_queue {
    struct attempt *head;
    struct attempt *tail;
    size_t count;
};

enum thread_state {
    THREAD_NONE,
    THREAD_ALIVE,
    THREAD_ENDED, /**< to be joined */
};

struct worker_thread {
    pthread_t id;
    enum thread_state state;
};

struct runner {
    struct worker *worker;
    struct worker_thread thread;
    bool stuck;              /**< given up; its slot is somebody else's */
    struct attempt *attempt; /**< in its handler; NULL: none */
    pthread_cond_t told;     /**< its attempt was told to stop */
};

struct worker {
    struct tc_worker_pool pool;
    struct worker_config config;
    struct worker_ports ports;
    struct tc_finish_tasks_ports finish_ports;
    struct tc_rescue_tasks_ports rescue_ports;
    struct tc_handler_entry *handlers; /**< sorted by type; owned */
    const char **types;                /**< the same, for claims; owned */

    pthread_mutex_t lock;
    pthread_cond_t work;    /**< runners: something is ready */
    pthread_cond_t room;    /**< fetcher: there may be room */
    pthread_cond_t report;  /**< finisher: reports are ripe */
    pthread_cond_t keep;    /**< keeper: the worker closes */
    pthread_cond_t watch;   /**< watcher: an earlier deadline */
    pthread_cond_t changed; /**< drain, close: fewer are held, or alive */

    struct attempt *held;
    size_t held_count;
    struct attempt_queue ready;
    struct attempt_queue reports;
    int64_t oldest_report_us;
    struct attempt *spares; /**< retired, to be used again */
    size_t spare_count;

    struct runner *runners; /**< runner_max of them; owned */
    size_t runner_max;
    size_t active;  /**< runners that are not stuck */
    size_t busy;    /**< of these, in a handler */
    size_t idle;    /**< waiting on `work` */
    size_t stuck;   /**< given up, still in a handler */
    size_t running; /**< attempts in state RUNNING */
    int64_t run_us; /**< moving average of a run; 0: none yet */

    bool fetcher_waits;
    bool finisher_waits;
    int64_t watch_wake_us; /**< when the watcher will look again */

    bool draining;
    int64_t drain_end_us;
    bool closing;
    bool closed;          /**< the last thread frees the worker */
    size_t threads_alive; /**< of all kinds */
    struct worker_thread fetcher, finisher, keeper, watcher;
    _Atomic bool store_is_down;
};

/* --- worker_thread.c: threads, waiting, time */

/** CLOCK_MONOTONIC. The clock port's milliseconds are too coarse for runs and timeouts. */
int64_t worker_now_us(void);

/** Wait on a condition until `end_us` at most. The lock is held. */
void worker_wait_until(struct worker *worker, pthread_cond_t *cond, int64_t end_us);

/** A condition that waits by CLOCK_MONOTONIC. */
void worker_cond_init(pthread_cond_t *cond);

/** Start a thread with every signal blocked. The lock is held. */
bool worker_thread_start(struct worker *worker, struct worker_thread *thread, size_t stack_size,
                         void *(*main)(void *), void *arg);

/**
 * The last thing a thread does, the lock held: gives the lock up, and frees the worker when
 * it has been closed and this was the last thread.
 */
void worker_thread_leave(struct worker *worker, struct worker_thread *thread);

/** Free a worker without threads (worker.c). */
void worker_free(struct worker *worker);

/** Log that the store went away or came back, once each. */
void worker_note_store(struct worker *worker, enum tc_code code, const struct tc_error *err);

/* --- worker_attempt.c: what is held. The lock is held, but for attempts_retire(). */

struct attempt *attempt_new(struct worker *worker);
void attempt_hold(struct worker *worker, struct attempt *attempt);

/** Drop a reference; the last one puts it into `*chain`, for attempts_retire(). */
void attempt_unref(struct attempt *attempt, struct attempt **chain);
/** It is settled: out of `held`. */
void attempt_unhold(struct worker *worker, struct attempt *attempt, struct attempt **chain);

void attempt_queue_push(struct attempt_queue *queue, struct attempt *attempt);
struct attempt *attempt_queue_pop(struct attempt_queue *queue);

/** It has ended so; takes the report. */
void attempt_report(struct worker *worker, struct attempt *attempt, struct tc_report report);
/** A report that gives the task back, at once or after `delay_ms`. */
struct tc_report attempt_given_back(int64_t delay_ms);
/** A report of failure by timeout. */
struct tc_report attempt_timed_out(void);
/** Give back everything that has not begun. */
void attempts_release_ready(struct worker *worker);

/** Tell its handler to stop. */
void attempt_stop(struct worker *worker, struct attempt *attempt, enum tc_stop_reason reason);
/** It was lost while it ran: nothing will be reported, its handler is on its own. */
void attempt_drop(struct worker *worker, struct attempt *attempt, struct attempt **chain);

/** Free what a chain of unreferenced attempts owns and keep some shells. Lock NOT held. */
void attempts_retire(struct worker *worker, struct attempt *chain);

/* --- the threads */

size_t worker_wanted(const struct worker *worker); /**< worker_fetch.c: how many to claim */
/** Tell the fetcher when there is room now. The lock is held. */
void worker_tell_room(struct worker *worker);
/** Let the watcher look again at `at_us` at the latest. The lock is held. */
void worker_watch_by(struct worker *worker, int64_t at_us);
/** Fill empty slots with threads. The lock is held. */
void worker_spawn_runners(struct worker *worker);

void *worker_fetch_main(void *worker);
void *worker_finish_main(void *worker);
void *worker_keep_main(void *worker);
void *worker_watch_main(void *worker);

#endif
