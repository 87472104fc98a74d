/* What a claim without ids takes: rows of ready from the front of a few lanes, and the tasks
 * they name. One statement. */

#include "adapters/postgres/postgres_take.h"

#include <stdlib.h>

/*
 * $1 now, $2..$7 the probes (queue, type, rank, mark, rows, quota of the queue), $8 owner,
 * $9 lease_ms, $10 incarnation.
 *
 * A lane that gave as many rows as it was asked for may have more: what comes behind its last
 * row is left, so that nothing is passed over. Members of a row that do not wait any more fall
 * out.
 *
 * The result has a row for each row that was locked, with the ids that were taken from it in
 * their order, and a row for each task, in any order.
 */
#define HEAD(lock)                                                                             \
    "head AS MATERIALIZED ("                                                                   \
    "    SELECT p.num, p.queue, r.type, r.rank, r.seq, r.ids, cardinality(r.ids) AS n,"        \
    "           p.quota, r.pos = p.rows AS is_last"                                            \
    "    FROM unnest($2::text[], $3::text[], $4::int2[], $5::int8[], $6::int4[],"              \
    "                $7::int4[]) WITH ORDINALITY"                                              \
    "         AS p (queue, type, rank, mark, rows, quota, num)"                                \
    "    CROSS JOIN LATERAL ("                                                                 \
    "        SELECT locked.*, row_number() OVER () AS pos"                                     \
    "        FROM (SELECT type, rank, seq, ids FROM taskcore.ready"                            \
    "              WHERE queue = p.queue AND type = p.type AND rank = p.rank"                  \
    "                AND seq > p.mark"                                                         \
    "              ORDER BY queue, type, rank, seq LIMIT p.rows " lock ") locked) r),"
#define TAKEN                                                                                  \
    "taken AS MATERIALIZED ("                                                                  \
    "    SELECT num, queue, type, rank, seq, ids, n,"                                          \
    "           CASE WHEN bool_or(is_last) OVER (turn ROWS BETWEEN UNBOUNDED PRECEDING"        \
    "                                                          AND 1 PRECEDING) THEN 0"        \
    "                ELSE least(n, greatest(0, quota - (sum(n) OVER turn - n)))::int4"         \
    "           END AS take"                                                                   \
    "    FROM head WINDOW turn AS (PARTITION BY queue ORDER BY rank, seq)"                     \
    "    LIMIT 1024),"
#define CUT                                                                                    \
    "cut AS ("                                                                                 \
    "    UPDATE taskcore.ready r SET ids = r.ids[k.take + 1:] FROM taken k"                    \
    "    WHERE k.take > 0 AND k.take < k.n"                                                    \
    "      AND (r.queue, r.type, r.rank, r.seq) = (k.queue, k.type, k.rank, k.seq)),"          \
    "gone AS ("                                                                                \
    "    DELETE FROM taskcore.ready r USING taken k"                                           \
    "    WHERE k.take = k.n"                                                                   \
    "      AND (r.queue, r.type, r.rank, r.seq) = (k.queue, k.type, k.rank, k.seq)),"
#define MEMBER                                                                                 \
    "member AS MATERIALIZED ("                                                                 \
    "    SELECT unnest(ids[1:take]) AS id FROM taken WHERE take > 0),"
#define GRIP    POSTGRES_GRIP("taken WHERE take > 0")
#define GRANTED POSTGRES_GRANTED("ARRAY(SELECT id FROM member)", POSTGRES_GRIP_ID)
#define LEASED  POSTGRES_LEASED("$8::text", "$9::int8", "$10::int8", "false")
#define TASKS   POSTGRES_FROM_GRANTED("$8::text", "$9::int8")
#define NO_TASK                                                                                \
    "NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, "                             \
    "NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, "                             \
    "NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL"
#define ANSWER                                                                                 \
    " SELECT num::int4, rank, seq, n, ids[1:take], NULL, " NO_TASK " FROM taken"               \
    " UNION ALL"                                                                               \
    " SELECT NULL, NULL, NULL, NULL, NULL, t.place, " POSTGRES_TASK_COLUMNS TASKS
#define CLAIM(lock)                                                                            \
    "WITH " POSTGRES_CLOCK HEAD(lock)                                                          \
    TAKEN CUT MEMBER GRIP GRANTED LEASED ANSWER

/* The same for the usual claim, into one lane: $2..$7 are no arrays, and half of it is not
 * needed. */
#define HEAD_ONE                                                                               \
    "head AS MATERIALIZED ("                                                                   \
    "    SELECT queue, type, rank, seq, ids, cardinality(ids) AS n FROM taskcore.ready"        \
    "    WHERE queue = $2::text AND type = $3::text AND rank = $4::int2 AND seq > $5::int8"    \
    "    ORDER BY queue, type, rank, seq LIMIT $6::int4 FOR UPDATE SKIP LOCKED),"              \
    "taken AS MATERIALIZED ("                                                                  \
    "    SELECT 1 AS num, queue, type, rank, seq, ids, n,"                                     \
    "           least(n, greatest(0, $7::int4 - (sum(n) OVER (ORDER BY seq) - n)))::int4"      \
    "               AS take"                                                                   \
    "    FROM head LIMIT 64),"
