#include "adapters/postgres/postgres_outcomes.h"

#include "adapters/postgres/postgres_claims.h"
#include "adapters/postgres/postgres_groups.h"

/*
 * The normal way. $1 now, $2 ids, $3 epochs, $4 leases, $5 result_kinds, $6 results,
 * $7 how many.
 *
 * The place is compared as well: the lease in which a task stands now, and no other, has to be
 * lowered.
 */
#define GIVEN_DONE                                                                             \
    POSTGRES_ROWS_OF("unnest($2::uuid[]), unnest($3::int8[]), unnest($4::int8[]),"             \
                     " unnest($5::int2[]), unnest($6::bytea[])",                               \
                     "$7")
#define DONE                                                                                   \
    "done AS ("                                                                                \
    "    UPDATE taskcore.task t"                                                               \
    "    SET status = 4, outcome = 1, place = NULL,"                                           \
    "        finished_at = (SELECT at FROM clock), updated_at = (SELECT at FROM clock),"       \
    "        result_kind = g.result_kind, result = g.result,"                                  \
    "        error_reason = 0, error_attempt = 0, error_at = 0, error = NULL"                  \
    "    FROM " GIVEN_DONE "         AS g (id, epoch, place, result_kind, result, num)"        \
    "    WHERE t.id = ANY ($2::uuid[]) AND t.id = g.id AND t.status = 3"                       \
    "      AND t.epoch = g.epoch AND t.place = g.place"                                        \
    "    RETURNING g.num, g.place),"
#define LOWERED_DONE POSTGRES_LOWER_LEASES("done")

static const struct postgres_statement done_statement = {
    .name = "finish_done",
    .sql = "WITH " POSTGRES_CLOCK DONE LOWERED_DONE " SELECT num FROM done",
    .writes = true,
};

/*
 * $1 now, $2 ids, $3 epochs, $4 leases, $5 the new statuses, $6 kinds, $7 run_at,
 * $8 result_kinds, $9 results, $10 reasons, $11 attempts that failed, $12 when, $13 messages,
 * $14 how many, $15 when a publisher has to look after those that wait again.
 *
 * A release takes the attempt back, but not of a rescue, which had counted none.
 */
#define GIVEN_OTHERS                                                                           \
    POSTGRES_ROWS_OF("unnest($2::uuid[]), unnest($3::int8[]), unnest($4::int8[]),"             \
                     " unnest($5::int2[]), unnest($6::int2[]), unnest($7::int8[]),"            \
                     " unnest($8::int2[]), unnest($9::bytea[]), unnest($10::int2[]),"          \
                     " unnest($11::int4[]), unnest($12::int8[]), unnest($13::bytea[])",        \
                     "$14")
#define GIVEN                                                                                  \
    "given AS MATERIALIZED ("                                                                  \
    "    SELECT * FROM " GIVEN_OTHERS                                                          \
    "         AS g (id, epoch, place, next, kind, run_at, result_kind, result, reason,"        \
    "               attempt, at, message, num)),"
#define AGAIN                                                                                  \
    "again AS MATERIALIZED ("                                                                  \
    "    SELECT t.id, t.queue, t.type, t.priority"                                             \
    "    FROM given g JOIN taskcore.task t ON t.id = g.id"                                     \
    "    WHERE t.id = ANY ($2::uuid[]) AND g.next = 1 AND t.status = 3"                        \
    "      AND t.epoch = g.epoch AND t.place = g.place),"
#define ENTERED POSTGRES_ENTER_READY("again", "(SELECT at FROM clock)", "$15::int8") ","
#define FREED                                                                                  \
    "freed AS ("                                                                               \
    "    UPDATE taskcore.task t"                                                               \
    "    SET status = g.next, outcome = g.kind, place = g.seq,"                                \
    "        updated_at = (SELECT at FROM clock),"                                             \
    "        finished_at = CASE WHEN g.next >= 4 THEN (SELECT at FROM clock) ELSE 0 END,"      \
    "        failed_at = CASE WHEN g.next = 5 THEN (SELECT at FROM clock) END,"                \
    "        wake_at = CASE WHEN g.next = 0 THEN g.run_at END,"                                \
    "        run_at = CASE WHEN g.kind IN (2, 4) THEN g.run_at ELSE t.run_at END,"             \
    "        attempt = CASE WHEN g.kind = 4 AND t.place <> ALL (ARRAY("                        \
    "                                SELECT id FROM taskcore.lease"                            \
    "                                WHERE id = ANY ($4::int8[]) AND rescue))"                 \
    "                       THEN greatest(0, t.attempt - 1) ELSE t.attempt END,"               \
    "        result_kind = CASE WHEN g.kind IN (1, 3) THEN g.result_kind"                      \
    "                           ELSE t.result_kind END,"                                       \
    "        result = CASE WHEN g.kind IN (1, 3) THEN g.result ELSE t.result END,"             \
    "        error_reason = CASE WHEN g.kind <> 4 THEN g.reason ELSE t.error_reason END,"      \
    "        error_attempt = CASE WHEN g.kind <> 4 THEN g.attempt"                             \
    "                             ELSE t.error_attempt END,"                                   \
    "        error_at = CASE WHEN g.kind <> 4 THEN g.at ELSE t.error_at END,"                  \
    "        error = CASE WHEN g.kind <> 4 THEN g.message ELSE t.error END"                    \
    "    FROM (SELECT given.*, placed.seq"                                                     \
    "          FROM given LEFT JOIN placed ON placed.id = given.id) g"                         \
    "    WHERE t.id = ANY ($2::uuid[]) AND t.id = g.id AND t.status = 3"                       \
    "      AND t.epoch = g.epoch AND t.place = g.place"                                        \
    "    RETURNING g.num, g.place),"
