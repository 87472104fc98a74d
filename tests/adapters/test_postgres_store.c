/* Opening the store on servers and schemas of every kind, and repeating what collided. */

#include "adapters/postgres/postgres_internal.h"
#include "tests/adapters/postgres_client.h"
#include "tests/adapters/postgres_relay.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static struct postgres_store *opened;
static struct postgres_store_config config;
static struct tc_error err;

static void setup(void)
{
    config = (struct postgres_store_config){ .url = postgres_server_url(), .connect_ms = 500 };
    opened = NULL;
}

static void teardown(void)
{
    postgres_store_close(opened);
}

static void assert_refused(enum tc_code code, const char *words)
{
    enum tc_code actual = postgres_store_open(&config, &opened, &err);

    ck_assert_msg(actual == code, "%s: %s", tc_code_name(actual), err.message);
    ck_assert_int_eq(err.code, code);
    ck_assert_msg(strstr(err.message, words), "no '%s' in: %s", words, err.message);
    ck_assert_ptr_null(opened);
}

static void assert_opens(void)
{
    ck_assert_msg(postgres_store_open(&config, &opened, &err) == TC_OK, "%s", err.message);
}

static void pause_ms(long ms)
{
    const struct timespec pause = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

    nanosleep(&pause, NULL);
}

/* --- opening --- */

START_TEST(a_store_brings_all_its_ports)
{
    assert_opens();
    ck_assert_int_eq(tc_task_repo_validate(postgres_store_task_repo(opened), &err), TC_OK);
    ck_assert_int_eq(tc_lease_repo_validate(postgres_store_lease_repo(opened), &err), TC_OK);
    ck_assert_int_eq(
        tc_announcement_repo_validate(postgres_store_announcement_repo(opened), &err), TC_OK);
    ck_assert_ptr_nonnull(postgres_store_task_queue(opened));
    ck_assert_ptr_nonnull(postgres_store_task_events(opened));
}
END_TEST

START_TEST(what_makes_no_sense_is_refused)
{
    config.url = NULL;
    assert_refused(TC_INVALID, "URL");
    config.url = "mysql://host/database";
    assert_refused(TC_INVALID, "URL");
    config.url = postgres_server_url();
    config.connections = 65;
    assert_refused(TC_INVALID, "1..64");
    config.connections = 0;
    config.statement_ms = -1;
    assert_refused(TC_INVALID, "time");
}
END_TEST

START_TEST(a_schema_that_is_too_old_is_named_with_the_remedy)
{
    postgres_server_sql("DROP SCHEMA taskcore CASCADE");
    assert_refused(TC_INVALID, "schema version 0, this program needs 1: run taskctl migrate");
    postgres_server_recreate();
    assert_opens();
}
END_TEST

START_TEST(a_schema_that_is_too_new_is_named_with_the_remedy)
{
    postgres_server_sql("INSERT INTO taskcore.migration (version, name, checksum, applied_at)"
                        " VALUES (2, '0002_future', '', 0)");
    assert_refused(TC_INVALID, "is newer than this program (1): run a newer program");
    postgres_server_sql("DELETE FROM taskcore.migration WHERE version = 2");
}
END_TEST

/* --- servers that are not ready --- */

START_TEST(a_database_that_does_not_exist_is_not_waited_for)
{
    int64_t began_ms = client_tick_ms();

    config.url = postgres_server_url_with("taskcore_test_no_such_database", NULL);
    assert_refused(TC_INVALID, "does not exist");
    ck_assert_int_le(client_tick_ms() - began_ms, 2000);
}
END_TEST

START_TEST(a_server_that_does_not_come_is_unavailable_after_ten_seconds)
{
    int64_t began_ms = client_tick_ms();
    int port = 0;

    close(postgres_listen(&port));
    config.url = postgres_url_at(port);
    assert_refused(TC_UNAVAILABLE, "refused");
    ck_assert_int_ge(client_tick_ms() - began_ms, 9000);
    ck_assert_int_le(client_tick_ms() - began_ms, 11500);
}
END_TEST

static void allow_connections(bool allow)
{
    char sql[128];
    PGconn *pg = PQconnectdb(postgres_server_admin_url());
    PGresult *result;

    snprintf(sql, sizeof(sql), "ALTER DATABASE %s ALLOW_CONNECTIONS %s",
             postgres_server_database(), allow ? "true" : "false");
    result = PQexec(pg, sql);
    ck_assert_int_eq(PQresultStatus(result), PGRES_COMMAND_OK);
    PQclear(result);
    PQfinish(pg);
}