#define GRIP_ONE    "grip AS MATERIALIZED (SELECT nextval('taskcore.lease_id') AS id),"
#define GRANTED_ONE POSTGRES_GRANTED("ARRAY(SELECT id FROM member)", "(SELECT id FROM grip)")
#define CLAIM_ONE   "WITH " POSTGRES_CLOCK HEAD_ONE CUT MEMBER GRIP_ONE GRANTED_ONE LEASED ANSWER

static const struct postgres_statement take_one_statement = {
    .name = "claim_one_lane",
    .sql = CLAIM_ONE,
    .writes = true,
};

static const struct postgres_statement take_statement = {
    .name = "claim",
    .sql = CLAIM("FOR UPDATE SKIP LOCKED"),
    .writes = true,
};

static const struct postgres_statement take_patiently_statement = {
    .name = "claim_patiently",
    .sql = CLAIM("FOR UPDATE"),
    .writes = true,
};

_Static_assert(POSTGRES_TASK_COLUMN_COUNT == 30, "NO_TASK has 30 columns");

enum column { PROBE, RANK, SEQ, IDS, TAKEN_IDS, PLACE, TASK };

/* --- reading what it brought */

/* Rows of the result in the order of the claim: by rank and seq, or by number. */
struct ranked {
    int64_t rank;
    int64_t seq;
    int row;
};

/* A task that was taken from a row, and its number in the order of the claim. */
struct member {
    struct tc_id id;
    int64_t num;
};

static int by_rank(const void *a, const void *b)
{
    const struct ranked *first = a;
    const struct ranked *second = b;

    if (first->rank != second->rank)
        return first->rank < second->rank ? -1 : 1;
    return (first->seq > second->seq) - (first->seq < second->seq);
}

static int by_id(const void *a, const void *b)
{
    const struct member *first = a;
    const struct member *second = b;

    return tc_id_compare(&first->id, &second->id);
}

/* What a claim's result is sorted with. */
struct sorting {
    struct ranked *rows; /* room for all */
    struct member *members;
    size_t member_count;
};

static bool sorting_init(struct sorting *sorting, const PGresult *result)
{
    size_t members = 0;

    for (int row = 0; row < PQntuples(result); row++)
        members += postgres_get_ids_count(result, row, TAKEN_IDS);
    *sorting = (struct sorting){
        .rows = malloc(((size_t)PQntuples(result) + 1) * sizeof(*sorting->rows)),
        .members = malloc((members + 1) * sizeof(*sorting->members)),
    };
    return sorting->rows && sorting->members;
}

static void sorting_release(struct sorting *sorting)
{
    free(sorting->rows);
    free(sorting->members);
}

/* Number the members, row by row. */
static void number_members(struct sorting *sorting, const PGresult *result)
{
    size_t count = 0;

    for (int row = 0; row < PQntuples(result); row++)
        if (!postgres_is_null(result, row, SEQ))
            sorting->rows[count++] = (struct ranked){ postgres_get_int(result, row, RANK),
                                                      postgres_get_int(result, row, SEQ), row };
    qsort(sorting->rows, count, sizeof(*sorting->rows), by_rank);
    for (size_t i = 0; i < count; i++) {
        size_t ids = postgres_get_ids_count(result, sorting->rows[i].row, TAKEN_IDS);

        for (size_t at = 0; at < ids; at++, sorting->member_count++)
            sorting->members[sorting->member_count] = (struct member){
                postgres_get_ids_at(result, sorting->rows[i].row, TAKEN_IDS, at),
                (int64_t)sorting->member_count,
            };
    }
    qsort(sorting->members, sorting->member_count, sizeof(*sorting->members), by_id);
}

static enum tc_code read_tasks(struct postgres_store *store, const PGresult *result,
                               struct sorting *sorting, struct postgres_catch *caught,
                               struct tc_error *err)
{
    enum tc_code code = TC_OK;
    size_t count = 0;

    number_members(sorting, result);
    for (int row = 0; row < PQntuples(result); row++) {
        const struct member key = { .id = postgres_get_id(result, row, TASK) };
        const struct member *member = NULL;

        if (!postgres_is_null(result, row, TASK))
            member = bsearch(&key, sorting->members, sorting->member_count,
                             sizeof(*sorting->members), by_id);
        if (member)
            sorting->rows[count++] = (struct ranked){ .rank = member->num, .row = row };
    }
    qsort(sorting->rows, count, sizeof(*sorting->rows), by_rank);
    for (size_t i = 0; i < count && code == TC_OK; i++)
        code = postgres_catch_add(store, caught, result, sorting->rows[i].row, PLACE, err);
    return code;
}

