/* Claims by id, from hints: the tasks by their key, and then what names them in ready, as far
 * as nobody else holds it. */

#include "adapters/postgres/postgres_claims.h"

/*
 * $1 now, $2 ids, $3 queues, $4 types (none: any), $5 at most, $6 owner, $7 lease_ms,
 * $8 incarnation.
 *
 * A task that somebody else has in hand is passed over: it is being claimed, or about to end.
 * Rows of ready that are held by a claim keep their ids until it or another one comes by.
 */
#define MINE                                                                                   \
    "mine AS MATERIALIZED ("                                                                   \
    "    SELECT id, queue, type, (10 - priority)::int2 AS rank, place"                         \
    "    FROM taskcore.task"                                                                   \
    "    WHERE id = ANY ($2::uuid[]) AND status IN (1, 2)"                                     \
    "      AND (cardinality($3::text[]) = 0 OR queue = ANY ($3::text[]))"                      \
    "      AND (cardinality($4::text[]) = 0 OR type = ANY ($4::text[]))"                       \
    "    ORDER BY priority DESC, place, id LIMIT $5::int8 FOR UPDATE SKIP LOCKED),"
#define HELD                                                                                   \
    "held AS MATERIALIZED ("                                                                   \
    "    SELECT r.queue, r.type, r.rank, r.seq,"                                               \
    "           ARRAY(SELECT m.id FROM unnest(r.ids) WITH ORDINALITY AS m (id, num)"           \
    "                 WHERE m.id NOT IN (SELECT id FROM mine) ORDER BY m.num) AS rest"         \
    "    FROM (SELECT DISTINCT queue, type, rank, place FROM mine) s"                          \
    "    CROSS JOIN LATERAL ("                                                                 \
    "        SELECT queue, type, rank, seq, ids FROM taskcore.ready"                           \
    "        WHERE queue = s.queue AND type = s.type AND rank = s.rank AND seq = s.place"      \
    "        FOR UPDATE SKIP LOCKED) r"                                                        \
    "    LIMIT 1024),"
#define CUT                                                                                    \
    "cut AS ("                                                                                 \
    "    UPDATE taskcore.ready r SET ids = h.rest FROM held h"                                 \
    "    WHERE h.rest <> '{}'"                                                                 \
    "      AND (r.queue, r.type, r.rank, r.seq) = (h.queue, h.type, h.rank, h.seq)),"          \
    "gone AS ("                                                                                \
    "    DELETE FROM taskcore.ready r USING held h"                                            \
    "    WHERE h.rest = '{}'"                                                                  \
    "      AND (r.queue, r.type, r.rank, r.seq) = (h.queue, h.type, h.rank, h.seq)),"
#define GRIP    POSTGRES_GRIP("mine")
#define GRANTED POSTGRES_GRANTED("ARRAY(SELECT id FROM mine)", POSTGRES_GRIP_ID)
#define LEASED  POSTGRES_LEASED("$6::text", "$7::int8", "$8::int8", "false")
#define TASKS   POSTGRES_FROM_GRANTED("$6::text", "$7::int8")

static const struct postgres_statement claim_ids_statement = {
    .name = "claim_ids",
    .sql = "WITH " POSTGRES_CLOCK MINE HELD CUT GRIP GRANTED LEASED
           " SELECT t.place, " POSTGRES_TASK_COLUMNS TASKS
           " JOIN mine m ON m.id = t.id ORDER BY m.rank, m.place, m.id",
    .writes = true,
};

enum column { PLACE };

/* A part of the ids that one lease has room for. */
struct part {
    const struct tc_claim *claim;
    const struct tc_id *ids;
    size_t count;
    struct postgres_catch *caught;
};

static void add_part(struct postgres_params *params, const struct postgres_store *store,
                     const struct part *part)
{
    const struct tc_claim *claim = part->claim;

    postgres_add_now(params, store);
    postgres_add_ids(params, part->ids, part->count);
    postgres_add_names(params, claim->queues, claim->queue_count);
    postgres_add_names(params, claim->types, claim->type_count);
    postgres_add_int8(params, (int64_t)(claim->max - part->caught->count));
    postgres_add_text(params, claim->owner);
    postgres_add_int8(params, claim->lease_ms);
    postgres_add_incarnation(params, store, claim->of_process);
}

static enum tc_code claim_part(struct postgres_store *store,
                               struct postgres_connection *connection, void *ctx,
                               struct tc_error *err)
{
    const struct part *part = ctx;
    struct postgres_params params;
    AUTO_RESULT result = NULL;

    postgres_params_init(&params, 256 + 20 * part->count);
    add_part(&params, store, part);

    enum tc_code code = postgres_run(connection, &claim_ids_statement, &params, &result, err);

    postgres_params_release(&params);
    for (int row = 0; code == TC_OK && row < PQntuples(result); row++)
        code = postgres_catch_add(store, part->caught, result, row, PLACE, err);
    return code;
}

enum tc_code postgres_claim_ids(struct postgres_store *store, const struct tc_claim *claim,
                                struct postgres_catch *caught, struct tc_error *err)
{
    enum tc_code code = TC_OK;

    for (size_t from = 0; from < claim->id_count && code == TC_OK && caught->count < claim->max;
         from += POSTGRES_GROUP_MAX) {
        size_t left = claim->id_count - from;
        struct part part = { .claim = claim,
                             .ids = &claim->ids[from],
                             .count = left < POSTGRES_GROUP_MAX ? left : POSTGRES_GROUP_MAX,
                             .caught = caught };

        code = postgres_do(store, claim_part, &part, err);
    }
    return code;
}
