#ifndef TASKCORE_PORTS_TASK_REPO_H
#define TASKCORE_PORTS_TASK_REPO_H

/**
 * @file task_repo.h
 * Port: tasks as the API's use cases see them.
 *
 * Implemented by every store under adapters/; the numbered promises are tests of
 * tests/conformance/task_repo_suite.c, which every store runs.
 *
 * Threads: any thread may call any method. Calls may block for the time of a commit, and
 * for a bounded time more (5 s) when the store is busy or away: then TC_UNAVAILABLE.
 * Errors of every method unless said otherwise: TC_UNAVAILABLE (nothing applied), TC_UNKNOWN
 * (writes only), TC_NO_MEMORY, TC_INTERNAL.
 * Lifetime: opening and closing belong to the composition root.
 */

#include "core/domain/task.h"

#define TC_CREATION_TASKS_MAX 1000
#define TC_REQUEST_HASH_SIZE  32
#define TC_KEY_MAX            255

struct tc_task_repo;

/** What one request asked to create. Borrowed for the call. */
struct tc_creation {
    const struct tc_task *tasks; /**< 1..TC_CREATION_TASKS_MAX, validated, ids rising */
    size_t task_count;
    const char *key;                                  /**< idempotency key; NULL: none */
    unsigned char request_hash[TC_REQUEST_HASH_SIZE]; /**< of what was asked, with `key` */
    struct tc_bytes answer; /**< what to give back when the key comes again, with `key` */
};

enum tc_insert_verdict {
    TC_INSERT_CREATED,
    TC_INSERT_EXISTING, /**< the key, or the first id, was there before; nothing was stored */
    TC_INSERT_MISMATCH, /**< the key was there with another hash; nothing was stored */
};

/** Release with tc_inserted_release(). */
struct tc_inserted {
    enum tc_insert_verdict verdict;
    struct tc_id first_id; /**< CREATED, EXISTING: the id of the (first) task stored */
    char *answer;          /**< EXISTING by key: the first answer; owned */
    size_t answer_len;
};

void tc_inserted_release(struct tc_inserted *inserted);

struct tc_task_filter {
    unsigned statuses;         /**< set of statuses, TC_STATUS_SET_ALL for any */
    const char *queue;         /**< NULL: any */
    const char *type;          /**< NULL: any */
    struct tc_bytes tag;       /**< data NULL: any */
    int64_t created_after_ms;  /**< exclusive; -1: no bound */
    int64_t created_before_ms; /**< exclusive; -1: no bound */
    bool ascending;            /**< else newest first */
    bool has_position;         /**< go on behind `position` */
    struct tc_id position;
    size_t limit; /**< 1..200 */
    size_t large; /**< payloads and results over this many bytes are left out, see below */
};

#define TC_PAGE_LIMIT_MAX 200

/** Between which ids, both exclusive, the tasks of a page lie; none if above >= below. */
struct tc_id_range {
    struct tc_id above;
    struct tc_id below;
};

/** What the times of creation and the position of a filter mean for keys: an id carries the
 *  millisecond of its creation. */
struct tc_id_range tc_task_filter_range(const struct tc_task_filter *filter);

/** Release with tc_task_page_release(). */
struct tc_task_page {
    struct tc_task *tasks; /**< owned */
    /** Per task: kind kept, bytes empty, because it was over `filter.large`. */
    struct tc_omitted {
        bool payload;
        bool result;
    } * omitted; /**< owned */
    size_t count;
    bool has_more;         /**< there may be more behind `position` */
    struct tc_id position; /**< where this page ended; may lie behind its last task */
};

void tc_task_page_release(struct tc_task_page *page);

/** One conditional step on one task. */
struct tc_change {
    struct tc_id id;
    unsigned from; /**< the set of statuses in which it applies */
    enum tc_status to;
    bool start_over; /**< attempt, crashes and error as in a new task; due now */
};

struct tc_queue_count {
    char queue[TC_NAME_MAX + 1];
    int64_t waiting; /**< new and pending */
    int64_t processing;
    int64_t scheduled;
    int64_t failed;
    int64_t oldest_waiting_ms; /**< when it began to wait, Unix ms; 0: nothing waits */
};

