/* The lanes that exist, each with its first row: from one to the next by the index, so that a
 * lane with a million rows costs as much as one with a single row. */

#include "adapters/postgres/postgres_take.h"

#include <stdlib.h>

#define COLUMNS "queue, type, rank, seq, cardinality(ids) AS ids"
#define ORDER   "ORDER BY queue, type, rank, seq LIMIT 1"

/* $1, $2, $3: behind this queue, type and rank. */
static const struct postgres_statement search_statement = {
    .name = "search",
    .writes = false,
    .sql = "WITH RECURSIVE lane AS ("
           "    (SELECT " COLUMNS " FROM taskcore.ready r"
           "     WHERE (r.queue, r.type, r.rank) > ($1::text, $2::text, $3::int2) " ORDER ") "
           "    UNION ALL"
           "    SELECT n.* FROM lane l CROSS JOIN LATERAL ("
           "        SELECT " COLUMNS " FROM taskcore.ready r"
           "        WHERE (r.queue, r.type, r.rank) > (l.queue, l.type, l.rank) " ORDER ") n) "
           "SELECT * FROM lane LIMIT 1024",
};

/* $1 queues. */
static const struct postgres_statement search_queues_statement = {
    .name = "search_queues",
    .writes = false,
    .sql = "SELECT f.* "
           "FROM (SELECT DISTINCT queue FROM unnest($1::text[]) AS q (queue)) q "
           "CROSS JOIN LATERAL ("
           "    WITH RECURSIVE lane AS ("
           "        (SELECT " COLUMNS " FROM taskcore.ready r"
           "         WHERE r.queue = q.queue " ORDER ") "
           "        UNION ALL"
           "        SELECT n.* FROM lane l CROSS JOIN LATERAL ("
           "            SELECT " COLUMNS " FROM taskcore.ready r"
           "            WHERE r.queue = q.queue AND (r.type, r.rank) > (l.type, l.rank) " ORDER
           "            ) n)"
           "    SELECT * FROM lane) f LIMIT 1024",
};

static enum tc_code read_lanes(const PGresult *result, const struct tc_claim *claim,
                               const struct postgres_search *search,
                               struct postgres_lanes *lanes, struct tc_error *err)
{
    size_t count = (size_t)PQntuples(result);
    struct postgres_lane *found = malloc((count + 1) * sizeof(*found));

    if (!found)
        return tc_fail(err, TC_NO_MEMORY, "postgres: %zu lanes", count);
    for (size_t i = 0; i < count; i++) {
        int row = (int)i;

        postgres_get_text(result, row, 0, found[i].queue, sizeof(found[i].queue));
        postgres_get_text(result, row, 1, found[i].type, sizeof(found[i].type));
        found[i].rank = (int)postgres_get_int(result, row, 2);
        found[i].seq = postgres_get_int(result, row, 3);
        found[i].ids = (int)postgres_get_int(result, row, 4);
    }
    postgres_lanes_learn(lanes, claim, search, found, count);
    free(found);
    return TC_OK;
}

enum tc_code postgres_search(struct postgres_store *store,
                             struct postgres_connection *connection,
                             const struct tc_claim *claim, struct tc_error *err)
{
    const struct postgres_search begun = postgres_lanes_begin(store->lanes);
    bool named = claim->queue_count > 0;
    struct postgres_params params;
    AUTO_RESULT result = NULL;

    postgres_params_init(&params, 256);
    if (named) {
        postgres_add_names(&params, claim->queues, claim->queue_count);
    } else {
        postgres_add_text(&params, begun.from.queue);
        postgres_add_text(&params, begun.from.type);
        postgres_add_int2(&params, begun.from.rank);
    }

    enum tc_code code =
        postgres_run(connection, named ? &search_queues_statement : &search_statement, &params,
                     &result, err);

    postgres_params_release(&params);
    return code == TC_OK ? read_lanes(result, claim, &begun, store->lanes, err) : code;
}
