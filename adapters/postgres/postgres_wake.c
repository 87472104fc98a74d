/* Scheduled tasks that are due become claimable: new rows of ready, in groups. */

#include "adapters/postgres/postgres_claims.h"
#include "adapters/postgres/postgres_groups.h"

/*
 * $1 now, $2 at most, $3 when a publisher has to look after them: at once, for nobody else
 * tells the queue.
 *
 * The statement sees the tasks as they were when it began, so that the next one stands behind
 * those just woken. When others wake some at the same time it may name one of theirs: then it
 * comes early, never late.
 */
#define DUE                                                                                    \
    "due AS MATERIALIZED ("                                                                    \
    "    SELECT id, queue, type, priority FROM taskcore.task"                                  \
    "    WHERE wake_at <= (SELECT at FROM clock)"                                              \
    "    ORDER BY wake_at LIMIT $2::int8 FOR UPDATE SKIP LOCKED),"
#define ENTERED POSTGRES_ENTER_READY("due", "(SELECT at FROM clock)", "$3::int8") ","
#define WOKEN                                                                                  \
    "woken AS ("                                                                               \
    "    UPDATE taskcore.task t"                                                               \
    "    SET status = 1, place = p.seq, wake_at = NULL,"                                       \
    "        updated_at = (SELECT at FROM clock)"                                              \
    "    FROM placed p"                                                                        \
    "    WHERE t.id = ANY (ARRAY(SELECT id FROM due)) AND t.id = p.id)"
#define NEXT                                                                                   \
    "coalesce((SELECT greatest(0, wake_at - (SELECT at FROM clock))"                           \
    "          FROM taskcore.task WHERE wake_at IS NOT NULL"                                   \
    "          ORDER BY wake_at OFFSET (SELECT count(*) FROM due) LIMIT 1), -1)"

static const struct postgres_statement wake_statement = {
    .name = "wake",
    .sql = "WITH " POSTGRES_CLOCK DUE ENTERED WOKEN " SELECT (SELECT count(*) FROM due), " NEXT,
    .writes = true,
};

enum column { COUNT, NEXT_MS };

struct waking {
    size_t max;
    size_t count;
    int64_t next_ms;
};

static enum tc_code wake(struct postgres_store *store, struct postgres_connection *connection,
                         void *ctx, struct tc_error *err)
{
    struct waking *waking = ctx;
    struct postgres_params params;
    AUTO_RESULT result = NULL;

    postgres_params_init(&params, 64);
    postgres_add_now(&params, store);
    postgres_add_int8(&params, (int64_t)waking->max);
    if (store->config.announces)
        postgres_add_int8(&params, 0);
    else
        postgres_add_null(&params);

    enum tc_code code = postgres_run(connection, &wake_statement, &params, &result, err);

    postgres_params_release(&params);
    if (code != TC_OK)
        return code;
    waking->count = (size_t)postgres_get_int(result, 0, COUNT);
    waking->next_ms = postgres_get_int(result, 0, NEXT_MS);
    return TC_OK;
}

enum tc_code postgres_wake(struct tc_lease_repo *repo, size_t max, size_t *ret_count,
                           int64_t *ret_next_ms, struct tc_error *err)
{
    struct postgres_store *store = POSTGRES_SELF(repo, lease_repo);
    struct waking waking = { .max = max };
    enum tc_code code = postgres_do(store, wake, &waking, err);

    if (code != TC_OK)
        return code;
    if (waking.count > 0)
        postgres_lanes_touch(store->lanes);
    *ret_count = waking.count;
    *ret_next_ms = waking.next_ms;
    return TC_OK;
}
