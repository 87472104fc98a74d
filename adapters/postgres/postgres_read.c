/* One task, counts, and the two small writes. */

#include "adapters/postgres/postgres_tasks.h"

#include <stdlib.h>

static const struct postgres_statement get_statement = {
    .name = "get",
    .sql = "SELECT " POSTGRES_TASK_COLUMNS " "
           "FROM taskcore.task t "
           "LEFT JOIN taskcore.lease l ON t.status = 3 AND l.id = t.place "
           "WHERE t.id = $1::uuid",
    .writes = false,
};

/* Waiting and running ones are counted by their groups. */
static const struct postgres_statement counts_statement = {
    .name = "counts",
    .sql = "SELECT queue, sum(waiting)::bigint, sum(processing)::bigint,"
           "       sum(scheduled)::bigint, sum(failed)::bigint, coalesce(min(since), 0) "
           "FROM (SELECT queue, sum(cardinality(ids)) AS waiting, 0 AS processing,"
           "             0 AS scheduled, 0 AS failed, min(since) AS since"
           "      FROM taskcore.ready GROUP BY queue "
           "      UNION ALL "
           "      SELECT queue, 0, sum(live), 0, 0, NULL FROM taskcore.lease GROUP BY queue "
           "      UNION ALL "
           "      SELECT queue, 0, 0, count(*), 0, NULL FROM taskcore.task"
           "      WHERE wake_at IS NOT NULL GROUP BY queue "
           "      UNION ALL "
           "      SELECT queue, 0, 0, 0, count(*), NULL FROM taskcore.task"
           "      WHERE failed_at IS NOT NULL GROUP BY queue) AS part "
           "GROUP BY queue ORDER BY queue",
    .writes = false,
};

static const struct postgres_statement check_statement = {
    .name = "check",
    .sql = "UPDATE taskcore.health SET checked_at = coalesce($1::bigint, taskcore.now_ms()) "
           "WHERE num = 1 RETURNING num",
    .writes = true,
};

/* The oldest first; in the order of the keys, as everybody locks them. */
static const struct postgres_statement forget_keys_statement = {
    .name = "forget_keys",
    .sql = "WITH gone AS ("
           "    DELETE FROM taskcore.key WHERE key = ANY (ARRAY("
           "        SELECT key FROM taskcore.key WHERE created_at < $1::bigint"
           "        ORDER BY created_at LIMIT $2::bigint))"
           "    RETURNING 1) "
           "SELECT count(*) FROM gone",
    .writes = true,
};

/* --- get */

enum tc_code postgres_load(struct postgres_connection *connection, const struct tc_id *id,
                           struct tc_task *ret_task, struct tc_error *err)
{
    AUTO_RESULT result = NULL;
    struct postgres_params params;
    char text[TC_ID_TEXT_SIZE];
    enum tc_code code;

    postgres_params_init(&params, sizeof(*id));
    postgres_add_id(&params, id);
    code = postgres_run(connection, &get_statement, &params, &result, err);
    postgres_params_release(&params);
    if (code != TC_OK)
        return code;
    if (PQntuples(result) == 1)
        return postgres_read_task(result, 0, 0, ret_task, err);
    tc_id_format(id, text);
    return tc_fail(err, TC_NOT_FOUND, "no task '%s'", text);
}

struct lookup {
    const struct tc_id *id;
    struct tc_task *ret_task;
};

static enum tc_code get_work(struct postgres_store *store,
                             struct postgres_connection *connection, void *ctx,
                             struct tc_error *err)
{
    const struct lookup *lookup = ctx;

    (void)store;
    return postgres_load(connection, lookup->id, lookup->ret_task, err);
}

enum tc_code postgres_get(struct tc_task_repo *repo, const struct tc_id *id,
                          struct tc_task *ret_task, struct tc_error *err)
{
    struct lookup lookup = { id, ret_task };

    return postgres_do(POSTGRES_SELF(repo, task_repo), get_work, &lookup, err);
}

/* --- counts */

