#ifndef TASKCORE_ADAPTERS_EXEC_HANDLER_H
#define TASKCORE_ADAPTERS_EXEC_HANDLER_H

/**
 * @file exec_handler.h
 * A handler that runs a program for each task, without a shell.
 *
 * What the program gets:
 *   stdin         the payload as it is stored (JSON text, text or bytes), then its end
 *   environment   PATH, TASK_ID, TASK_TYPE, TASK_ATTEMPT, TASK_EPOCH, TASK_QUEUE,
 *                 TASK_DEADLINE_MS (Unix milliseconds), TRACEPARENT when the task has one,
 *                 and config.env; nothing of the worker's own
 *   descriptors   0, 1, 2 and 3, no other
 *   signals       the default dispositions, none blocked
 *   session       its own, so a process group of its own and no terminal
 *
 * What follows from its end:
 *   exit 0                           done; stdout is the result
 *   exit 75 (EX_TEMPFAIL)            failed, may be tried again
 *   any other exit                   failed for good
 *   a signal that was not ours       failed, may be tried again
 *   it cannot be started             failed, may be tried again
 *   more than output_max on stdout   killed, failed for good: `result_too_large: …`
 *
 * Result: JSON when is_json says so, without the white space around it; other UTF-8 without
 * NUL is text, one newline at its end cut off; the rest is bytes; nothing stays nothing.
 * Message of a failure: the last lines of stderr, up to EXEC_MESSAGE_MAX bytes, or else
 * "exit status N", "killed by signal NAME", or what could not be done.
 * Every line of stderr goes to the log, the first EXEC_LOG_LINES_MAX of a run, each cut at
 * EXEC_LOG_LINE_MAX bytes. Every line on descriptor 3 is progress: one JSON object of up to
 * TC_PROGRESS_MAX bytes. Others are left out, and the log says how many.
 *
 * Told to stop, the handler sends SIGTERM (and SIGCONT) to the whole group, SIGKILL after
 * `grace_ms`, and gives the task back. When the worker ends (TC_STOP_SHUTDOWN) the grace is
 * EXEC_SHUTDOWN_GRACE_MS at most, since the worker gives the task to others a second later.
 * When the program has ended, what is left of its group is killed, and what the pipes hold
 * is read without waiting: a descendant that keeps them open delays nothing. When the worker
 * dies, the program is killed by the kernel (PR_SET_PDEATHSIG; not when it is set-user-ID),
 * its descendants are not.
 *
 * Limit: a descendant that leaves the group with setsid() or setpgid() is neither killed nor
 * waited for. No worker can know whose child an orphan was, and to adopt orphans
 * (PR_SET_CHILD_SUBREAPER) would change the whole process of the host. What a group leaves
 * behind is reaped by process 1, so in a container that one must reap (`docker run --init`).
 *
 * The process must not ignore SIGCHLD, nor wait for children that it did not start: the end
 * of the program could not be seen, and its run would count as failed (to be tried again).
 * Linux 5.9 or later. About ten descriptors for each run.
 */

#include "core/domain/error.h"
#include "ports/handler.h"

struct tc_clock;

#define EXEC_ENV_MAX           64                /**< members of config.env */
#define EXEC_MESSAGE_MAX       2048              /**< bytes of stderr that become a message */
#define EXEC_LOG_LINE_MAX      500               /**< bytes */
#define EXEC_LOG_LINES_MAX     100               /**< in one run */
#define EXEC_OUTPUT_MAX_MAX    ((size_t)1 << 30) /**< the largest output_max */
#define EXEC_GRACE_MS          5000              /**< the default grace_ms */
#define EXEC_SHUTDOWN_GRACE_MS 800

/**
 * What one process of the program may use. 0: whatever the worker itself may use, which is
 * also the upper bound of every other value.
 */
struct exec_limits {
    int64_t memory_bytes; /**< address space (RLIMIT_AS) */
    int64_t cpu_seconds;  /**< then SIGXCPU, and SIGKILL a second later (RLIMIT_CPU) */
    int64_t open_files;   /**< 5 or more (RLIMIT_NOFILE) */
    int64_t file_bytes;   /**< the largest file it may write (RLIMIT_FSIZE) */
    int64_t processes; /**< of the whole user, not of the task; not for root (RLIMIT_NPROC) */
};

/** Zero means the documented default. Everything but the clock is copied. */
struct exec_config {
    const char *const *argv; /**< the program, an absolute path, its arguments, NULL */
    const char *dir;         /**< where it runs, an absolute path; default "/" */
    const char *const *env;  /**< NAME=VALUE, …, NULL; PATH may be given, no other name of
                                  those above; NULL: none */
    int64_t grace_ms;        /**< from SIGTERM to SIGKILL; default EXEC_GRACE_MS. The worker's
                                stop_grace_ms        should be longer, or a program that ignores
                                SIGTERM costs        it a        thread for a while */
    size_t output_max;       /**< bytes of stdout; default 1 MiB */
    struct exec_limits limits;
    /** Is this one valid JSON document, white space around it allowed? Called by any thread
     *  that runs a task. NULL: every result is text or bytes, and progress is left out. */
    bool (*is_json)(struct tc_bytes text);
    struct tc_clock *clock; /**< for TASK_DEADLINE_MS, the worker's; borrowed until close.
                                 NULL: without it */
};

/**
 * The handler may run any number of tasks at a time. run() blocks until the program has ended
 * and been reaped. The program is not looked for here.
 *
 * @return TC_OK; TC_INVALID for a config that breaks its rules; TC_NO_MEMORY.
 */
enum tc_code exec_handler_open(const struct exec_config *config,
                               struct tc_handler **ret_handler,
                               struct tc_error *err) TC_MUST_CHECK;

/** No task may be running. NULL is fine. */
void exec_handler_close(struct tc_handler *handler);

#endif
