#ifndef TASKCORE_ADAPTERS_POSTGRES_INTERNAL_H
#define TASKCORE_ADAPTERS_POSTGRES_INTERNAL_H

/**
 * @file postgres_internal.h
 * What the files of this folder share.
 *
 * Every statement that needs the time takes it as a parameter of type int8, which is NULL
 * except in tests: coalesce($n, taskcore.now_ms()) (postgres_add_now()). Work is
 * repeated up to three times on 40001 and 40P01 (postgres_do()).
 */

#include "adapters/postgres/postgres_pool.h"
#include "adapters/postgres/postgres_result.h"
#include "adapters/postgres/postgres_session.h"
#include "adapters/postgres/postgres_store.h"
#include "core/domain/container_of.h"
#include "ports/announcement_repo.h"
#include "ports/lease_repo.h"
#include "ports/task_repo.h"

#define POSTGRES_GROUP_MAX 256 /* ids in a row of ready or lease */

struct postgres_lanes; /* postgres_lanes.h: what claims remember */

struct postgres_store {
    struct tc_task_repo task_repo;
    struct tc_lease_repo lease_repo;
    struct tc_announcement_repo announcement_repo;
    struct postgres_store_config config; /* defaults filled in */
    struct postgres_pool *pool;
    struct postgres_session *session;
    struct postgres_lanes *lanes;
};

/* --- postgres_store.c */

/** The time for a statement: NULL, or the test's clock. */
void postgres_add_now(struct postgres_params *params, const struct postgres_store *store);
/** The first check_at of a new ready row as a duration: NULL when nobody announces. */
void postgres_add_check_after(struct postgres_params *params,
                              const struct postgres_store *store);

/** One attempt of some work on a taken connection; leaves no transaction open. */
typedef enum tc_code postgres_work(struct postgres_store *store,
                                   struct postgres_connection *connection, void *ctx,
                                   struct tc_error *err);

/** Take a connection, do the work, again on 40001 and 40P01 (three times, with jitter), give
 *  the connection back. `work` must be able to begin anew. */
enum tc_code postgres_do(struct postgres_store *store, postgres_work *work, void *ctx,
                         struct tc_error *err) TC_MUST_CHECK;

/* --- postgres_rows.c: the task row */

/** The columns that postgres_read_task() reads, of task `t` and its lease `l` (LEFT JOIN
 *  taskcore.lease l ON t.status = 3 AND l.id = t.place), with other expressions for the two
 *  that may be long. */
#define POSTGRES_TASK_COLUMNS_WITH(payload, result)                                            \
    "t.id, t.status, t.queue, t.type, t.priority, t.attempt, t.max_attempts, t.crashes, "      \
    "t.max_crashes, t.epoch, t.updated_at, t.run_at, t.timeout_ms, t.started_at, "             \
    "t.finished_at, t.titled, t.traceparent, t.payload_kind, " payload                         \
    ", t.result_kind, " result                                                                 \
    ", t.progress, t.tags, t.error_reason, t.error_attempt, t.error_at, t.error, "             \
    "l.owner, l.due_at, l.duration_ms"
#define POSTGRES_TASK_COLUMNS      POSTGRES_TASK_COLUMNS_WITH("t.payload", "t.result")
#define POSTGRES_TASK_COLUMN_COUNT 30

/** Build a task that owns its bytes from `row`, whose columns begin at `first_column`. */
enum tc_code postgres_read_task(const PGresult *result, int row, int first_column,
                                struct tc_task *ret_task, struct tc_error *err) TC_MUST_CHECK;

/* --- the methods, one file each: postgres_insert.c, _read.c (get, counts, check, forget_keys),
 * _list.c, _change.c; postgres_claim.c, _extend.c, _finish.c, _rescue.c, _wake.c;
 * postgres_announce.c */
#define POSTGRES_SELF(port, member) TC_CONTAINER_OF(port, struct postgres_store, member)

enum tc_code postgres_insert(struct tc_task_repo *repo, const struct tc_creation *creations,
                             size_t count, struct tc_inserted *ret_inserted,
                             struct tc_error *err);
enum tc_code postgres_get(struct tc_task_repo *repo, const struct tc_id *id,
                          struct tc_task *ret_task, struct tc_error *err);
enum tc_code postgres_list(struct tc_task_repo *repo, const struct tc_task_filter *filter,
                           struct tc_task_page *ret_page, struct tc_error *err);
enum tc_code postgres_change(struct tc_task_repo *repo, const struct tc_change *change,
                             struct tc_task *ret_task, struct tc_error *err);
enum tc_code postgres_counts(struct tc_task_repo *repo, struct tc_queue_count **ret_counts,
                             size_t *ret_count, struct tc_error *err);
enum tc_code postgres_check(struct tc_task_repo *repo, struct tc_error *err);
enum tc_code postgres_forget_keys(struct tc_task_repo *repo, int64_t before_ms, size_t max,
                                  size_t *ret_count, struct tc_error *err);

enum tc_code postgres_claim(struct tc_lease_repo *repo, const struct tc_claim *claim,
                            struct tc_task *ret_tasks, size_t *ret_count, struct tc_error *err);
enum tc_code postgres_extend(struct tc_lease_repo *repo, const struct tc_renewal *renewals,
                             size_t count, struct tc_renewed *ret_renewed,
                             struct tc_error *err);
enum tc_code postgres_finish(struct tc_lease_repo *repo, const struct tc_outcome *outcomes,
                             size_t count, struct tc_verdict *ret_verdicts,
                             struct tc_error *err);
enum tc_code postgres_take_ended(struct tc_lease_repo *repo, const char *owner, size_t max,
                                 int64_t lease_ms, struct tc_task *ret_tasks, size_t *ret_count,
                                 struct tc_error *err);
enum tc_code postgres_wake(struct tc_lease_repo *repo, size_t max, size_t *ret_count,
                           int64_t *ret_next_ms, struct tc_error *err);

enum tc_code postgres_announce_take(struct tc_announcement_repo *repo, size_t max,
                                    int64_t hold_ms, struct tc_announcement *ret_groups,
                                    size_t *ret_count, int64_t *ret_next_ms,
                                    struct tc_error *err);
enum tc_code postgres_announce_done(struct tc_announcement_repo *repo,
                                    const struct tc_announcement *groups, size_t count,
                                    bool pending, struct tc_error *err);

#endif