#define LOWERED_FREED POSTGRES_LOWER_LEASES("freed")

static const struct postgres_statement others_statement = {
    .name = "finish_others",
    .sql =
        "WITH " POSTGRES_CLOCK GIVEN AGAIN ENTERED FREED LOWERED_FREED " SELECT num FROM freed",
    .writes = true,
};

/* $1 ids, $2 how many. What was said before matters only where the task is not held any more.
 */
#define NUMBERED_IDS POSTGRES_ROWS_OF("unnest($1::uuid[])", "$2")

static const struct postgres_statement judge_statement = {
    .name = "finish_judge",
    .sql = "SELECT g.num, t.status, t.epoch, t.place, t.outcome, t.result_kind,"
           "       CASE WHEN t.status <> 3 THEN t.result END,"
           "       CASE WHEN t.status <> 3 THEN t.error END "
           "FROM " NUMBERED_IDS " AS g (id, num) JOIN taskcore.task t ON t.id = g.id "
           "WHERE t.id = ANY ($1::uuid[]) ORDER BY t.id FOR UPDATE OF t",
    .writes = true,
};

enum judge_column { NUM, STATUS, EPOCH, PLACE, OUTCOME, RESULT_KIND, RESULT, MESSAGE };

/* --- arrays, one member of every ending each */

static void add_ids(struct postgres_params *params, const struct postgres_endings *endings)
{
    postgres_array_begin(params, POSTGRES_UUID);
    for (size_t i = 0; i < endings->count; i++)
        postgres_push_id(params, &endings->items[i]->outcome->id);
    postgres_array_end(params);
}

static int64_t epoch_of(const struct postgres_ending *ending)
{
    return ending->outcome->epoch;
}

static int64_t place_of(const struct postgres_ending *ending)
{
    return ending->place;
}

static int64_t next_of(const struct postgres_ending *ending)
{
    return ending->outcome->next;
}

static int64_t kind_of(const struct postgres_ending *ending)
{
    return ending->outcome->kind;
}

static int64_t run_at_of(const struct postgres_ending *ending)
{
    return ending->outcome->run_at_ms;
}

static int64_t result_kind_of(const struct postgres_ending *ending)
{
    return ending->outcome->result.kind;
}

static int64_t reason_of(const struct postgres_ending *ending)
{
    return ending->outcome->error.reason;
}

static int64_t error_attempt_of(const struct postgres_ending *ending)
{
    return ending->outcome->error.attempt;
}

static int64_t error_at_of(const struct postgres_ending *ending)
{
    return ending->outcome->error.at_ms;
}

static void add_numbers(struct postgres_params *params, const struct postgres_endings *endings,
                        enum postgres_element element,
                        int64_t (*number_of)(const struct postgres_ending *ending))
{
    postgres_array_begin(params, element);
    for (size_t i = 0; i < endings->count; i++)
        postgres_push_int(params, element, number_of(endings->items[i]));
    postgres_array_end(params);
}

/* No content is NULL, empty content is not. */
static void push_content(struct postgres_params *params, const struct tc_content *content)
{
    if (content->kind == TC_CONTENT_NONE)
        postgres_push_null(params);
    else
        postgres_push_bytes(
            params, (struct tc_bytes){ content->bytes.len > 0 ? content->bytes.data : "",
                                       content->bytes.len });
}

static void add_results(struct postgres_params *params, const struct postgres_endings *endings)
{
    postgres_array_begin(params, POSTGRES_BYTEA);
    for (size_t i = 0; i < endings->count; i++)
        push_content(params, &endings->items[i]->outcome->result);
    postgres_array_end(params);
}

static void add_messages(struct postgres_params *params, const struct postgres_endings *endings)
{
    postgres_array_begin(params, POSTGRES_BYTEA);
    for (size_t i = 0; i < endings->count; i++)
        postgres_push_bytes(params, endings->items[i]->outcome->error.message);
    postgres_array_end(params);
}

static size_t expected_len(const struct postgres_endings *endings)
{
    size_t len = 512;

    for (size_t i = 0; i < endings->count; i++)
        len += 128 + endings->items[i]->outcome->result.bytes.len +
               endings->items[i]->outcome->error.message.len;
    return len;
}

static void mark_applied(const PGresult *result, const struct postgres_endings *endings)
{
    for (int row = 0; row < PQntuples(result); row++)
        endings->items[postgres_get_int(result, row, NUM) - 1]->applied = true;
}

