#include "adapters/postgres/postgres_internal.h"
#include "adapters/postgres/postgres_lanes.h"
#include "adapters/postgres/postgres_schema.h"
#include "adapters/postgres/postgres_timed_wait.h"
#include "ports/clock.h"
#include "ports/logger.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CONNECTIONS_DEFAULT  3
#define CONNECTIONS_MAX      64
#define STATEMENT_MS_DEFAULT 5000
#define CONNECT_MS_DEFAULT   3000

#define OPEN_MAX_MS    10000 /* for a server that is about to be there */
#define OPEN_PAUSE_MS  100
#define REPEAT_MAX     3
#define REPEAT_MIN_MS  5
#define REPEAT_SPAN_MS 46 /* 5..50 */

/* --- what the methods share --- */

void postgres_add_now(struct postgres_params *params, const struct postgres_store *store)
{
    if (store->config.clock)
        postgres_add_int8(params, tc_clock_now_ms(store->config.clock));
    else
        postgres_add_null(params);
}

void postgres_add_check_after(struct postgres_params *params,
                              const struct postgres_store *store)
{
    if (store->config.announces)
        postgres_add_int8(params, store->config.announce_after_ms);
    else
        postgres_add_null(params);
}

static void pause_ms(long ms)
{
    struct timespec left = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

    nanosleep(&left, NULL);
}

/* So that two who met do not meet again. */
static void pause_before_repeat(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    pause_ms(REPEAT_MIN_MS + now.tv_nsec / 1000 % REPEAT_SPAN_MS);
}

static bool is_worth_repeating(const struct postgres_connection *connection, enum tc_code code)
{
    const char *sqlstate = postgres_sqlstate(connection);

    return code == TC_UNAVAILABLE &&
           (strcmp(sqlstate, "40001") == 0 || strcmp(sqlstate, "40P01") == 0);
}

enum tc_code postgres_do(struct postgres_store *store, postgres_work *work, void *ctx,
                         struct tc_error *err)
{
    struct postgres_connection *connection = NULL;
    enum tc_code code = postgres_pool_take(store->pool, &connection, err);

    if (code != TC_OK)
        return code;
    code = work(store, connection, ctx, err);
    for (int i = 0; i < REPEAT_MAX && is_worth_repeating(connection, code); i++) {
        pause_before_repeat();
        code = work(store, connection, ctx, err);
    }
    postgres_pool_give(store->pool, connection);
    return code;
}

/* --- the ports --- */

static const struct tc_task_repo_ops task_repo_ops = {
    .name = "postgres",
    .insert = postgres_insert,
    .get = postgres_get,
    .list = postgres_list,
    .change = postgres_change,
    .counts = postgres_counts,
    .check = postgres_check,
    .forget_keys = postgres_forget_keys,
};

static const struct tc_lease_repo_ops lease_repo_ops = {
    .name = "postgres",
    .claim = postgres_claim,
    .extend = postgres_extend,
    .finish = postgres_finish,
    .take_ended = postgres_take_ended,
    .wake = postgres_wake,
};

static const struct tc_announcement_repo_ops announcement_repo_ops = {
    .name = "postgres",
    .take = postgres_announce_take,
    .announced = postgres_announce_done,
};

/* --- opening, step by step --- */

static enum tc_code check_config(const struct postgres_store_config *config,
                                 struct tc_error *err)
{
    if (!config->url || !config->url[0])
        return tc_fail(err, TC_INVALID, "postgres: a URL is required");
    if (config->connections > CONNECTIONS_MAX)
        return tc_fail(err, TC_INVALID, "postgres: connections must be 1..%d", CONNECTIONS_MAX);
    if (config->statement_ms < 0 || config->connect_ms < 0)
        return tc_fail(err, TC_INVALID, "postgres: a limit of time is below 0");
    return TC_OK;
}

static void fill_defaults(struct postgres_store_config *config)
{
    if (!config->name)
        config->name = "taskcore";
    if (!config->connections)
        config->connections = CONNECTIONS_DEFAULT;
    if (!config->statement_ms)
        config->statement_ms = STATEMENT_MS_DEFAULT;
    if (!config->connect_ms)
        config->connect_ms = CONNECT_MS_DEFAULT;
}