START_TEST(a_server_that_is_starting_is_waited_for)
{
    int status = 0;

    allow_connections(false);
    if (fork() == 0) {
        pause_ms(1000);
        allow_connections(true);
        _exit(0);
    }
    assert_opens();
    ck_assert_int_gt(wait(&status), 0);
}
END_TEST

START_TEST(a_server_that_hangs_for_a_moment_is_waited_for)
{
    struct postgres_relay relay;
    int status = 0;

    postgres_relay_start(&relay);
    postgres_relay_freeze(&relay);
    config.url = relay.url;

    pid_t helper = fork();

    if (helper == 0) {
        pause_ms(1200);
        postgres_relay_thaw(&relay);
        _exit(0);
    }
    assert_opens();
    postgres_store_close(opened);
    opened = NULL;
    ck_assert_int_eq(waitpid(helper, &status, 0), helper);
    postgres_relay_kill(&relay);
}
END_TEST

/* --- repeating --- */

struct collision {
    int failures; /* to come */
    int attempts;
    const char *sqlstate;
};

static enum tc_code collide(struct postgres_store *self, struct postgres_connection *connection,
                            void *ctx, struct tc_error *error)
{
    struct collision *collision = ctx;
    char sql[128];

    (void)self;
    snprintf(sql, sizeof(sql), "DO $$ BEGIN RAISE EXCEPTION 'so' USING ERRCODE = '%s'; END $$",
             collision->sqlstate);
    collision->attempts++;
    if (collision->failures-- <= 0)
        return postgres_run_script(connection, "SELECT 1", error);
    return postgres_run_script(connection, sql, error);
}

static enum tc_code do_colliding(const char *sqlstate, int failures, int *ret_attempts)
{
    struct collision collision = { .failures = failures, .sqlstate = sqlstate };
    enum tc_code code = postgres_do(opened, collide, &collision, &err);

    *ret_attempts = collision.attempts;
    return code;
}

static const struct {
    const char *sqlstate;
    int failures;
    enum tc_code code;
    int attempts;
} collisions[] = {
    { "40P01", 0, TC_OK, 1 },          { "40P01", 1, TC_OK, 2 },
    { "40001", 3, TC_OK, 4 },          { "40001", 4, TC_UNAVAILABLE, 4 },
    { "55P03", 1, TC_UNAVAILABLE, 1 }, /* waited already */
    { "23505", 1, TC_CONFLICT, 1 },    { "22012", 1, TC_INTERNAL, 1 },
};

START_TEST(what_collided_is_repeated_and_nothing_else)
{
    int attempts = 0;
    enum tc_code code;

    assert_opens();
    code = do_colliding(collisions[_i].sqlstate, collisions[_i].failures, &attempts);
    ck_assert_int_eq(code, collisions[_i].code);
    ck_assert_int_eq(attempts, collisions[_i].attempts);
}
END_TEST

START_TEST(every_connection_comes_back_to_the_pool)
{
    int attempts = 0;

    config.connections = 1;
    assert_opens();
    for (int i = 0; i < 5; i++)
        ck_assert_int_eq(do_colliding("22012", 1, &attempts), TC_INTERNAL);
    ck_assert_int_eq(do_colliding("22012", 0, &attempts), TC_OK);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("postgres_store");
    TCase *tcase = tcase_create("store");

    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, a_store_brings_all_its_ports);
    tcase_add_test(tcase, what_makes_no_sense_is_refused);
    tcase_add_test(tcase, a_schema_that_is_too_old_is_named_with_the_remedy);
    tcase_add_test(tcase, a_schema_that_is_too_new_is_named_with_the_remedy);
    tcase_add_test(tcase, a_database_that_does_not_exist_is_not_waited_for);
    tcase_add_test(tcase, a_server_that_does_not_come_is_unavailable_after_ten_seconds);
    tcase_add_test(tcase, a_server_that_is_starting_is_waited_for);
    tcase_add_test(tcase, a_server_that_hangs_for_a_moment_is_waited_for);
    tcase_add_loop_test(tcase, what_collided_is_repeated_and_nothing_else, 0,
                        sizeof(collisions) / sizeof(collisions[0]));
    tcase_add_test(tcase, every_connection_comes_back_to_the_pool);
    suite_add_tcase(suite, tcase);
    return postgres_server_run(suite);
}