struct tally {
    struct tc_queue_count *rows;
    size_t count;
};

static struct tc_queue_count read_count(const PGresult *result, int row)
{
    struct tc_queue_count count = {
        .waiting = postgres_get_int(result, row, 1),
        .processing = postgres_get_int(result, row, 2),
        .scheduled = postgres_get_int(result, row, 3),
        .failed = postgres_get_int(result, row, 4),
        .oldest_waiting_ms = postgres_get_int(result, row, 5),
    };

    postgres_get_text(result, row, 0, count.queue, sizeof(count.queue));
    return count;
}

static enum tc_code counts_work(struct postgres_store *store,
                                struct postgres_connection *connection, void *ctx,
                                struct tc_error *err)
{
    AUTO_RESULT result = NULL;
    struct tally *tally = ctx;
    enum tc_code code = postgres_run(connection, &counts_statement, NULL, &result, err);

    (void)store;
    if (code != TC_OK || PQntuples(result) == 0)
        return code;
    tally->rows = malloc((size_t)PQntuples(result) * sizeof(*tally->rows));
    if (!tally->rows)
        return tc_fail(err, TC_NO_MEMORY, "postgres: counts of %d queues", PQntuples(result));
    for (int row = 0; row < PQntuples(result); row++)
        tally->rows[tally->count++] = read_count(result, row);
    return TC_OK;
}

enum tc_code postgres_counts(struct tc_task_repo *repo, struct tc_queue_count **ret_counts,
                             size_t *ret_count, struct tc_error *err)
{
    struct tally tally = { 0 };
    enum tc_code code = postgres_do(POSTGRES_SELF(repo, task_repo), counts_work, &tally, err);

    if (code != TC_OK)
        return code;
    *ret_counts = tally.rows;
    *ret_count = tally.count;
    return TC_OK;
}

/* --- check */

static enum tc_code check_work(struct postgres_store *store,
                               struct postgres_connection *connection, void *ctx,
                               struct tc_error *err)
{
    AUTO_RESULT result = NULL;
    struct postgres_params params;
    enum tc_code code;

    (void)ctx;
    postgres_params_init(&params, sizeof(int64_t));
    postgres_add_now(&params, store);
    code = postgres_run(connection, &check_statement, &params, &result, err);
    postgres_params_release(&params);
    if (code == TC_OK && PQntuples(result) != 1)
        return tc_fail(err, TC_INTERNAL, "postgres: the row of the health check is missing");
    return code;
}

enum tc_code postgres_check(struct tc_task_repo *repo, struct tc_error *err)
{
    return postgres_do(POSTGRES_SELF(repo, task_repo), check_work, NULL, err);
}

/* --- forget_keys */

struct forgetting {
    int64_t before_ms;
    int64_t max;
    int64_t count;
};

static enum tc_code forget_work(struct postgres_store *store,
                                struct postgres_connection *connection, void *ctx,
                                struct tc_error *err)
{
    AUTO_RESULT result = NULL;
    struct forgetting *forgetting = ctx;
    struct postgres_params params;
    enum tc_code code;

    (void)store;
    postgres_params_init(&params, 2 * sizeof(int64_t));
    postgres_add_int8(&params, forgetting->before_ms);
    postgres_add_int8(&params, forgetting->max);
    code = postgres_run(connection, &forget_keys_statement, &params, &result, err);
    postgres_params_release(&params);
    if (code == TC_OK)
        forgetting->count = postgres_get_int(result, 0, 0);
    return code;
}

enum tc_code postgres_forget_keys(struct tc_task_repo *repo, int64_t before_ms, size_t max,
                                  size_t *ret_count, struct tc_error *err)
{
    struct forgetting forgetting = {
        .before_ms = before_ms,
        .max = max > INT64_MAX ? INT64_MAX : (int64_t)max,
    };
    enum tc_code code =
        postgres_do(POSTGRES_SELF(repo, task_repo), forget_work, &forgetting, err);

    if (code == TC_OK)
        *ret_count = (size_t)forgetting.count;
    return code;
}