/** All members are required; tc_task_repo_validate() checks that once, at start-up. */
struct tc_task_repo_ops {
    const char *name; /**< for logs: "postgres", "sqlite", "memory" */

    /**
     * Store `count` creations (0 is legal). On TC_OK each `ret_inserted[i]` is filled and
     * the caller's to release.
     *
     * [T1] OK only when all that was created is durable (memory: visible); each creation
     *      wholly or not at all.
     * [T2] A known key with the same hash is EXISTING with the first answer and first id,
     *      with another hash MISMATCH; the others of the group are not harmed. Of concurrent
     *      twins, in one group or several, exactly one is CREATED.
     * [T3] Bytes come back as given: payload, tags, traceparent, titled; any byte values.
     * [T4] TC_UNKNOWN means that the group may be there; inserting the same ids again
     *      settles it: CREATED or EXISTING, never a duplicate, never an error.
     * [T8] A task with status NEW can be claimed as soon as insert has returned, one with
     *      SCHEDULED not before its run_at.
     */
    enum tc_code (*insert)(struct tc_task_repo *repo, const struct tc_creation *creations,
                           size_t count, struct tc_inserted *ret_inserted,
                           struct tc_error *err);

    /**
     * Load a task; the caller releases it.
     *
     * [T5] An absent id is TC_NOT_FOUND; else one consistent state: `lease` is filled
     *      exactly when the status is PROCESSING.
     */
    enum tc_code (*get)(struct tc_task_repo *repo, const struct tc_id *id,
                        struct tc_task *ret_task, struct tc_error *err);

    /**
     * A page of tasks in key order that pass the filter.
     *
     * [T6] While others insert, no task that existed at the first page is skipped or
     *      repeated. One call looks at a bounded number of tasks (at least `limit`, at most
     *      10,000): a page may be short or empty with has_more set; paging on ends.
     */
    enum tc_code (*list)(struct tc_task_repo *repo, const struct tc_task_filter *filter,
                         struct tc_task_page *ret_page, struct tc_error *err);

    /**
     * Apply one conditional step (the core has chosen it) and load the task after it.
     *
     * [T7] Applies only while the status is in `from`; else TC_CONFLICT, and `*ret_task` IS
     *      filled with the task as it is (the one exception to the rule about failures).
     *      Two concurrent changes never both apply. A change away from PROCESSING ends the
     *      lease; to a terminal status sets finished_at, away from one clears it (and
     *      result, error, progress with start_over). A task moved to NEW can be claimed.
     * @return also TC_NOT_FOUND (`*ret_task` untouched), TC_CONFLICT.
     */
    enum tc_code (*change)(struct tc_task_repo *repo, const struct tc_change *change,
                           struct tc_task *ret_task, struct tc_error *err);

    /**
     * One row per queue that has any task waiting, processing, scheduled or failed, by name.
     * `*ret_counts` is malloc'ed, the caller frees it; NULL when there are none.
     *
     * [T9] Agrees with the tasks' statuses once nothing moves.
     */
    enum tc_code (*counts)(struct tc_task_repo *repo, struct tc_queue_count **ret_counts,
                           size_t *ret_count, struct tc_error *err);

    /** [T10] OK only when a durable write succeeded just now. */
    enum tc_code (*check)(struct tc_task_repo *repo, struct tc_error *err);

    /**
     * [T11] Forget at most `max` idempotency keys made before `before_ms`; the tasks stay.
     */
    enum tc_code (*forget_keys)(struct tc_task_repo *repo, int64_t before_ms, size_t max,
                                size_t *ret_count, struct tc_error *err);
};

/** Embed this in the adapter's own struct and recover that with TC_CONTAINER_OF(). */
struct tc_task_repo {
    const struct tc_task_repo_ops *ops;
};

/** @return TC_OK, or TC_INTERNAL when an adapter left a method out. */
enum tc_code tc_task_repo_validate(const struct tc_task_repo *repo,
                                   struct tc_error *err) TC_MUST_CHECK;

#endif
