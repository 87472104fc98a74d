/* What the server refuses, and what its SQLSTATEs mean. */

#include "tests/adapters/postgres_client.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

static const struct postgres_statement twice = {
    .name = "insert_twice",
    .sql = "INSERT INTO public.thing (num) VALUES (1), (1)",
    .writes = true,
};

/* --- errors that come with the commit, behind the result --- */

static void defer_the_constraint(void)
{
    ck_assert_int_eq(
        postgres_run_script(client.connection,
                            "ALTER TABLE public.thing DROP CONSTRAINT thing_num, ADD "
                            "CONSTRAINT thing_num UNIQUE (num) DEFERRABLE INITIALLY DEFERRED",
                            &client.err),
        TC_OK);
}

START_TEST(what_the_commit_refuses_was_not_done)
{
    defer_the_constraint();
    for (int i = 0; i < 3; i++) /* prepared with it, then alone */
        client_assert_failed(client_run(&twice), TC_CONFLICT, "23505");
    postgres_begin(client.connection);
    client_do(&twice);
    client_assert_failed(postgres_commit(client.connection, &client.err), TC_CONFLICT, "23505");
    postgres_rollback(client.connection);
    ck_assert_int_eq(client_thing_count(), 0);
    client_do(&client_insert);
}
END_TEST

/* --- what SQLSTATEs mean --- */

static const struct {
    const char *sqlstate;
    enum tc_code for_read;
    enum tc_code for_write;
    bool is_kept; /* the connection */
} meanings[] = {
    { "23505", TC_CONFLICT, TC_CONFLICT, true },
    { "40001", TC_UNAVAILABLE, TC_UNAVAILABLE, true },
    { "40P01", TC_UNAVAILABLE, TC_UNAVAILABLE, true },
    { "55P03", TC_UNAVAILABLE, TC_UNAVAILABLE, true },
    { "57014", TC_UNAVAILABLE, TC_UNAVAILABLE, true },
    { "53100", TC_UNAVAILABLE, TC_UNAVAILABLE, true },
    { "53200", TC_UNAVAILABLE, TC_UNAVAILABLE, true },
    { "58030", TC_UNAVAILABLE, TC_UNAVAILABLE, true },
    { "25006", TC_UNAVAILABLE, TC_UNAVAILABLE, false },
    { "26000", TC_UNAVAILABLE, TC_UNAVAILABLE, false },
    { "57P01", TC_UNAVAILABLE, TC_UNKNOWN, false },
    { "57P02", TC_UNAVAILABLE, TC_UNKNOWN, false },
    { "57P03", TC_UNAVAILABLE, TC_UNKNOWN, false },
    { "08006", TC_UNAVAILABLE, TC_UNKNOWN, false },
    { "40003", TC_UNAVAILABLE, TC_UNKNOWN, false },
    { "22012", TC_INTERNAL, TC_INTERNAL, true },
    { "23503", TC_INTERNAL, TC_INTERNAL, true },
    { "42601", TC_INTERNAL, TC_INTERNAL, true },
    { "XX000", TC_INTERNAL, TC_INTERNAL, true },
};

START_TEST(every_sqlstate_has_its_meaning)
{
    char sql[128];
    struct postgres_statement raise = { .name = "raise", .sql = sql };

    snprintf(sql, sizeof(sql), "DO $$ BEGIN RAISE EXCEPTION 'so' USING ERRCODE = '%s'; END $$",
             meanings[_i].sqlstate);
    client_assert_failed(client_run(&raise), meanings[_i].for_read, meanings[_i].sqlstate);
    ck_assert_int_eq(postgres_is_connected(client.connection), meanings[_i].is_kept);
    client_await_reconnect();
    raise.writes = true;
    client_assert_failed(client_run(&raise), meanings[_i].for_write, meanings[_i].sqlstate);
    client_await_reconnect();
    postgres_begin(client.connection);
    client_assert_failed(client_run(&raise), meanings[_i].for_read, meanings[_i].sqlstate);
}
END_TEST

START_TEST(a_syntax_error_is_internal)
{
    static const struct postgres_statement wrong = { .name = "wrong", .sql = "SELEC 7" };

    client_assert_failed(client_run(&wrong), TC_INTERNAL, "42601");
    client_assert_failed(client_run(&wrong), TC_INTERNAL, "42601");
    client_do(&client_read);
}
END_TEST

START_TEST(what_fails_at_its_first_use_stays_prepared)
{
    static const struct postgres_statement divide = {
        .name = "divide",
        .sql = "SELECT 7 / (count(*) - 2) FROM public.thing",
    };

    for (int i = 0; i < 2; i++) {
        client_do(&client_insert);
        if (i == 1)
            client_assert_failed(client_run(&divide), TC_INTERNAL, "22012");
    }
    client_assert_failed(client_run(&divide), TC_INTERNAL, "22012");
    client_do(&client_insert);
    client_do(&divide);
    ck_assert_int_eq(client_number(), 7);
}
END_TEST

START_TEST(messages_hold_no_parameters)
{
    static const struct postgres_statement insert = {
        .name = "insert_num",
        .sql = "INSERT INTO public.thing (num) VALUES ($1)",
        .writes = true,
    };
    struct postgres_params params;
    enum tc_code code = TC_OK;

    postgres_params_init(&params, 0);
    postgres_add_int8(&params, 8675309);
    for (int i = 0; i < 2; i++)
        code = postgres_run(client.connection, &insert, &params, NULL, &client.err);
    postgres_params_release(&params);
    client_assert_failed(code, TC_CONFLICT, "23505");
    ck_assert_ptr_null(strstr(client.err.message, "8675309"));
    ck_assert_ptr_nonnull(strstr(client.err.message, "thing_num"));
}
END_TEST

