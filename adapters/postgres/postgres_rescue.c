/* Taking over what ended leases held: those that are due, and those of processes that are
 * gone, which is seen by the advisory lock that each of them holds while it lives. */

#include "adapters/postgres/postgres_claims.h"
#include "adapters/postgres/postgres_deaths.h"

#include "ports/clock.h"

#include <string.h>

/*
 * $1 now, $2 our own incarnation. The first row says whether a lease is due, and which server
 * process holds our lock; then the incarnations in leases without a lock. A lock of a bigint
 * is listed by its upper and lower 32 bits.
 */
#define LOCKS                                                                                  \
    "(SELECT (classid::int8 << 32) | objid::int8 AS incarnation, pid"                          \
    " FROM pg_catalog.pg_locks"                                                                \
    " WHERE locktype = 'advisory' AND objsubid = 1 AND granted"                                \
    "   AND database = (SELECT oid FROM pg_catalog.pg_database"                                \
    "                   WHERE datname = current_database()))"

static const struct postgres_statement look_statement = {
    .name = "look_ended",
    .writes = false,
    .sql = "WITH lock AS MATERIALIZED " LOCKS ","
           "named AS MATERIALIZED ("
           "    SELECT DISTINCT incarnation FROM taskcore.lease"
           "    WHERE incarnation IS NOT NULL AND incarnation <> $2::int8) "
           "SELECT EXISTS (SELECT FROM taskcore.lease"
           "               WHERE due_at <= coalesce($1, taskcore.now_ms()))::int4,"
           "       (SELECT max(pid) FROM lock WHERE incarnation = $2::int8)::int8 "
           "UNION ALL "
           "SELECT NULL, n.incarnation FROM named n"
           " WHERE NOT EXISTS (SELECT FROM lock WHERE lock.incarnation = n.incarnation)",
};

/*
 * $1 now, $2 incarnations that are gone, $3 at most, $4 owner, $5 lease_ms, $6 incarnation.
 *
 * As many leases as have enough members, the longest ended first. Tasks that somebody has in
 * hand are passed over: their holder is just finishing them. A lease whose members are all
 * gone, which must not be, goes as well.
 */
#define FOUND                                                                                  \
    "found AS MATERIALIZED ("                                                                  \
    "    (SELECT id, due_at, live FROM taskcore.lease"                                         \
    "     WHERE due_at <= (SELECT at FROM clock) ORDER BY due_at LIMIT $3::int8)"              \
    "    UNION ALL"                                                                            \
    "    (SELECT id, due_at, live FROM taskcore.lease"                                         \
    "     WHERE incarnation = ANY ($2::int8[]) AND due_at > (SELECT at FROM clock)"            \
    "     LIMIT $3::int8)),"                                                                   \
    "enough AS MATERIALIZED ("                                                                 \
    "    SELECT id FROM (SELECT id, sum(live) OVER (ORDER BY due_at, id) - live AS before"     \
    "                    FROM found) f WHERE before < $3::int8),"
#define ENDED                                                                                  \
    "ended AS MATERIALIZED ("                                                                  \
    "    SELECT id, rescue, ids FROM taskcore.lease"                                           \
    "    WHERE id = ANY (ARRAY(SELECT id FROM enough))"                                        \
    "      AND (due_at <= (SELECT at FROM clock) OR incarnation = ANY ($2::int8[]))"           \
    "    ORDER BY id FOR UPDATE SKIP LOCKED),"                                                 \
    "empty AS ("                                                                               \
    "    DELETE FROM taskcore.lease"                                                           \
    "    WHERE id = ANY (ARRAY("                                                               \
    "        SELECT e.id FROM ended e WHERE NOT EXISTS ("                                      \
    "            SELECT FROM taskcore.task t"                                                  \
    "            WHERE t.id = ANY (e.ids) AND t.status = 3 AND t.place = e.id)))),"
#define MEMBER                                                                                 \
    "member AS MATERIALIZED ("                                                                 \
    "    SELECT id, queue, place FROM taskcore.task"                                           \
    "    WHERE id = ANY (ARRAY(SELECT unnest(ids) FROM ended))"                                \
    "      AND status = 3 AND place = ANY (ARRAY(SELECT id FROM ended))"                       \
    "    LIMIT $3::int8 FOR UPDATE SKIP LOCKED),"
#define GRIP POSTGRES_GRIP("member")
#define GRANTED                                                                                \
    "granted AS ("                                                                             \
    "    UPDATE taskcore.task t"                                                               \
    "    SET epoch = t.epoch + 1, outcome = 0, updated_at = (SELECT at FROM clock),"           \
    "        attempt = CASE WHEN t.place = ANY (ARRAY(SELECT id FROM ended WHERE rescue))"     \
    "                       THEN t.attempt ELSE greatest(0, t.attempt - 1) END,"               \
    "        crashes = CASE WHEN t.place = ANY (ARRAY(SELECT id FROM ended WHERE rescue))"     \
    "                       THEN t.crashes ELSE t.crashes + 1 END,"                            \
    "        place = " POSTGRES_GRIP_ID "    WHERE t.id = ANY (ARRAY(SELECT id FROM member))"  \
    "    RETURNING t.*),"
