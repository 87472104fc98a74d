/* The store on the database of postgres_server.c. A file of its own, because tests of what is
 * below the store do without it. */

#include "tests/adapters/postgres_server.h"

#include "adapters/postgres/postgres_invariants.h"

#include <stdio.h>
#include <string.h>

static bool behind_pooler;

enum tc_code postgres_server_open(struct tc_clock *clock, struct postgres_store **ret_store,
                                  struct tc_error *err)
{
    const struct postgres_store_config config = { .url = postgres_server_url(),
                                                  .clock = clock };

    return postgres_store_open(&config, ret_store, err);
}

static enum tc_code open_store(struct tc_clock *clock, struct store_under_test *ret_store,
                               struct tc_error *err)
{
    struct postgres_store *postgres = NULL;
    enum tc_code code = postgres_server_open(clock, &postgres, err);

    if (code == TC_OK)
        *ret_store = (struct store_under_test){
            .tasks = postgres_store_task_repo(postgres),
            .leases = postgres_store_lease_repo(postgres),
            .ctx = postgres,
        };
    return code;
}

static enum tc_code driver_open(struct tc_clock *clock, struct store_under_test *ret_store,
                                struct tc_error *err)
{
    postgres_server_empty();
    return open_store(clock, ret_store, err);
}

/* The suites give outcomes that the core would not choose: a store does not judge ([L6]). */
static bool is_of_core(const char *name)
{
    static const char *const names[] = { "attempts", "ran", "failed_for_a_reason",
                                         "crashes_end" };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(names[i], name) == 0)
            return true;
    }
    return false;
}

static void count_broken(void *ctx, const char *name, const char *rule, size_t rows,
                         const char *example)
{
    size_t *broken = ctx;

    if (is_of_core(name))
        return;
    ++*broken;
    fprintf(stderr, "%s: not true for %zu rows, one is %s: %s\n", name, rows, example, rule);
}

void postgres_server_check(void)
{
    struct tc_error err = { 0 };
    size_t broken = 0;
    size_t rules = 0;
    size_t all = 0;
    enum tc_code code = postgres_check_invariants(postgres_server_url(), count_broken, &broken,
                                                  &rules, &all, &err);

    ck_assert_msg(code == TC_OK, "check: %s", err.message);
    ck_assert_msg(broken == 0, "%zu of %zu invariants do not hold", broken, rules);
}

/* Whatever a test has done, its tables must be sound. */
static void driver_close(struct store_under_test *under_test)
{
    postgres_store_close(under_test->ctx);
    postgres_server_check();
}

/* The server notices within milliseconds that the session is gone, and frees its lock. */
static enum tc_code driver_reopen(struct store_under_test *under_test, struct tc_clock *clock,
                                  struct tc_error *err)
{
    postgres_store_close(under_test->ctx);
    postgres_server_await("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND"
                          " database = (SELECT oid FROM pg_database"
                          " WHERE datname = current_database())",
                          0);
    return open_store(clock, under_test, err);
}

static enum tc_code pooler_open(struct tc_clock *clock, struct store_under_test *ret_store,
                                struct tc_error *err)
{
    behind_pooler = true;
    return driver_open(clock, ret_store, err);
}

const struct store_driver postgres_pooler_driver = {
    .name = "postgres behind a pooler",
    .open = pooler_open,
    .close = driver_close,
    .reopen = driver_reopen,
};

const struct store_driver postgres_driver = {
    .name = "postgres",
    .open = driver_open,
    .close = driver_close,
    .reopen = driver_reopen,
    .death_ms = 1500,
};