enum tc_code postgres_apply_done(struct postgres_store *store,
                                 struct postgres_connection *connection,
                                 const struct postgres_endings *endings, struct tc_error *err)
{
    struct postgres_params params;
    AUTO_RESULT result = NULL;

    postgres_params_init(&params, expected_len(endings));
    postgres_add_now(&params, store);
    add_ids(&params, endings);
    add_numbers(&params, endings, POSTGRES_INT8, epoch_of);
    add_numbers(&params, endings, POSTGRES_INT8, place_of);
    add_numbers(&params, endings, POSTGRES_INT2, result_kind_of);
    add_results(&params, endings);
    postgres_add_int4(&params, (int)endings->count);

    enum tc_code code = postgres_run(connection, &done_statement, &params, &result, err);

    postgres_params_release(&params);
    if (code == TC_OK)
        mark_applied(result, endings);
    return code;
}

enum tc_code postgres_apply_others(struct postgres_store *store,
                                   struct postgres_connection *connection,
                                   const struct postgres_endings *endings, struct tc_error *err)
{
    struct postgres_params params;
    AUTO_RESULT result = NULL;

    postgres_params_init(&params, expected_len(endings));
    postgres_add_now(&params, store);
    add_ids(&params, endings);
    add_numbers(&params, endings, POSTGRES_INT8, epoch_of);
    add_numbers(&params, endings, POSTGRES_INT8, place_of);
    add_numbers(&params, endings, POSTGRES_INT2, next_of);
    add_numbers(&params, endings, POSTGRES_INT2, kind_of);
    add_numbers(&params, endings, POSTGRES_INT8, run_at_of);
    add_numbers(&params, endings, POSTGRES_INT2, result_kind_of);
    add_results(&params, endings);
    add_numbers(&params, endings, POSTGRES_INT2, reason_of);
    add_numbers(&params, endings, POSTGRES_INT4, error_attempt_of);
    add_numbers(&params, endings, POSTGRES_INT8, error_at_of);
    add_messages(&params, endings);
    postgres_add_int4(&params, (int)endings->count);
    postgres_add_check_after(&params, store);

    enum tc_code code = postgres_run(connection, &others_statement, &params, &result, err);

    postgres_params_release(&params);
    if (code == TC_OK)
        mark_applied(result, endings);
    return code;
}

/* --- judging */

/* [L5] The holder asks again because the answer was lost. */
static bool is_repeated(const PGresult *result, int row, const struct tc_outcome *outcome)
{
    const struct tc_content kept = {
        .kind = (enum tc_content_kind)postgres_get_int(result, row, RESULT_KIND),
        .bytes = postgres_get_bytes(result, row, RESULT),
    };
    bool has_result = outcome->kind == TC_OUTCOME_DONE || outcome->kind == TC_OUTCOME_FAILED;
    bool has_error = outcome->kind == TC_OUTCOME_AGAIN || outcome->kind == TC_OUTCOME_FAILED;

    return postgres_get_int(result, row, EPOCH) == outcome->epoch &&
           postgres_get_int(result, row, OUTCOME) == (int64_t)outcome->kind &&
           (!has_result || tc_content_equals(&kept, &outcome->result)) &&
           (!has_error ||
            tc_bytes_equals(postgres_get_bytes(result, row, MESSAGE), outcome->error.message));
}

static void judge_row(const PGresult *result, int row, struct postgres_ending *ending)
{
    enum tc_stale_reason stale =
        tc_lease_judge((enum tc_status)postgres_get_int(result, row, STATUS),
                       postgres_get_int(result, row, EPOCH), ending->outcome->epoch);

    if (stale == TC_STALE_NONE) {
        ending->place = postgres_get_int(result, row, PLACE);
        ending->settled = false;
    } else if (is_repeated(result, row, ending->outcome)) {
        *ending->verdict = (struct tc_verdict){ .kind = TC_VERDICT_ALREADY };
    } else {
        *ending->verdict = (struct tc_verdict){ TC_VERDICT_STALE, stale };
    }
}

enum tc_code postgres_judge(struct postgres_connection *connection,
                            const struct postgres_endings *endings, struct tc_error *err)
{
    struct postgres_params params;
    AUTO_RESULT result = NULL;

    postgres_params_init(&params, 64 + 20 * endings->count);
    add_ids(&params, endings);
    postgres_add_int4(&params, (int)endings->count);

    enum tc_code code = postgres_run(connection, &judge_statement, &params, &result, err);

    postgres_params_release(&params);
    if (code != TC_OK)
        return code;
    for (size_t i = 0; i < endings->count; i++) {
        endings->items[i]->settled = true;
        *endings->items[i]->verdict =
            (struct tc_verdict){ TC_VERDICT_STALE, TC_STALE_NOT_FOUND };
    }
    for (int row = 0; row < PQntuples(result); row++)
        judge_row(result, row, endings->items[postgres_get_int(result, row, NUM) - 1]);
    return TC_OK;
}
