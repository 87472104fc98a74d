/* Statements and transactions on a connection that holds, and their notices. */

#include "tests/adapters/postgres_client.h"
#include "tests/support/fakes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- statements --- */

START_TEST(a_statement_answers)
{
    client_do(&client_read);
    ck_assert_int_eq(client_number(), 7);
}
END_TEST

START_TEST(a_statement_is_prepared_once)
{
    static const struct postgres_statement count = {
        .name = "count_prepared",
        .sql = "SELECT sum(generic_plans + custom_plans)::bigint FROM pg_prepared_statements"
               " WHERE name = 'client_read'",
    };

    for (int i = 0; i < 3; i++)
        client_do(&client_read);
    client_do(&count);
    ck_assert_int_eq(client_number(), 3);
}
END_TEST

START_TEST(what_is_not_to_be_prepared_leaves_nothing_behind)
{
    static const struct postgres_statement trace = {
        .name = "trace",
        .sql = "SELECT (SELECT count(*) FROM pg_prepared_statements)"
               " + (SELECT count(*) FROM pg_settings WHERE source = 'session')",
    };

    client.config.prepares = false;
    client_open();
    for (int i = 0; i < 3; i++)
        client_do(&client_read);
    client_do(&trace);
    ck_assert_int_eq(client_number(), 0);
    postgres_begin(client.connection);
    client_do(&client_insert);
    client_do(&client_insert);
    ck_assert_int_eq(postgres_commit(client.connection, &client.err), TC_OK);
    ck_assert_int_eq(client_thing_count(), 2);
}
END_TEST

START_TEST(more_statements_than_are_kept_prepared_work)
{
    enum { COUNT = 80 };
    static char names[COUNT][16];
    static struct postgres_statement statements[COUNT];

    for (int i = 0; i < 2 * COUNT; i++) {
        int n = i % COUNT;

        snprintf(names[n], sizeof(names[n]), "many_%d", n);
        statements[n] = (struct postgres_statement){ .name = names[n], .sql = "SELECT 7" };
        client_do(&statements[n]);
        ck_assert_int_eq(client_number(), 7);
    }
}
END_TEST

START_TEST(the_session_is_bounded)
{
    static const struct postgres_statement limits = {
        .name = "limits",
        .sql = "SELECT concat_ws(' ', current_setting('statement_timeout'),"
               " current_setting('lock_timeout'),"
               " current_setting('idle_in_transaction_session_timeout'),"
               " current_setting('search_path'), current_setting('jit'),"
               " current_setting('client_encoding'), current_setting('application_name'))",
    };

    client_do(&limits);

    struct tc_bytes text = postgres_get_bytes(client.result, 0, 0);

    ck_assert(
        tc_bytes_equals(text, tc_bytes_of("1s 800ms 1s pg_catalog off UTF8 taskcore-test")));
}
END_TEST

START_TEST(much_in_and_much_out_at_once_gets_through)
{
    static const struct postgres_statement echo = {
        .name = "echo",
        .sql = "SELECT g, $1 FROM generate_series(1, 4) g",
    };
    const size_t size = 8 * 1024 * 1024;
    struct postgres_params params;
    char *data = calloc(1, size);

    postgres_params_init(&params, size);
    postgres_add_bytes(&params, (struct tc_bytes){ data, size });
    ck_assert_int_eq(
        postgres_run(client.connection, &echo, &params, &client.result, &client.err), TC_OK);
    ck_assert_int_eq(PQntuples(client.result), 4);
    ck_assert_uint_eq(postgres_get_bytes(client.result, 3, 1).len, size);
    postgres_params_release(&params);
    free(data);
}
END_TEST

START_TEST(a_result_that_nobody_wants_is_fine)
{
    ck_assert_int_eq(postgres_run(client.connection, &client_read, NULL, NULL, NULL), TC_OK);
}
END_TEST

START_TEST(a_notification_arrives)
{
    PGnotify *notify = NULL;

    ck_assert_int_eq(
        postgres_run_script(client.connection, "LISTEN taskcore_test", &client.err), TC_OK);
    ck_assert_int_eq(postgres_next_notify(client.connection, &notify, &client.err), TC_OK);
    ck_assert_ptr_null(notify);
    postgres_server_sql("NOTIFY taskcore_test, 'hello'");
    client_do(&client_read); /* its answer comes behind the notification */
    ck_assert_int_eq(postgres_next_notify(client.connection, &notify, &client.err), TC_OK);
    ck_assert_ptr_nonnull(notify);
    ck_assert_str_eq(notify->extra, "hello");
    PQfreemem(notify);
}
END_TEST

/* --- transactions --- */

START_TEST(a_transaction_shows_nothing_before_its_commit)
{
    postgres_begin(client.connection);
    client_do(&client_insert);
    client_do(&client_insert);
    ck_assert_int_eq(client_thing_count(), 0);
    ck_assert_int_eq(postgres_commit(client.connection, &client.err), TC_OK);
    ck_assert_int_eq(client_thing_count(), 2);
}
END_TEST

START_TEST(a_rollback_undoes_and_the_next_statement_commits_by_itself)
{
    postgres_begin(client.connection);
    client_do(&client_insert);
    client_do(&client_insert);
    postgres_rollback(client.connection);
    ck_assert_int_eq(client_thing_count(), 0);
    client_do(&client_insert);
    ck_assert_int_eq(client_thing_count(), 1);
}
END_TEST