#define LOWERED POSTGRES_LOWER_LEASES("member") ","
#define LEASED  POSTGRES_LEASED("$4::text", "$5::int8", "$6::int8", "true")
#define TASKS   POSTGRES_FROM_GRANTED("$4::text", "$5::int8")

static const struct postgres_statement take_statement = {
    .name = "take_ended",
    .sql = "WITH " POSTGRES_CLOCK FOUND ENDED MEMBER LOWERED GRIP GRANTED LEASED
           " SELECT t.place, " POSTGRES_TASK_COLUMNS TASKS,
    .writes = true,
};

enum column { PLACE };

struct rescue {
    const char *owner;
    size_t max;
    int64_t lease_ms;
    struct postgres_catch caught;
    int64_t gone[POSTGRES_DEATHS_MAX]; /* incarnations */
    size_t gone_count;
    bool any_due;
};

static int64_t tick_ms(const struct postgres_store *store)
{
    return store->config.clock ? tc_clock_tick_ms(store->config.clock)
                               : postgres_lanes_tick_us() / 1000;
}

/* Without our own lock (no session just now, or a pooler in between) nobody is judged. */
static void judge(struct postgres_store *store, const PGresult *result, struct rescue *rescue)
{
    int64_t missing[POSTGRES_DEATHS_MAX];
    int64_t session = postgres_get_int(result, 0, 1);
    size_t count = 0;

    for (int row = 1; session && row < PQntuples(result) && count < POSTGRES_DEATHS_MAX; row++)
        missing[count++] = postgres_get_int(result, row, 1);
    rescue->gone_count =
        postgres_deaths_note(postgres_lanes_deaths(store->lanes), tick_ms(store), session,
                             missing, count, rescue->gone);
}

static enum tc_code look(struct postgres_store *store, struct postgres_connection *connection,
                         void *ctx, struct tc_error *err)
{
    struct rescue *rescue = ctx;
    struct postgres_params params;
    AUTO_RESULT result = NULL;

    postgres_params_init(&params, 64);
    postgres_add_now(&params, store);
    postgres_add_int8(&params, postgres_session_incarnation(store->session));

    enum tc_code code = postgres_run(connection, &look_statement, &params, &result, err);

    postgres_params_release(&params);
    if (code != TC_OK)
        return code;
    rescue->any_due = postgres_get_int(result, 0, 0) != 0;
    judge(store, result, rescue);
    return TC_OK;
}

static enum tc_code take(struct postgres_store *store, struct postgres_connection *connection,
                         void *ctx, struct tc_error *err)
{
    struct rescue *rescue = ctx;
    size_t max = rescue->max - rescue->caught.count;
    struct postgres_params params;
    AUTO_RESULT result = NULL;

    postgres_params_init(&params, 512);
    postgres_add_now(&params, store);
    postgres_array_begin(&params, POSTGRES_INT8);
    for (size_t i = 0; i < rescue->gone_count; i++)
        postgres_push_int(&params, POSTGRES_INT8, rescue->gone[i]);
    postgres_array_end(&params);
    postgres_add_int8(&params, max < POSTGRES_GROUP_MAX ? (int64_t)max : POSTGRES_GROUP_MAX);
    postgres_add_text(&params, rescue->owner);
    postgres_add_int8(&params, rescue->lease_ms);
    postgres_add_incarnation(&params, store, true);

    enum tc_code code = postgres_run(connection, &take_statement, &params, &result, err);

    postgres_params_release(&params);
    for (int row = 0; code == TC_OK && row < PQntuples(result); row++)
        code = postgres_catch_add(store, &rescue->caught, result, row, PLACE, err);
    return code;
}

enum tc_code postgres_take_ended(struct tc_lease_repo *repo, const char *owner, size_t max,
                                 int64_t lease_ms, struct tc_task *ret_tasks, size_t *ret_count,
                                 struct tc_error *err)
{
    struct postgres_store *store = POSTGRES_SELF(repo, lease_repo);
    struct rescue rescue = {
        .owner = owner, .max = max, .lease_ms = lease_ms, .caught = { .tasks = ret_tasks }
    };
    size_t before = 0;
    enum tc_code code;

    if (max > TC_LEASE_GROUP_MAX)
        return tc_fail(err, TC_INTERNAL, "a rescue of %zu tasks", max);
    code = postgres_do(store, look, &rescue, err);
    if (code == TC_OK && (rescue.any_due || rescue.gone_count > 0))
        do {
            before = rescue.caught.count;
            code = postgres_do(store, take, &rescue, err);
        } while (code == TC_OK && rescue.caught.count > before && rescue.caught.count < max);
    if (code != TC_OK && rescue.caught.count == 0)
        return code;
    *ret_count = rescue.caught.count;
    return TC_OK;
}
