/* Servers that go away or are not there: what is known is said, and all goes on when they are
 * back. */

#include "tests/adapters/postgres_client.h"
#include "tests/adapters/postgres_relay.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LATE_MS 500 /* for a busy machine */

static void pause_ms(long ms)
{
    const struct timespec pause = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

    nanosleep(&pause, NULL);
}

static void point_at(const char *url)
{
    client.config.url = url;
    client_open();
}

/* --- the server goes --- */

static const struct postgres_statement die_reading = {
    .name = "die_reading",
    .sql = "SELECT pg_terminate_backend(pg_backend_pid()), pg_sleep(5)",
};
static const struct postgres_statement die_writing = {
    .name = "die_writing",
    .sql = "WITH w AS (INSERT INTO public.thing (num) VALUES (99) RETURNING num)"
           " SELECT num, pg_terminate_backend(pg_backend_pid()), pg_sleep(5) FROM w",
    .writes = true,
};

START_TEST(terminated_while_reading_is_unavailable)
{
    client_assert_failed(client_run(&die_reading), TC_UNAVAILABLE, "57P01");
    ck_assert(!postgres_is_connected(client.connection));
    ck_assert_int_eq(postgres_socket(client.connection), -1);
}
END_TEST

START_TEST(terminated_while_writing_is_unknown)
{
    client_assert_failed(client_run(&die_writing), TC_UNKNOWN, "57P01");
    ck_assert_int_eq(client_thing_count(), 0);
}
END_TEST

START_TEST(terminated_in_a_transaction_is_unavailable_for_nothing_was_committed)
{
    postgres_begin(client.connection);
    client_do(&client_insert);
    client_assert_failed(client_run(&die_writing), TC_UNAVAILABLE, "57P01");
    client_assert_failed(client_run(&client_insert), TC_UNAVAILABLE, "");
    ck_assert_int_eq(postgres_commit(client.connection, &client.err), TC_UNAVAILABLE);
    ck_assert_int_eq(client_thing_count(), 0);
    client_await_reconnect();
    client_do(&client_insert);
    ck_assert_int_eq(client_thing_count(), 1);
}
END_TEST

START_TEST(a_transaction_does_not_go_on_over_another_connection)
{
    postgres_begin(client.connection);
    client_do(&client_insert);
    client_assert_failed(client_run(&die_reading), TC_UNAVAILABLE, "57P01");
    client_await_reconnect();
    client_assert_failed(client_run(&client_insert), TC_UNAVAILABLE, "");
    ck_assert_int_eq(postgres_commit(client.connection, &client.err), TC_UNAVAILABLE);
    ck_assert_int_eq(client_thing_count(), 0);
}
END_TEST

static void die_at_commit(void)
{
    postgres_server_sql(
        "CREATE OR REPLACE FUNCTION public.die() RETURNS trigger LANGUAGE plpgsql AS"
        " 'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END';"
        " CREATE CONSTRAINT TRIGGER die AFTER INSERT ON public.thing"
        " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.die()");
}

START_TEST(terminated_at_the_commit_of_writes_is_unknown)
{
    die_at_commit();
    postgres_begin(client.connection);
    client_do(&client_insert);
    client_assert_failed(postgres_commit(client.connection, &client.err), TC_UNKNOWN, "57P01");
    client_await_reconnect();
    client_assert_failed(client_run(&client_insert), TC_UNKNOWN, "57P01");
}
END_TEST

START_TEST(after_a_loss_the_next_connect_waits_a_moment)
{
    uint64_t generation;

    client_do(&client_read);
    generation = postgres_generation(client.connection);
    client_assert_failed(client_run(&die_reading), TC_UNAVAILABLE, "57P01");
    client_assert_failed(client_run(&client_read), TC_UNAVAILABLE, "");
    pause_ms(60);
    client_do(&client_read);
    ck_assert_uint_eq(postgres_generation(client.connection), generation + 1);
}
END_TEST

