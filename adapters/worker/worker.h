#ifndef TASKCORE_ADAPTERS_WORKER_H
#define TASKCORE_ADAPTERS_WORKER_H

/**
 * @file worker.h
 * The worker: takes tasks, runs their handlers on threads of its own, reports their end,
 * keeps their leases alive, and takes back what dead workers held.
 *
 * Threads, all with every signal blocked:
 *   fetcher   waits for free slots and for hints, claims in groups (worker_fetch.c)
 *   runners   `slots` of them, 2 MiB of stack each; they call the handlers (worker_run.c)
 *   finisher  carries reports to the store in groups; repeats while the store is away, so
 *             that no report is lost as long as the process lives (worker_finish.c)
 *   keeper    heartbeats, progress, rescue, wake, key expiry (worker_keep.c)
 *   watcher   timeouts, threads given up; never waits for the store (worker_watch.c)
 * With `slots` 0 there is only the keeper. Measured: `taskcore_run_seconds{type}`,
 * `taskcore_runs_stopped_total{reason}`, `taskcore_worker_stuck_total`.
 *
 * Short tasks are claimed ahead, long ones never (core/domain/lease.h, tc_prefetch_count());
 * those claimed ahead that wait for `ahead_ms` after all are given back.
 *
 * A handler that ignores its stop. When a task overruns timeout_ms, its handler is told to
 * stop and the attempt fails with reason `timeout` at once, whatever the handler does. After
 * `stop_grace_ms` more (for a cancelled task or a lost lease likewise) its thread is given
 * up: it counts as stuck, a fresh thread takes its slot, and what the handler returns at last
 * is discarded. There are never more than 4 times `slots` threads, stuck ones included:
 * beyond that a slot stays empty until one of them returns. A thread cannot be killed, so a
 * handler that never returns keeps its thread until the process ends.
 */

#include "ports/handler.h"
#include "ports/worker_pool.h"

struct tc_clock;
struct tc_ids;
struct tc_lease_repo;
struct tc_logger;
struct tc_metrics;
struct tc_policy;
struct tc_task_events;
struct tc_task_queue;
struct tc_task_repo;
struct worker;

#define WORKER_SLOTS_MAX 1024

/** Borrowed until worker_close() has returned true. All but logger and metrics required. */
struct worker_ports {
    struct tc_lease_repo *leases;
    struct tc_task_repo *repo;   /**< for the expiry of idempotency keys */
    struct tc_task_queue *queue; /**< the worker is its only receiver */
    struct tc_task_events *events;
    struct tc_clock *clock;
    struct tc_ids *ids;
    const struct tc_policy *policy;
    struct tc_logger *logger;   /**< NULL: silent */
    struct tc_metrics *metrics; /**< NULL: nothing is measured */
};

/** Zero means the documented default. Strings and handlers are borrowed like the ports. */
struct worker_config {
    const char *owner; /**< tc_owner_is_valid(); names this process's incarnation */
    size_t slots; /**< tasks at the same time, up to WORKER_SLOTS_MAX; 0: none, see above */
    const struct tc_handler_entry *handlers; /**< with slots: 1..1000 */
    size_t handler_count;
    const char *const *queues; /**< up to 32; count 0: every queue */
    size_t queue_count;
    int64_t stop_grace_ms; /**< how long a stopped handler keeps its slot; default 5000 */
    int64_t ahead_ms; /**< how long a task claimed ahead may wait for a slot; default 500 */
};

/**
 * Start the threads; tasks may run before this returns.
 *
 * @return TC_OK; TC_INVALID for a bad owner, a bad or repeated type, too many slots, handlers
 *         or queues; TC_NO_MEMORY; TC_UNAVAILABLE: no more threads.
 */
enum tc_code worker_open(const struct worker_config *config, const struct worker_ports *ports,
                         struct worker **ret_worker, struct tc_error *err) TC_MUST_CHECK;

/** What the worker is doing. Valid until worker_close(). */
struct tc_worker_pool *worker_pool(struct worker *worker);

/**
 * Take no more work, and end what there is. Tasks that were claimed and not begun are given
 * back at once; running ones have `drain_ms` to end, then are told to stop
 * (TC_STOP_SHUTDOWN) and given back when they return, or after 1 s without it; neither costs
 * an attempt. Rescue and wake stop as well; heartbeats go on until worker_close().
 *
 * Blocks until nothing is held any more, at most for `drain_ms` + 2 s. May be called again,
 * by another thread while the first call waits, too: the earlier end counts, so a second
 * call with 0 cuts the first one short.
 *
 * @return true when every task was finished or given back; false: the store could not be
 *         told in time, these leases run out by themselves.
 */
bool worker_drain(struct worker *worker, int64_t drain_ms);

/**
 * worker_drain(worker, 0) unless drained, then end the threads. Blocks for 3 s at most. Call
 * it once; NULL is fine and gives true.
 *
 * @return true when every thread has ended: ports and handlers may be closed. False: some
 *         thread sits in a handler that ignores its stop, or in a store that hangs. Then
 *         leave ports and handlers open and end the process with _exit(): such a thread may
 *         come back at any time. The worker frees itself when the last one has.
 */
bool worker_close(struct worker *worker);

#endif