/* A refused login or an absent database: waiting does not help, an operator does. */
static bool is_hopeless(const struct postgres_connection *connection)
{
    const char *sqlstate = postgres_sqlstate(connection);

    return strncmp(sqlstate, "28", 2) == 0 || strcmp(sqlstate, "3D000") == 0;
}

/* A server that is starting together with this program is waited for. */
static enum tc_code reach(struct postgres_connection *connection, struct tc_error *err)
{
    int64_t end_ms = postgres_tick_us() / 1000 + OPEN_MAX_MS;
    enum tc_code code;

    for (;;) {
        code = postgres_connect(connection, err);
        if (code == TC_UNAVAILABLE && is_hopeless(connection)) {
            if (err)
                err->code = TC_INVALID;
            return TC_INVALID;
        }
        if (code != TC_UNAVAILABLE || postgres_tick_us() / 1000 + OPEN_PAUSE_MS >= end_ms)
            return code;
        postgres_disconnect(connection); /* no backoff: the pause is here */
        pause_ms(OPEN_PAUSE_MS);
    }
}

static enum tc_code check_server(struct postgres_store *store, struct tc_error *err)
{
    struct postgres_connection *connection = NULL;
    enum tc_code code = postgres_pool_take(store->pool, &connection, err);

    if (code != TC_OK)
        return code;
    code = reach(connection, err);
    if (code == TC_OK)
        code = postgres_schema_check(connection, err);
    postgres_pool_give(store->pool, connection);
    return code;
}

static enum tc_code open_parts(struct postgres_store *store, struct tc_error *err)
{
    const struct postgres_store_config *config = &store->config;
    const struct postgres_connection_config connection = {
        .url = config->url,
        .name = config->name,
        .statement_ms = config->statement_ms,
        .connect_ms = config->connect_ms,
        .prepares = !config->transaction_pooler,
        .logger = config->logger,
    };
    enum tc_code code = postgres_pool_open(&connection, config->connections, &store->pool, err);

    if (code == TC_OK)
        code = check_server(store, err);
    if (code == TC_OK)
        code = postgres_lanes_new(&store->lanes, err);
    if (code == TC_OK)
        code = postgres_session_open(&connection, config->transaction_pooler, &store->session,
                                     err);
    return code;
}

enum tc_code postgres_store_open(const struct postgres_store_config *config,
                                 struct postgres_store **ret_store, struct tc_error *err)
{
    enum tc_code code = check_config(config, err);

    if (code != TC_OK)
        return code;

    struct postgres_store *store = calloc(1, sizeof(*store));

    if (!store)
        return tc_fail(err, TC_NO_MEMORY, "postgres: a store");
    store->task_repo.ops = &task_repo_ops;
    store->lease_repo.ops = &lease_repo_ops;
    store->announcement_repo.ops = &announcement_repo_ops;
    store->config = *config;
    fill_defaults(&store->config);
    code = open_parts(store, err);
    if (code != TC_OK)
        postgres_store_close(store);
    else
        *ret_store = store;
    return code;
}

void postgres_store_close(struct postgres_store *store)
{
    if (!store)
        return;
    postgres_session_close(store->session);
    postgres_lanes_free(store->lanes);
    postgres_pool_close(store->pool);
    free(store);
}

struct tc_task_repo *postgres_store_task_repo(struct postgres_store *store)
{
    return &store->task_repo;
}

struct tc_lease_repo *postgres_store_lease_repo(struct postgres_store *store)
{
    return &store->lease_repo;
}

struct tc_announcement_repo *postgres_store_announcement_repo(struct postgres_store *store)
{
    return &store->announcement_repo;
}

struct tc_task_queue *postgres_store_task_queue(struct postgres_store *store)
{
    return postgres_session_task_queue(store->session);
}

struct tc_task_events *postgres_store_task_events(struct postgres_store *store)
{
    return postgres_session_task_events(store->session);
}
