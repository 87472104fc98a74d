#ifndef TASKCORE_ADAPTERS_POSTGRES_CLAIMS_H
#define TASKCORE_ADAPTERS_POSTGRES_CLAIMS_H

/** @file postgres_claims.h What the files of the lease_repo half share. */

#include "adapters/postgres/postgres_internal.h"
#include "adapters/postgres/postgres_lanes.h"
#include "adapters/postgres/postgres_places.h"

/** Tasks that a call has leased so far; room is the caller's. */
struct postgres_catch {
    struct tc_task *tasks;
    size_t count;
};

/**
 * Add the task of a row: t.place in column `place_column`, POSTGRES_TASK_COLUMNS behind it.
 * Its lease is remembered for its finish.
 */
enum tc_code postgres_catch_add(struct postgres_store *store, struct postgres_catch *caught,
                                const PGresult *result, int row, int place_column,
                                struct tc_error *err) TC_MUST_CHECK;

/** The incarnation to write into a lease: NULL when it is to outlive this process. */
void postgres_add_incarnation(struct postgres_params *params,
                              const struct postgres_store *store, bool of_process);

/** An array of names. */
void postgres_add_names(struct postgres_params *params, const char *const *names, size_t count);

/** postgres_claim_ids.c: from hints. */
enum tc_code postgres_claim_ids(struct postgres_store *store, const struct tc_claim *claim,
                                struct postgres_catch *caught,
                                struct tc_error *err) TC_MUST_CHECK;

/* --- what statements have in common. Each is the text of one or more CTEs with a comma behind
 * it; the planner is told by arrays (= ANY (ARRAY(…))) and LATERAL to go by key, whatever it
 * thinks of the size of the tables: a plan is kept for as long as the connection. */

/** clock(at): one time for the whole statement, $1 or the server's. */
#define POSTGRES_CLOCK "clock AS MATERIALIZED (SELECT coalesce($1, taskcore.now_ms()) AS at),"

/**
 * grip(queue, id): a new lease for each queue in `queues`, the name of a CTE before with the
 * column queue. POSTGRES_GRIP_ID is the one for a task `t`, as an expression without a subplan
 * that depends on the row: an UPDATE that has to look at a newer version of its row evaluates
 * its expressions again, and must get the same number.
 */
#define POSTGRES_GRIP(queues)                                                                  \
    "grip AS MATERIALIZED ("                                                                   \
    "    SELECT q.queue, nextval('taskcore.lease_id') AS id"                                   \
    "    FROM (SELECT DISTINCT queue FROM " queues ") q),"
#define POSTGRES_GRIP_ID                                                                       \
    "(ARRAY(SELECT id FROM grip ORDER BY id))"                                                 \
    "[array_position(ARRAY(SELECT queue FROM grip ORDER BY id), t.queue)]"

/** granted(all columns of the task): claim those of `ids`, an array, that wait, for `lease`, an
 *  expression. */
#define POSTGRES_GRANTED(ids, lease)                                                           \
    "granted AS ("                                                                             \
    "    UPDATE taskcore.task t"                                                               \
    "    SET status = 3, epoch = t.epoch + 1, attempt = t.attempt + 1, outcome = 0,"           \
    "        started_at = (SELECT at FROM clock), updated_at = (SELECT at FROM clock),"        \
    "        progress = NULL, place = " lease "    WHERE t.id = ANY (" ids                     \
    ") AND t.status IN (1, 2)"                                                                 \
    "    RETURNING t.*),"

/** Store the leases of granted. No comma behind it: the last one. */
#define POSTGRES_LEASED(owner, lease_ms, incarnation, rescue)                                  \
    "leased AS ("                                                                              \
    "    INSERT INTO taskcore.lease (id, due_at, duration_ms, incarnation, live, rescue,"      \
    "                                queue, owner, ids)"                                       \
    "    SELECT place, (SELECT at FROM clock) + " lease_ms ", " lease_ms ", " incarnation ","  \
    "           count(*), " rescue ", queue, " owner ", array_agg(id)"                         \
    "    FROM granted GROUP BY place, queue)"

/** The tasks of granted as `t` with their lease as `l`, as POSTGRES_TASK_COLUMNS wants them. */
#define POSTGRES_FROM_GRANTED(owner_, lease_ms)                                                \
    " FROM granted t CROSS JOIN LATERAL ("                                                     \
    "     SELECT " owner_ " AS owner, t.updated_at + " lease_ms " AS due_at,"                  \
    "            " lease_ms " AS duration_ms) l"

/**
 * Take ended or moved tasks off their leases: `leaving` is a CTE before (or a subquery with its
 * alias) with a row per task and the column place. A lease is locked before its count is read,
 * so that several who do this at once subtract one after the other; the last one deletes it.
 */
#define POSTGRES_LOWER_LEASES(leaving)                                                         \
    "lowered AS MATERIALIZED ("                                                                \
    "    SELECT l.id, l.live - s.count AS live"                                                \
    "    FROM (SELECT place, count(*)::int4 AS count FROM " leaving                            \
    "          GROUP BY place ORDER BY place) s"                                               \
    "    CROSS JOIN LATERAL (SELECT id, live FROM taskcore.lease"                              \
    "                        WHERE id = s.place FOR UPDATE) l),"                               \
    "shrunk AS ("                                                                              \
    "    UPDATE taskcore.lease l SET live = s.live FROM lowered s"                             \
    "    WHERE l.id = ANY (ARRAY(SELECT id FROM lowered WHERE live > 0)) AND l.id = s.id),"    \
    "ended_lease AS ("                                                                         \
    "    DELETE FROM taskcore.lease"                                                           \
    "    WHERE id = ANY (ARRAY(SELECT id FROM lowered WHERE live <= 0)))"

/**
 * Arrays as rows, with their number as the last column. `count` is a parameter, of type int4.
 * The planner takes generate_series() for long and so joins by hash; unnest() it takes for
 * short whatever comes, and compares everything with everything.
 */
#define POSTGRES_ROWS_OF(arrays, count)                                                        \
    "ROWS FROM (" arrays ", generate_series(1, " count "::int4))"

#endif
