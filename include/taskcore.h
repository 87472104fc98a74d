#ifndef TASKCORE_H
#define TASKCORE_H

/**
 * @file taskcore.h
 * Durable background work inside a C or C++ program: submit tasks, run functions on them in
 * worker threads of this process, wait for their results.
 *
 * Link with `pkg-config --libs taskcore`. The store is a SQLite file (durable: a task that
 * tc_submit() has accepted survives kill -9 of this process, and runs when the file is
 * opened again), memory, or a PostgreSQL database (durable likewise, and shared: other
 * processes that know its type may run the task). One process opens one file at a time.
 *
 * Functions return TASKCORE_OK or one of the codes below; tc_error_message() then says in
 * words what went wrong. On failure nothing is written through `ret_` parameters. Unless said
 * otherwise every function may be called from any thread; none installs signal handlers,
 * writes to standard output or error, or calls exit().
 */

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum taskcore_code {
    TASKCORE_OK = 0,
    TASKCORE_INVALID = 1,     /**< a parameter breaks a documented rule */
    TASKCORE_NOT_FOUND = 2,   /**< no such task */
    TASKCORE_CONFLICT = 3,    /**< the state forbids it; a key used for another task */
    TASKCORE_UNAVAILABLE = 4, /**< the store is busy, full or locked; nothing was done */
    TASKCORE_UNKNOWN = 5,     /**< it may or may not have been done: look before repeating */
    TASKCORE_NO_MEMORY = 6,
    TASKCORE_INTERNAL = 7, /**< a bug of ours */
};

enum taskcore_status {
    TASKCORE_SCHEDULED = 0, /**< not due yet, or waiting between attempts */
    TASKCORE_NEW = 1,
    TASKCORE_PENDING = 2,
    TASKCORE_PROCESSING = 3,
    TASKCORE_DONE = 4,      /**< terminal */
    TASKCORE_FAILED = 5,    /**< terminal */
    TASKCORE_CANCELLED = 6, /**< terminal */
};

#define TASKCORE_ID_SIZE 37 /**< an id's text with its NUL */

/** One open store with its workers. */
struct taskcore;

/** One run of a task, as its function sees it. Valid until the function returns. */
struct taskcore_run;

/** How a function says that its run ended. */
enum taskcore_end {
    TASKCORE_RUN_DONE = 0,   /**< done */
    TASKCORE_RUN_RETRY = 1,  /**< failed; again later while attempts are left */
    TASKCORE_RUN_FAILED = 2, /**< failed for good */
};

/**
 * The work of one type of task. Called on a worker thread (1 MiB of stack or more), several
 * at a time if there are several workers; at least once per task, see tc_run_epoch().
 */
typedef enum taskcore_end taskcore_function(struct taskcore_run *run, void *ctx);

/** Zero it, then set what differs. Strings are borrowed until tc_open() returns. */
struct taskcore_options {
    const char *store;    /**< "sqlite:PATH", "memory:" or "postgresql://…" as libpq takes it,
                               of a schema that `taskctl migrate` has made; required */
    int workers;          /**< threads that run functions, 1..256; 0 means 2; -1: none */
    int64_t lease_ms;     /**< 1000..3600000; 0 means 30000 */
    int64_t retry_min_ms; /**< the first wait between attempts; 0 means 4000 */
    int64_t retry_max_ms; /**< the longest; 0 means 600000 */
    void (*log)(void *ctx, const char *line); /**< NULL: no log. Called from any thread */
    void *log_ctx;
};

/** Zero it, then set what differs. Borrowed for the call. */
struct taskcore_task {
    const char *type;    /**< 1..64 of a-z 0-9 . _ -; required */
    const char *queue;   /**< likewise; NULL means "default" */
    const void *payload; /**< any bytes, up to 1 MiB; required */
    size_t payload_len;
    int priority;       /**< 0..10, larger first */
    int64_t delay_ms;   /**< not before; 0..315360000000 */
    int max_attempts;   /**< 1..100; 0 means 3 */
    int64_t timeout_ms; /**< per attempt, 1..604800000; 0 means 300000 */
    const char *key;    /**< idempotency key, 1..255 visible ASCII characters; NULL: none.
                             The same key with the same task again yields the first id, with
                             another task TASKCORE_CONFLICT; keys are kept 48 hours */
};

