#ifndef TESTS_ADAPTERS_WORKER_FIXTURE_H
#define TESTS_ADAPTERS_WORKER_FIXTURE_H

/**
 * @file worker_fixture.h
 * A worker on the memory store, with the real clock. Tests wait for events, never for time:
 * every call to the lease repository is one, and await() looks again after each.
 */

#include "adapters/worker/worker.h"
#include "core/domain/policy.h"
#include "ports/lease_repo.h"
#include "ports/task_repo.h"

#include <stdatomic.h>
#include <time.h>

/** What a handler of these tests does; `arg` as registered. */
typedef void test_run_fn(struct tc_run *run, struct tc_report *ret_report);

/** How the store answers; any thread may change it. */
struct store_faults {
    _Atomic int finish_code;     /**< enum tc_code of finish() */
    _Atomic int finish_failures; /**< so many times; -1: until changed */
    _Atomic bool finish_applies; /**< the failing ones are applied all the same */
    _Atomic int claim_code;      /**< of claim() */
    _Atomic bool refuse_results; /**< finish() of any outcome with a result: TC_INTERNAL */
    _Atomic int extend_failures; /**< the next calls of extend() are TC_UNAVAILABLE */
    _Atomic int receive_code;    /**< of the next receive() */
    _Atomic int claims;          /**< calls of claim() */
    _Atomic int named_claims;    /**< of these, for named tasks */
    _Atomic int commits;         /**< receipts given back to the queue */
    _Atomic int finishes;        /**< calls of finish() */
    _Atomic int extends;         /**< renewals that were applied */
    _Atomic int stale_extends;   /**< renewals of lost leases */
};

struct fixture {
    struct tc_task_repo *repo;
    struct tc_lease_repo *leases; /**< fixture_leases */
    struct tc_lease_repo *inner;  /**< the store's own */
    struct tc_ids *ids;
    struct tc_policy policy;
    struct worker_config config;
    struct worker *worker;
    struct store_faults faults;
};

extern struct fixture fixture;

/** The worker's ports: a queue that is only a bell, quiet events, and the store as `faults`
 *  wants it (worker_fixture_ports.c). */
extern struct tc_task_queue fixture_queue;
extern struct tc_task_events fixture_events;
extern struct tc_lease_repo fixture_leases;

/** Open store and ports; the worker is not started. */
void fixture_open(void);
void fixture_close(void);

/** Register a handler, before the worker is started. */
void fixture_handle(const char *type, test_run_fn *fn);
/** Start the worker with `slots`. */
void fixture_start(size_t slots);

/** Store a task of this type: three attempts, a minute each. */
struct tc_id fixture_create(const char *type);
/** The same, changed before it is stored. */
struct tc_id fixture_create_as(const char *type, int max_attempts, int64_t timeout_ms,
                               int64_t delay_ms);
/** `count` tasks in one call; ids into `ret_ids`. */
void fixture_create_many(const char *type, size_t count, struct tc_id *ret_ids);

/** Let the queue deliver this id. */
void fixture_hint(struct tc_id id);

/** The task as it is; the caller releases it. */
struct tc_task fixture_get(struct tc_id id);

/** Wait until the task has that status, a generous time. Fails the test otherwise. */
void await_status(struct tc_id id, enum tc_status status);
/** Wait until `predicate(ctx)`. */
void await(bool (*predicate)(void *ctx), void *ctx);
/** Wait until the counter is at least `least`. */
void await_count(_Atomic int *counter, int least);
/** That moment, for a condition that waits by the wall clock. */
struct timespec fixture_in_ms(int64_t ms);
/** Look again, whoever awaits. */
void fixture_changed(void);

/** A gate that handlers of tests wait at, deaf to any stop. */
void gate_wait(void);
void gate_open(void);

struct tc_worker_pool_status fixture_pool(void);

#endif
