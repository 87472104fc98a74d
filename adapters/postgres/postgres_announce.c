/*
 * Waiting tasks as a publisher sees them: the rows of taskcore.ready whose check_at has come.
 *
 * No statement here waits for a lock: rows that a claim holds are passed over, since what is
 * being claimed need not be announced, and are due again when their time comes.
 */

#include "adapters/postgres/postgres_internal.h"

#include "core/domain/container_of.h"

#include <stdlib.h>

/*
 * $1 now, $2 groups at most, $3 how long they are ours. A member that does not wait under this
 * row's seq any more never will again, so it may be dropped, though the statement sees the
 * tasks as they were when it began. The members are asked for row by row, by key, whatever the
 * planner thinks of the size of the table.
 *
 * The first row always comes, for `next`. Full groups with more behind them are "now"; else
 * rows that are due and not ours belong to another taker, and do not count.
 */
static const struct postgres_statement take_statement = {
    .name = "announce_take",
    .writes = true,
    .sql =
        "WITH clock AS MATERIALIZED ("
        "    SELECT coalesce($1, taskcore.now_ms()) AS at),"
        "held AS MATERIALIZED ("
        "    SELECT queue, type, rank, seq, check_at, announced, ids"
        "    FROM taskcore.ready"
        "    WHERE check_at <= (SELECT at FROM clock)"
        "    ORDER BY check_at LIMIT $2 FOR UPDATE SKIP LOCKED),"
        "asked AS MATERIALIZED ("
        "    SELECT h.*, w.waiting"
        "    FROM held h CROSS JOIN LATERAL ("
        "        SELECT array_agg(t.id ORDER BY t.id) AS waiting"
        "        FROM taskcore.task t"
        "        WHERE t.id = ANY (h.ids) AND t.status IN (1, 2) AND t.place = h.seq) w),"
        "gone AS ("
        "    DELETE FROM taskcore.ready r USING asked a"
        "    WHERE a.waiting IS NULL AND (r.queue, r.type, r.rank, r.seq)"
        "                              = (a.queue, a.type, a.rank, a.seq)),"
        "kept AS ("
        "    UPDATE taskcore.ready r"
        "    SET check_at = (SELECT at FROM clock) + $3,"
        "        ids = CASE WHEN cardinality(a.waiting) < cardinality(r.ids)"
        "                   THEN a.waiting ELSE r.ids END"
        "    FROM asked a"
        "    WHERE a.waiting IS NOT NULL AND (r.queue, r.type, r.rank, r.seq)"
        "                                  = (a.queue, a.type, a.rank, a.seq)),"
        "next AS ("
        "    SELECT CASE WHEN (SELECT count(*) FROM held) = $2"
        "                 AND (SELECT count(*)"
        "                      FROM (SELECT FROM taskcore.ready, clock"
        "                            WHERE check_at <= at LIMIT $2 + 1) d) > $2"
        "                THEN 0"
        "                ELSE least((SELECT min(check_at) FROM taskcore.ready"
        "                            WHERE check_at > (SELECT at FROM clock))"
        "                           - (SELECT at FROM clock),"
        "                           (SELECT $3 FROM asked WHERE waiting IS NOT NULL LIMIT 1))"
        "           END AS ms)"
        "SELECT coalesce(next.ms, -1), a.queue, a.type, (10 - a.rank)::int4, a.seq,"
        "       a.announced, a.waiting "
        "FROM next LEFT JOIN asked a ON a.waiting IS NOT NULL "
        "ORDER BY a.check_at, a.seq",
};

enum column { NEXT_MS, QUEUE, TYPE, PRIORITY, PLACE, TIMES, IDS };

struct taking {
    size_t max;
    int64_t hold_ms;
    PGresult *result;
};

static enum tc_code run_take(struct postgres_store *store,
                             struct postgres_connection *connection, void *ctx,
                             struct tc_error *err)
{
    struct taking *taking = ctx;
    struct postgres_params params;

    postgres_params_init(&params, 64);
    postgres_add_now(&params, store);
    postgres_add_int8(&params, (int64_t)taking->max);
    postgres_add_int8(&params, taking->hold_ms);

    enum tc_code code =
        postgres_run(connection, &take_statement, &params, &taking->result, err);

    postgres_params_release(&params);
    return code;
}

static enum tc_code read_group(const PGresult *result, int row,
                               struct tc_announcement *ret_group, struct tc_error *err)
{
    struct tc_announcement group = {
        .priority = (int)postgres_get_int(result, row, PRIORITY),
        .place = postgres_get_int(result, row, PLACE),
        .times = (int)postgres_get_int(result, row, TIMES),
        .count = postgres_get_ids_count(result, row, IDS),
    };

    group.ids = malloc(group.count * sizeof(*group.ids));
    if (!group.ids)
        return tc_fail(err, TC_NO_MEMORY, "a group of %zu tasks to announce", group.count);
    postgres_get_text(result, row, QUEUE, group.queue, sizeof(group.queue));
    postgres_get_text(result, row, TYPE, group.type, sizeof(group.type));
    for (size_t i = 0; i < group.count; i++)
        group.ids[i] = postgres_get_ids_at(result, row, IDS, i);
    *ret_group = group;
    return TC_OK;
}