/** What became of a task. Release with tc_result_release(). */
struct taskcore_result {
    enum taskcore_status status;
    int attempt;
    char *data; /**< what tc_run_set_result() was given, NUL-terminated; NULL: nothing */
    size_t len;
    char *error; /**< message of the last attempt that did not end well; NULL: none */
};

/**
 * Open the store, create or upgrade its file. Does not run anything yet.
 * @return OK; INVALID for a bad option, file or folder, or a database's schema that is too
 *         old or too new; UNAVAILABLE when another process has the file, it cannot be
 *         written, or no server answers; NO_MEMORY; INTERNAL.
 */
int tc_open(const struct taskcore_options *options, struct taskcore **ret_taskcore);

/**
 * Have `function` run tasks of `type`. Before tc_start(), from one thread.
 * @return OK; INVALID for a bad or taken type, or after tc_start(); NO_MEMORY.
 */
int tc_register(struct taskcore *taskcore, const char *type, taskcore_function *function,
                void *ctx);

/**
 * Start the worker threads. Tasks that an earlier process had left running come back within
 * a second (in PostgreSQL three). Tasks of types that nobody registered wait.
 * @return OK; INVALID when started before; NO_MEMORY; INTERNAL.
 */
int tc_start(struct taskcore *taskcore);

/**
 * Store a task. Blocks for one commit.
 * @return OK: it is durable and will run; INVALID; CONFLICT (`key`); UNAVAILABLE: it was not
 *         stored; UNKNOWN: it may have been (with a key, submitting again is safe);
 *         NO_MEMORY; INTERNAL.
 */
int tc_submit(struct taskcore *taskcore, const struct taskcore_task *task,
              char ret_id[TASKCORE_ID_SIZE]);

/**
 * Wait up to `wait_ms` (0: not at all) for the task to be done, failed or cancelled, then tell
 * what it is; look at `status`, it may not have ended.
 * @return OK; INVALID for what is no id; NOT_FOUND; UNAVAILABLE; NO_MEMORY; INTERNAL.
 */
int tc_wait(struct taskcore *taskcore, const char *id, int64_t wait_ms,
            struct taskcore_result *ret_result);

/** Free what a result owns and zero it. NULL and zeroed results are fine. */
void tc_result_release(struct taskcore_result *result);

/**
 * Cancel a task for good; a running function is told through tc_run_should_stop().
 * @return OK, also when it was cancelled before; NOT_FOUND; CONFLICT when it had ended;
 *         as tc_wait().
 */
int tc_cancel(struct taskcore *taskcore, const char *id);

/**
 * Take no new work, give running functions `drain_ms` to end, then tell them to stop and give
 * their tasks back without counting the attempt. Blocks for drain_ms + 2 s at most.
 */
void tc_stop(struct taskcore *taskcore, int64_t drain_ms);

/**
 * Stop (as tc_stop(taskcore, 0) if that was not done) and close the store; nobody may use
 * it any more. A function that ignored tc_run_should_stop() keeps its thread: then the
 * memory of the workers is left to it, and it must not use its `run` to any effect.
 * NULL is fine.
 */
void tc_close(struct taskcore *taskcore);

/** Why the last call of this thread failed; one line, "" when none has. Thread-local. */
const char *tc_error_message(void);

/* --- for functions, from the thread that runs them --- */

const char *tc_run_id(const struct taskcore_run *run);
const char *tc_run_type(const struct taskcore_run *run);

/** The payload as it was submitted; `*ret_len` bytes, not NUL-terminated. */
const void *tc_run_payload(const struct taskcore_run *run, size_t *ret_len);

/** 1 for the first attempt. */
int tc_run_attempt(const struct taskcore_run *run);

/** Rises with every acquisition of the task: use (id, epoch) to fence your own writes. */
int64_t tc_run_epoch(const struct taskcore_run *run);

/** Non-zero when the function should end soon: cancelled, timed out, lost, or stopping. */
int tc_run_should_stop(struct taskcore_run *run);

/** Sleep up to `ms`, less when told to stop. */
void tc_run_sleep_ms(struct taskcore_run *run, int64_t ms);

/** Keep a copy of `len` bytes as the result. @return OK or NO_MEMORY. */
int tc_run_set_result(struct taskcore_run *run, const void *data, size_t len);

/** Keep a copy of `message` as the error of a run that ends with RETRY or FAILED. */
void tc_run_set_error(struct taskcore_run *run, const char *message);

#ifdef __cplusplus
}
#endif

#endif