/* --- the same from real collisions --- */

static const struct postgres_statement lock_first = {
    .name = "lock_first",
    .sql = "SELECT num FROM public.thing WHERE num = 1 FOR UPDATE",
};
static const struct postgres_statement lock_second = {
    .name = "lock_second",
    .sql = "SELECT num FROM public.thing WHERE num = 2 FOR UPDATE",
};

static struct postgres_connection *open_other(int64_t statement_ms)
{
    struct postgres_connection_config config = client.config;
    struct postgres_connection *other = NULL;

    config.statement_ms = statement_ms;
    ck_assert_int_eq(postgres_connection_new(&config, &other, &client.err), TC_OK);
    return other;
}

static void begin_and_lock(struct postgres_connection *connection,
                           const struct postgres_statement *lock)
{
    postgres_begin(connection);
    ck_assert_int_eq(postgres_run(connection, lock, NULL, NULL, &client.err), TC_OK);
}

START_TEST(a_row_locked_for_too_long_is_unavailable)
{
    struct postgres_connection *other = open_other(5000);

    client_do(&client_insert);
    begin_and_lock(other, &lock_first);
    client_assert_failed(client_run(&lock_first), TC_UNAVAILABLE, "55P03");
    postgres_rollback(other);
    client_do(&lock_first);
    postgres_connection_free(other);
}
END_TEST

START_TEST(a_slow_statement_is_cancelled_by_the_server)
{
    static const struct postgres_statement sleep = {
        .name = "sleep",
        .sql = "INSERT INTO public.thing (num) SELECT 1 FROM pg_sleep(3)",
        .writes = true,
    };
    int64_t began_ms = client_tick_ms();

    client_assert_failed(client_run(&sleep), TC_UNAVAILABLE, "57014");
    ck_assert_int_lt(client_tick_ms() - began_ms, CLIENT_STATEMENT_MS + 450);
    ck_assert(postgres_is_connected(client.connection));
    ck_assert_int_eq(client_thing_count(), 0);
}
END_TEST

struct locker {
    struct postgres_connection *connection;
    enum tc_code code;
    char sqlstate[6];
};

static void *lock_the_first_too(void *arg)
{
    struct locker *locker = arg;
    struct tc_error err;

    locker->code = postgres_run(locker->connection, &lock_first, NULL, NULL, &err);
    memcpy(locker->sqlstate, postgres_sqlstate(locker->connection), 6);
    postgres_rollback(locker->connection);
    return NULL;
}

START_TEST(of_two_in_a_deadlock_one_is_told_to_repeat)
{
    struct locker locker = { .connection = open_other(5000) };
    struct postgres_connection *own = open_other(5000);
    pthread_t thread;
    struct tc_error err;

    client_do(&client_insert);
    client_do(&client_insert);
    begin_and_lock(own, &lock_first);
    begin_and_lock(locker.connection, &lock_second);
    ck_assert_int_eq(pthread_create(&thread, NULL, lock_the_first_too, &locker), 0);

    enum tc_code code = postgres_run(own, &lock_second, NULL, NULL, &err);
    bool own_lost = code != TC_OK;

    ck_assert(!own_lost || strcmp(postgres_sqlstate(own), "40P01") == 0);
    postgres_rollback(own);
    pthread_join(thread, NULL);
    ck_assert_int_eq(own_lost ? code : locker.code, TC_UNAVAILABLE);
    ck_assert_int_eq(own_lost ? locker.code : code, TC_OK);
    ck_assert(own_lost || strcmp(locker.sqlstate, "40P01") == 0);
    postgres_connection_free(own);
    postgres_connection_free(locker.connection);
}
END_TEST

START_TEST(a_serialization_failure_is_to_be_repeated)
{
    static const struct postgres_statement serializable = {
        .name = "serializable",
        .sql = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ",
    };
    static const struct postgres_statement look = { .name = "look",
                                                    .sql = "SELECT num FROM public.thing" };
    static const struct postgres_statement raise = {
        .name = "raise_num",
        .sql = "UPDATE public.thing SET num = num + 1",
        .writes = true,
    };

    client_do(&client_insert);
    postgres_begin(client.connection);
    client_do(&serializable);
    client_do(&look);
    postgres_server_sql("UPDATE public.thing SET num = 100");
    client_assert_failed(client_run(&raise), TC_UNAVAILABLE, "40001");
    postgres_rollback(client.connection);
    client_do(&raise);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("postgres_errors");
    TCase *tcase = tcase_create("errors");

    tcase_set_timeout(tcase, 30);
    tcase_add_checked_fixture(tcase, client_setup, client_teardown);
    tcase_add_test(tcase, what_the_commit_refuses_was_not_done);
    tcase_add_loop_test(tcase, every_sqlstate_has_its_meaning, 0,
                        sizeof(meanings) / sizeof(meanings[0]));
    tcase_add_test(tcase, a_syntax_error_is_internal);
    tcase_add_test(tcase, what_fails_at_its_first_use_stays_prepared);
    tcase_add_test(tcase, messages_hold_no_parameters);
    tcase_add_test(tcase, a_row_locked_for_too_long_is_unavailable);
    tcase_add_test(tcase, a_slow_statement_is_cancelled_by_the_server);
    tcase_add_test(tcase, of_two_in_a_deadlock_one_is_told_to_repeat);
    tcase_add_test(tcase, a_serialization_failure_is_to_be_repeated);
    suite_add_tcase(suite, tcase);
    return postgres_server_run_bare(suite);
}