static void terminate_ours(void)
{
    postgres_server_sql("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                        " WHERE application_name = 'taskcore-test'"
                        " AND datname = current_database()");
}

START_TEST(what_broke_while_idle_is_replaced_without_a_word)
{
    for (int i = 1; i <= 3; i++) {
        client_do(&client_insert);
        terminate_ours();
        client_do(&client_insert);
        ck_assert_int_eq(client_thing_count(), i * 2);
    }
    ck_assert_uint_eq(postgres_generation(client.connection), 4);
}
END_TEST

START_TEST(who_listens_is_told_that_the_connection_broke)
{
    PGnotify *notify = NULL;
    enum tc_code code = TC_OK;

    client_do(&client_read);
    terminate_ours();
    for (int i = 0; i < 100 && code == TC_OK; i++) {
        code = postgres_next_notify(client.connection, &notify, &client.err);
        pause_ms(10);
    }
    ck_assert_int_eq(code, TC_UNAVAILABLE);
    ck_assert(!postgres_is_connected(client.connection));
    ck_assert_int_eq(postgres_next_notify(client.connection, &notify, &client.err),
                     TC_UNAVAILABLE);
}
END_TEST

START_TEST(after_a_disconnect_the_next_statement_connects_at_once)
{
    client_do(&client_read);
    postgres_disconnect(client.connection);
    ck_assert(!postgres_is_connected(client.connection));
    client_do(&client_read);
    ck_assert_uint_eq(postgres_generation(client.connection), 2);
}
END_TEST

/* --- what the server has forgotten --- */

START_TEST(forgotten_statements_are_prepared_anew)
{
    client_do(&client_insert);
    ck_assert_int_eq(postgres_run_script(client.connection, "DISCARD ALL", &client.err), TC_OK);
    client_assert_failed(client_run(&client_insert), TC_UNAVAILABLE, "26000");
    client_await_reconnect();
    client_do(&client_insert);
    ck_assert_int_eq(client_thing_count(), 2);
}
END_TEST

START_TEST(a_migration_under_a_prepared_statement_costs_one_answer)
{
    static const struct postgres_statement all = { .name = "all",
                                                   .sql = "SELECT * FROM public.thing" };

    client_do(&all);
    postgres_server_sql("ALTER TABLE public.thing ADD COLUMN more int");
    client_assert_failed(client_run(&all), TC_UNAVAILABLE, "0A000");
    client_await_reconnect();
    client_do(&all);
    ck_assert_int_eq(PQnfields(client.result), 2);
}
END_TEST

/* --- the server is not there --- */

static const char *dead_url(void)
{
    int port = 0;

    close(postgres_listen(&port));
    return postgres_url_at(port);
}

START_TEST(no_server_is_unavailable_at_once)
{
    point_at(dead_url());

    int64_t began_ms = client_tick_ms();

    client_assert_failed(client_run(&client_insert), TC_UNAVAILABLE, "");
    ck_assert_int_le(client_tick_ms() - began_ms, LATE_MS);
    ck_assert_ptr_nonnull(strstr(client.err.message, "refused"));
}
END_TEST

/* How many times in `ms` it really tried. */
static int count_tries(int64_t ms)
{
    int64_t end_ms = client_tick_ms() + ms;
    int tries = 0;

    while (client_tick_ms() < end_ms) {
        ck_assert_int_eq(client_run(&client_read), TC_UNAVAILABLE);
        tries += strstr(client.err.message, "refused") != NULL;
        pause_ms(5);
    }
    return tries;
}

START_TEST(connects_are_spaced_out_from_50_to_500_ms)
{
    point_at(dead_url());
    ck_assert_int_ge(count_tries(1000), 3); /* at 0, 50, 150, 350, 750 */
    int later = count_tries(2000);

    ck_assert_int_ge(later, 2);
    ck_assert_int_le(later, 5);
}
END_TEST

START_TEST(a_refused_login_says_why)
{
    point_at(postgres_server_url_with("taskcore_test_no_such_database", NULL));
    ck_assert_int_eq(client_run(&client_read), TC_UNAVAILABLE);
    ck_assert_str_eq(postgres_sqlstate(client.connection), "3D000");
    ck_assert_ptr_nonnull(strstr(client.err.message, "does not exist"));
}
END_TEST

