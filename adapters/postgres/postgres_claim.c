/* Claims. Without ids: look where tasks are known to wait, and search when that is not enough.
 */

#include "adapters/postgres/postgres_take.h"

#include <string.h>

#define WAITS_MAX 8 /* of one claim, for rows that others held */

/* --- statements on a connection of the pool */

static enum tc_code search(struct postgres_store *store, struct postgres_connection *connection,
                           void *ctx, struct tc_error *err)
{
    return postgres_search(store, connection, ((struct postgres_claiming *)ctx)->claim, err);
}

static enum tc_code take(struct postgres_store *store, struct postgres_connection *connection,
                         void *ctx, struct tc_error *err)
{
    return postgres_take(store, connection, ctx, false, err);
}

static const struct postgres_statement patience_statement = {
    .name = "claim_patience",
    .sql = "SELECT set_config('lock_timeout', '250ms', true)",
    .writes = false,
};

static void drop_from(struct postgres_catch *caught, size_t count)
{
    while (caught->count > count)
        tc_task_release(&caught->tasks[--caught->count]);
}

/* A row that somebody holds for this long is in the hands of one who hangs: for a while nobody
 * here waits for it again. */
static enum tc_code give_up(struct postgres_store *store,
                            struct postgres_connection *connection, enum tc_code code)
{
    if (strcmp(postgres_sqlstate(connection), "55P03") != 0)
        return code;
    postgres_lanes_jam(store->lanes);
    return TC_OK;
}

static enum tc_code take_patiently(struct postgres_store *store,
                                   struct postgres_connection *connection, void *ctx,
                                   struct tc_error *err)
{
    struct postgres_claiming *claiming = ctx;
    size_t before = claiming->caught.count;
    enum tc_code code;

    postgres_begin(connection);
    code = postgres_run(connection, &patience_statement, NULL, NULL, err);
    if (code == TC_OK)
        code = postgres_take(store, connection, claiming, true, err);
    if (code == TC_OK)
        code = postgres_commit(connection, err);
    if (code == TC_OK)
        return TC_OK;
    drop_from(&claiming->caught, before);
    claiming->took_rows = false;
    code = give_up(store, connection, code);
    postgres_rollback(connection);
    return code;
}

/* --- one claim */

static enum tc_code plan_next(struct postgres_store *store, struct postgres_claiming *claiming,
                              bool dry, struct tc_error *err)
{
    size_t wanted = claiming->claim->max - claiming->caught.count;

    if (wanted > POSTGRES_GROUP_MAX) /* a lease has room for so many */
        wanted = POSTGRES_GROUP_MAX;
    return postgres_lanes_plan(store->lanes, claiming->claim, wanted, claiming->turn, dry,
                               &claiming->plan, err);
}

static enum tc_code search_now(struct postgres_store *store, struct postgres_claiming *claiming,
                               struct tc_error *err)
{
    claiming->searched = true;
    return postgres_do(store, search, claiming, err);
}

/* Look where the plan says. Rows that a search has just seen and that cannot be locked are held
 * by others, for a moment: get in line. */
static enum tc_code take_now(struct postgres_store *store, struct postgres_claiming *claiming,
                             struct tc_error *err)
{
    enum tc_code code = postgres_do(store, take, claiming, err);

    if (code == TC_OK && !claiming->took_rows && claiming->searched &&
        claiming->waits < WAITS_MAX && !postgres_lanes_are_jammed(store->lanes)) {
        claiming->waits++;
        claiming->searched = false;
        code = postgres_do(store, take_patiently, claiming, err);
    }
    if (claiming->took_rows)
        claiming->searched = false;
    return code;
}

/* Nothing more is known to wait: search, unless that takes long; then look behind the marks. */
static enum tc_code find_more(struct postgres_store *store, struct postgres_claiming *claiming,
                              bool *ret_found, struct tc_error *err)
{
    enum tc_code code;

    *ret_found = !claiming->searched;
    if (claiming->searched)
        return TC_OK;
    if (postgres_lanes_may_search(store->lanes))
        return search_now(store, claiming, err);
    code = plan_next(store, claiming, true, err);
    claiming->took_rows = false;
    if (code == TC_OK && claiming->plan.count > 0)
        code = take_now(store, claiming, err);
    *ret_found = claiming->took_rows;
    return code;
}

/* Until there is enough, or a search that is newer than the last look finds no more. */
static enum tc_code claim_any(struct postgres_store *store, struct postgres_claiming *claiming,
                              struct tc_error *err)
{
    enum tc_code code = TC_OK;
    bool found = true;

    claiming->turn = postgres_lanes_turn(store->lanes);
    if (postgres_lanes_are_old(store->lanes, claiming->claim))
        code = search_now(store, claiming, err);
    while (code == TC_OK && found && claiming->caught.count < claiming->claim->max) {
        code = plan_next(store, claiming, false, err);
        if (code != TC_OK)
            break;
        if (claiming->plan.count > 0)
            code = take_now(store, claiming, err);
        else
            code = find_more(store, claiming, &found, err);
    }
    return code;
}

enum tc_code postgres_claim(struct tc_lease_repo *repo, const struct tc_claim *claim,
                            struct tc_task *ret_tasks, size_t *ret_count, struct tc_error *err)
{
    struct postgres_store *store = POSTGRES_SELF(repo, lease_repo);
    struct postgres_claiming claiming = { .claim = claim, .caught = { .tasks = ret_tasks } };
    enum tc_code code;

    if (claim->max > TC_LEASE_GROUP_MAX)
        return tc_fail(err, TC_INTERNAL, "a claim of %zu tasks", claim->max);
    code = claim->id_count > 0 ? postgres_claim_ids(store, claim, &claiming.caught, err)
                               : claim_any(store, &claiming, err);
    if (code != TC_OK && claiming.caught.count == 0)
        return code;
    *ret_count = claiming.caught.count; /* what was leased before a failure is leased */
    return TC_OK;
}