START_TEST(a_transaction_of_nothing_does_not_even_connect)
{
    postgres_begin(client.connection);
    ck_assert_int_eq(postgres_commit(client.connection, &client.err), TC_OK);
    postgres_begin(client.connection);
    postgres_rollback(client.connection);
    ck_assert(!postgres_is_connected(client.connection));
}
END_TEST

static const struct postgres_statement twice = {
    .name = "insert_twice",
    .sql = "INSERT INTO public.thing (num) VALUES (1), (1)",
    .writes = true,
};

START_TEST(a_failed_transaction_can_only_be_rolled_back)
{
    postgres_begin(client.connection);
    client_do(&client_insert);
    client_assert_failed(client_run(&twice), TC_CONFLICT, "23505");
    client_assert_failed(client_run(&client_insert), TC_INTERNAL, "25P02");
    postgres_rollback(client.connection);
    ck_assert_str_eq(postgres_sqlstate(client.connection), "25P02");
    ck_assert_int_eq(client_thing_count(), 0);
}
END_TEST

START_TEST(a_commit_of_a_failed_transaction_is_no_success)
{
    postgres_begin(client.connection);
    client_assert_failed(client_run(&twice), TC_CONFLICT, "23505");
    ck_assert_int_eq(postgres_commit(client.connection, &client.err), TC_INTERNAL);
    client_do(&client_insert);
    ck_assert_int_eq(client_thing_count(), 1);
}
END_TEST

START_TEST(a_script_runs_as_one)
{
    ck_assert_int_eq(postgres_run_script(client.connection,
                                         "INSERT INTO public.thing VALUES (1);"
                                         " INSERT INTO public.thing VALUES (2)",
                                         &client.err),
                     TC_OK);
    client_assert_failed(postgres_run_script(client.connection,
                                             "INSERT INTO public.thing VALUES (3);"
                                             " INSERT INTO public.thing VALUES (1)",
                                             &client.err),
                         TC_CONFLICT, "23505");
    ck_assert_int_eq(client_thing_count(), 2);
}
END_TEST

START_TEST(a_script_may_stand_in_a_transaction)
{
    postgres_begin(client.connection);
    ck_assert_int_eq(postgres_run_script(client.connection,
                                         "INSERT INTO public.thing VALUES (1)", &client.err),
                     TC_OK);
    client_do(&client_insert);
    ck_assert_int_eq(client_thing_count(), 0);
    ck_assert_int_eq(postgres_commit(client.connection, &client.err), TC_OK);
    ck_assert_int_eq(client_thing_count(), 2);
}
END_TEST

/* --- notices --- */

START_TEST(a_commit_that_the_standby_did_not_confirm_is_unknown)
{
    static const struct postgres_statement warn = {
        .name = "warn",
        .sql = "DO $$ BEGIN RAISE WARNING 'canceling wait for synchronous replication due to"
               " user request'; END $$",
        .writes = true,
    };

    ck_assert_int_eq(client_run(&warn), TC_UNKNOWN);
    client_do(&client_insert); /* of the next one nothing is in doubt */
    ck_assert(postgres_is_connected(client.connection));
}
END_TEST

START_TEST(other_notices_are_for_the_log_of_those_who_debug)
{
    static const struct postgres_statement warn = {
        .name = "warn",
        .sql = "DO $$ BEGIN RAISE WARNING 'mind the gap'; END $$",
        .writes = true,
    };
    struct fake_logger logger;

    fake_logger_init(&logger, TC_LOG_DEBUG);
    client.config.logger = &logger.base;
    client_open();
    client_do(&warn);
    ck_assert_ptr_nonnull(strstr(logger.message, "mind the gap"));
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

int main(void)
{
    Suite *suite = suite_create("postgres_connection");
    TCase *tcase = make_tcase(suite, "statements");

    tcase_add_test(tcase, a_statement_answers);
    tcase_add_test(tcase, a_statement_is_prepared_once);
    tcase_add_test(tcase, what_is_not_to_be_prepared_leaves_nothing_behind);
    tcase_add_test(tcase, more_statements_than_are_kept_prepared_work);
    tcase_add_test(tcase, the_session_is_bounded);
    tcase_add_test(tcase, much_in_and_much_out_at_once_gets_through);
    tcase_add_test(tcase, a_result_that_nobody_wants_is_fine);
    tcase_add_test(tcase, a_notification_arrives);
    tcase = make_tcase(suite, "transactions");
    tcase_add_test(tcase, a_transaction_shows_nothing_before_its_commit);
    tcase_add_test(tcase, a_rollback_undoes_and_the_next_statement_commits_by_itself);
    tcase_add_test(tcase, a_transaction_of_nothing_does_not_even_connect);
    tcase_add_test(tcase, a_failed_transaction_can_only_be_rolled_back);
    tcase_add_test(tcase, a_commit_of_a_failed_transaction_is_no_success);
    tcase_add_test(tcase, a_script_runs_as_one);
    tcase_add_test(tcase, a_script_may_stand_in_a_transaction);
    tcase = make_tcase(suite, "notices");
    tcase_add_test(tcase, a_commit_that_the_standby_did_not_confirm_is_unknown);
    tcase_add_test(tcase, other_notices_are_for_the_log_of_those_who_debug);
    return postgres_server_run_bare(suite);
}
