#ifndef TASKCORE_PORTS_LEASE_REPO_H
#define TASKCORE_PORTS_LEASE_REPO_H

/**
 * @file lease_repo.h
 * Port: tasks as workers and the rescue see them. Everything is a group; one is a group of
 * one. Groups of up to TC_LEASE_GROUP_MAX.
 *
 * Implemented by every store under adapters/, by the same object that is its task_repo; the
 * numbered promises are tests of tests/conformance/lease_repo_suite.c.
 * Threads, blocking, errors, lifetime: as in task_repo.h.
 */

#include "core/domain/attempt.h"
#include "core/domain/lease.h"

#define TC_LEASE_GROUP_MAX 1000

struct tc_lease_repo;

/** What a worker asks for. Borrowed. */
struct tc_claim {
    const char *owner;         /**< tc_owner_is_valid() */
    bool of_process;           /**< the lease ends with this process's incarnation, see [L8] */
    const char *const *queues; /**< up to 32; count 0: every queue */
    size_t queue_count;
    const char *const *types; /**< up to 1000; count 0: every type */
    size_t type_count;
    const struct tc_id *ids; /**< only these, from hints; count 0: any */
    size_t id_count;
    size_t max; /**< 1..TC_LEASE_GROUP_MAX */
    int64_t lease_ms;
};

/** A word of life for one task. Borrowed. */
struct tc_renewal {
    struct tc_id id;
    int64_t epoch;
    int64_t lease_ms;         /**< 0: as it was leased */
    struct tc_bytes progress; /**< JSON object text to keep; data NULL: leave as it is */
};

struct tc_renewed {
    enum tc_stale_reason stale; /**< TC_STALE_NONE: extended */
    int64_t expires_at_ms;      /**< when extended */
};

enum tc_verdict_kind {
    TC_VERDICT_APPLIED,
    TC_VERDICT_ALREADY, /**< the same outcome of the same epoch had been applied before */
    TC_VERDICT_STALE,   /**< nothing changed */
};

struct tc_verdict {
    enum tc_verdict_kind kind;
    enum tc_stale_reason stale; /**< with STALE */
};

struct tc_lease_repo_ops {
    const char *name;

    /**
     * Lease up to `max` waiting tasks; on TC_OK `ret_tasks[0..*ret_count)` are the caller's
     * to release: complete tasks as they are after the claim.
     *
     * [L1] Two claims never return the same task at the same epoch; each raises the epoch by
     *      one, counts an attempt, sets started_at and clears progress.
     * [L2] By priority, then by age within a queue; several queues share fairly. What is
     *      unknown, finished, cancelled, not due or leased is left out without error.
     * [L3] The lease ends by the store's clock, never by the caller's.
     */
    enum tc_code (*claim)(struct tc_lease_repo *repo, const struct tc_claim *claim,
                          struct tc_task *ret_tasks, size_t *ret_count, struct tc_error *err);

    /**
     * Renew `count` leases, one answer each.
     *
     * [L7] Extended with the new end, or the reason why it is lost. Only the tasks named are
     *      extended, not others claimed together with them. Any caller who knows the epoch
     *      may renew.
     */
    enum tc_code (*extend)(struct tc_lease_repo *repo, const struct tc_renewal *renewals,
                           size_t count, struct tc_renewed *ret_renewed, struct tc_error *err);

    /**
     * Apply `count` outcomes, one verdict each.
     *
     * [L4] Applies only if (id, PROCESSING, epoch) still holds; else STALE with the reason
     *      of tc_lease_judge(), and nothing of the task changes. Stale members do not harm
     *      the others.
     * [L5] The same outcome given twice (the answer was lost) is APPLIED or ALREADY, with
     *      the same task after it, as long as nobody has taken the task since. Same: the
     *      kind, for DONE and FAILED the result, for AGAIN and FAILED the message.
     * [L6] The core chose the outcome; the store does not judge it.
     * [L10] After RELEASED the attempt counts as before the claim; the epoch does not go
     *      back. A lease that has run out but was not taken over still counts.
     */
    enum tc_code (*finish)(struct tc_lease_repo *repo, const struct tc_outcome *outcomes,
                           size_t count, struct tc_verdict *ret_verdicts, struct tc_error *err);

    /**
     * Take over up to `max` tasks whose lease has ended, for `owner`, with a lease of
     * `lease_ms` of this process. Returned as by claim.
     *
     * [L1b] Raises the epoch by one, takes the attempt back and counts a crash; a task whose
     *      lease was itself taken by take_ended counts no second crash.
     * [L8] Leases that were claimed `of_process` by an earlier incarnation count as ended
     *      where the store can tell (memory, sqlite: at open); each is returned once.
     */
    enum tc_code (*take_ended)(struct tc_lease_repo *repo, const char *owner, size_t max,
                               int64_t lease_ms, struct tc_task *ret_tasks, size_t *ret_count,
                               struct tc_error *err);

    /**
     * Make up to `max` SCHEDULED tasks that are due claimable (NEW).
     *
     * [L9] By the store's clock; `*ret_next_ms` is how long until the next one is due
     *      (0: now, more than `max` were due; -1: none is scheduled).
     */
    enum tc_code (*wake)(struct tc_lease_repo *repo, size_t max, size_t *ret_count,
                         int64_t *ret_next_ms, struct tc_error *err);
};

struct tc_lease_repo {
    const struct tc_lease_repo_ops *ops;
};

/** @return TC_OK, or TC_INTERNAL when an adapter left a method out. */
enum tc_code tc_lease_repo_validate(const struct tc_lease_repo *repo,
                                    struct tc_error *err) TC_MUST_CHECK;

#endif