static enum tc_code read_groups(const PGresult *result, struct tc_announcement *ret_groups,
                                size_t *ret_count, struct tc_error *err)
{
    size_t rows = postgres_is_null(result, 0, PLACE) ? 0 : (size_t)PQntuples(result);

    for (size_t i = 0; i < rows; i++) {
        enum tc_code code = read_group(result, (int)i, &ret_groups[i], err);

        if (code == TC_OK)
            continue;
        while (i > 0)
            tc_announcement_release(&ret_groups[--i]);
        return code;
    }
    *ret_count = rows;
    return TC_OK;
}

enum tc_code postgres_announce_take(struct tc_announcement_repo *repo, size_t max,
                                    int64_t hold_ms, struct tc_announcement *ret_groups,
                                    size_t *ret_count, int64_t *ret_next_ms,
                                    struct tc_error *err)
{
    struct postgres_store *self = POSTGRES_SELF(repo, announcement_repo);
    struct taking taking = { .max = max, .hold_ms = hold_ms };
    enum tc_code code = postgres_do(self, run_take, &taking, err);

    if (code != TC_OK)
        return code;
    code = read_groups(taking.result, ret_groups, ret_count, err);
    if (code == TC_OK)
        *ret_next_ms = postgres_get_int(taking.result, 0, NEXT_MS);
    PQclear(taking.result);
    return code;
}

/*
 * $1 now, $2..$5 the groups' keys, $6 how often they were announced before, $7 until when to
 * trust the queue, $8 whether their tasks become PENDING. Who was taken and announced by
 * another in the meantime has another count.
 */
static const struct postgres_statement done_statement = {
    .name = "announce_done",
    .writes = true,
    .sql = "WITH clock AS MATERIALIZED ("
           "    SELECT coalesce($1, taskcore.now_ms()) AS at),"
           "told AS MATERIALIZED ("
           "    SELECT r.queue, r.type, r.rank, r.seq, r.ids, g.wait_ms"
           "    FROM unnest($2::text[], $3::text[], $4::int2[], $5::int8[], $6::int4[],"
           "                $7::int8[]) AS g (queue, type, rank, seq, times, wait_ms)"
           "    JOIN taskcore.ready r"
           "      ON (r.queue, r.type, r.rank, r.seq) = (g.queue, g.type, g.rank, g.seq)"
           "    WHERE r.announced = g.times FOR UPDATE OF r SKIP LOCKED),"
           "noted AS ("
           "    UPDATE taskcore.ready r"
           "    SET check_at = (SELECT at FROM clock) + t.wait_ms, announced = announced + 1"
           "    FROM told t"
           "    WHERE (r.queue, r.type, r.rank, r.seq) = (t.queue, t.type, t.rank, t.seq)),"
           "new AS MATERIALIZED ("
           "    SELECT n.id"
           "    FROM told h CROSS JOIN LATERAL ("
           "        SELECT t.id FROM taskcore.task t"
           "        WHERE t.id = ANY (h.ids) AND t.status = 1 AND t.place = h.seq"
           "        FOR UPDATE SKIP LOCKED) n"
           "    WHERE $8)"
           "UPDATE taskcore.task"
           "    SET status = 2, updated_at = (SELECT at FROM clock)"
           "    WHERE id = ANY (ARRAY(SELECT id FROM new))",
};

struct noting {
    const struct tc_announcement *groups;
    size_t count;
    bool pending;
};

static void add_keys(struct postgres_params *params, const struct tc_announcement *groups,
                     size_t count)
{
    postgres_array_begin(params, POSTGRES_TEXT);
    for (size_t i = 0; i < count; i++)
        postgres_push_text(params, groups[i].queue);
    postgres_array_end(params);
    postgres_array_begin(params, POSTGRES_TEXT);
    for (size_t i = 0; i < count; i++)
        postgres_push_text(params, groups[i].type);
    postgres_array_end(params);
    postgres_array_begin(params, POSTGRES_INT2);
    for (size_t i = 0; i < count; i++)
        postgres_push_int(params, POSTGRES_INT2, TC_PRIORITY_MAX - groups[i].priority);
    postgres_array_end(params);
    postgres_array_begin(params, POSTGRES_INT8);
    for (size_t i = 0; i < count; i++)
        postgres_push_int(params, POSTGRES_INT8, groups[i].place);
    postgres_array_end(params);
}

static enum tc_code run_done(struct postgres_store *store,
                             struct postgres_connection *connection, void *ctx,
                             struct tc_error *err)
{
    const struct noting *noting = ctx;
    struct postgres_params params;

    postgres_params_init(&params, 256 + noting->count * 64);
    postgres_add_now(&params, store);
    add_keys(&params, noting->groups, noting->count);
    postgres_array_begin(&params, POSTGRES_INT4);
    for (size_t i = 0; i < noting->count; i++)
        postgres_push_int(&params, POSTGRES_INT4, noting->groups[i].times);
    postgres_array_end(&params);
    postgres_array_begin(&params, POSTGRES_INT8);
    for (size_t i = 0; i < noting->count; i++)
        postgres_push_int(&params, POSTGRES_INT8, noting->groups[i].wait_ms);
    postgres_array_end(&params);
    postgres_add_bool(&params, noting->pending);

    enum tc_code code = postgres_run(connection, &done_statement, &params, NULL, err);

    postgres_params_release(&params);
    return code;
}

enum tc_code postgres_announce_done(struct tc_announcement_repo *repo,
                                    const struct tc_announcement *groups, size_t count,
                                    bool pending, struct tc_error *err)
{
    struct postgres_store *self = POSTGRES_SELF(repo, announcement_repo);
    struct noting noting = { groups, count, pending };

    return count > 0 ? postgres_do(self, run_done, &noting, err) : TC_OK;
}