START_TEST(a_server_that_cannot_be_written_is_not_taken_unless_asked_for)
{
    postgres_server_sql("DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET"
                        " default_transaction_read_only = on', current_database()); END $$");
    ck_assert_int_eq(client_run(&client_read), TC_UNAVAILABLE);
    point_at(postgres_server_url_with(NULL, "target_session_attrs=any"));
    client_do(&client_read);
    ck_assert_int_eq(client_run(&client_insert), TC_UNAVAILABLE);
    ck_assert_str_eq(postgres_sqlstate(client.connection), "25006");
    ck_assert_int_eq(postgres_run_script(client.connection, "SELECT 1", NULL), TC_UNAVAILABLE);
    client_await_reconnect();
    postgres_begin(client.connection);
    ck_assert_int_eq(postgres_run_script(client.connection,
                                         "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I RESET"
                                         " ALL', current_database()); END $$",
                                         &client.err),
                     TC_OK);
    ck_assert_int_eq(postgres_commit(client.connection, &client.err), TC_OK);
}
END_TEST

/* --- URLs --- */

static const char *const bad_urls[] = {
    "postgresql://user:hunter2@host:port/database?no_such_option=1",
    "postgresql://user:hunter2@[::1/database",
    "nonsense hunter2",
    "postgresql://user:hunter2%zz@host/database",
};

START_TEST(a_bad_url_is_refused_without_its_password)
{
    struct postgres_connection *connection = NULL;

    client.config.url = bad_urls[_i];
    ck_assert_int_eq(postgres_connection_new(&client.config, &connection, &client.err),
                     TC_INVALID);
    ck_assert_ptr_null(strstr(client.err.message, "hunter2"));
    ck_assert_ptr_null(connection);
}
END_TEST

static TCase *make_tcase(Suite *suite, const char *name)
{
    TCase *tcase = tcase_create(name);

    tcase_set_timeout(tcase, 30);
    tcase_add_checked_fixture(tcase, client_setup, client_teardown);
    suite_add_tcase(suite, tcase);
    return tcase;
}

static void add_losses(TCase *tcase)
{
    tcase_add_test(tcase, terminated_while_reading_is_unavailable);
    tcase_add_test(tcase, terminated_while_writing_is_unknown);
    tcase_add_test(tcase, terminated_in_a_transaction_is_unavailable_for_nothing_was_committed);
    tcase_add_test(tcase, a_transaction_does_not_go_on_over_another_connection);
    tcase_add_test(tcase, terminated_at_the_commit_of_writes_is_unknown);
    tcase_add_test(tcase, after_a_loss_the_next_connect_waits_a_moment);
    tcase_add_test(tcase, what_broke_while_idle_is_replaced_without_a_word);
    tcase_add_test(tcase, who_listens_is_told_that_the_connection_broke);
    tcase_add_test(tcase, after_a_disconnect_the_next_statement_connects_at_once);
    tcase_add_test(tcase, forgotten_statements_are_prepared_anew);
    tcase_add_test(tcase, a_migration_under_a_prepared_statement_costs_one_answer);
}

int main(void)
{
    Suite *suite = suite_create("postgres_broken");
    TCase *absent = make_tcase(suite, "absent");

    add_losses(make_tcase(suite, "lost"));
    tcase_add_test(absent, no_server_is_unavailable_at_once);
    tcase_add_test(absent, connects_are_spaced_out_from_50_to_500_ms);
    tcase_add_test(absent, a_refused_login_says_why);
    tcase_add_test(absent, a_server_that_cannot_be_written_is_not_taken_unless_asked_for);
    tcase_add_loop_test(absent, a_bad_url_is_refused_without_its_password, 0,
                        sizeof(bad_urls) / sizeof(bad_urls[0]));
    return postgres_server_run_bare(suite);
}