/* Of one probe: its rows, up to where they were taken whole. */
static struct postgres_probed sum_up(const PGresult *result, size_t probe)
{
    struct postgres_probed probed = { 0 };

    for (int row = 0; row < PQntuples(result); row++) {
        int64_t seq = postgres_get_int(result, row, SEQ);
        int64_t ids = postgres_get_int(result, row, IDS);

        if (postgres_get_int(result, row, PROBE) != (int64_t)probe + 1)
            continue;
        probed.rows++;
        probed.ids += ids;
        if (ids == (int64_t)postgres_get_ids_count(result, row, TAKEN_IDS))
            probed.taken_to = seq > probed.taken_to ? seq : probed.taken_to;
        else if (probed.left_at == 0 || seq < probed.left_at)
            probed.left_at = seq;
    }
    if (probed.left_at && probed.taken_to >= probed.left_at)
        probed.taken_to = probed.left_at - 1;
    return probed;
}

static void note_lanes(struct postgres_store *store, struct postgres_claiming *claiming,
                       const PGresult *result)
{
    for (size_t i = 0; i < claiming->plan.count; i++) {
        struct postgres_probed probed = sum_up(result, i);

        postgres_lanes_note(store->lanes, &claiming->plan, i, &probed);
    }
    claiming->took_rows = PQntuples(result) > 0;
}

/* --- taking */

static void add_probe(struct postgres_params *params, const struct postgres_probe *probe)
{
    postgres_add_text(params, probe->lane.queue);
    postgres_add_text(params, probe->lane.type);
    postgres_add_int2(params, probe->lane.rank);
    postgres_add_int8(params, probe->lane.seq);
    postgres_add_int4(params, probe->rows);
    postgres_add_int4(params, probe->quota);
}

static void add_probes(struct postgres_params *params, const struct postgres_plan *plan)
{
    postgres_array_begin(params, POSTGRES_TEXT);
    for (size_t i = 0; i < plan->count; i++)
        postgres_push_text(params, plan->probes[i].lane.queue);
    postgres_array_end(params);
    postgres_array_begin(params, POSTGRES_TEXT);
    for (size_t i = 0; i < plan->count; i++)
        postgres_push_text(params, plan->probes[i].lane.type);
    postgres_array_end(params);
    postgres_array_begin(params, POSTGRES_INT2);
    for (size_t i = 0; i < plan->count; i++)
        postgres_push_int(params, POSTGRES_INT2, plan->probes[i].lane.rank);
    postgres_array_end(params);
    postgres_array_begin(params, POSTGRES_INT8);
    for (size_t i = 0; i < plan->count; i++)
        postgres_push_int(params, POSTGRES_INT8, plan->probes[i].lane.seq);
    postgres_array_end(params);
    postgres_array_begin(params, POSTGRES_INT4);
    for (size_t i = 0; i < plan->count; i++)
        postgres_push_int(params, POSTGRES_INT4, plan->probes[i].rows);
    postgres_array_end(params);
    postgres_array_begin(params, POSTGRES_INT4);
    for (size_t i = 0; i < plan->count; i++)
        postgres_push_int(params, POSTGRES_INT4, plan->probes[i].quota);
    postgres_array_end(params);
}

enum tc_code postgres_take(struct postgres_store *store, struct postgres_connection *connection,
                           struct postgres_claiming *claiming, bool patient,
                           struct tc_error *err)
{
    const struct tc_claim *claim = claiming->claim;
    bool one = claiming->plan.count == 1 && !patient;
    const struct postgres_statement *statement =
        patient ? &take_patiently_statement : &take_statement;
    struct postgres_params params;
    AUTO_RESULT result = NULL;

    claiming->took_rows = false;
    postgres_params_init(&params, 1024);
    postgres_add_now(&params, store);
    if (one)
        add_probe(&params, &claiming->plan.probes[0]);
    else
        add_probes(&params, &claiming->plan);
    postgres_add_text(&params, claim->owner);
    postgres_add_int8(&params, claim->lease_ms);
    postgres_add_incarnation(&params, store, claim->of_process);

    enum tc_code code =
        postgres_run(connection, one ? &take_one_statement : statement, &params, &result, err);

    postgres_params_release(&params);
    if (code != TC_OK)
        return code;

    struct sorting sorting;

    note_lanes(store, claiming, result);
    if (sorting_init(&sorting, result))
        code = read_tasks(store, result, &sorting, &claiming->caught, err);
    else
        code = tc_fail(err, TC_NO_MEMORY, "postgres: a claim of %zu tasks", claim->max);
    sorting_release(&sorting);
    return code;
}
