/* Servers that hang, and answers that do not arrive: nobody waits longer than was said. */

#include "tests/adapters/postgres_client.h"
#include "tests/adapters/postgres_relay.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LATE_MS 500 /* for a busy machine */

static struct postgres_relay relay;

static void relay_setup(void)
{
    client_setup();
    postgres_relay_start(&relay);
    client.config.url = relay.url;
    client_open();
}

static void relay_teardown(void)
{
    client_teardown();
    postgres_relay_kill(&relay);
}

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

static void assert_late_but_not_stuck(int64_t began_ms, int64_t limit_ms)
{
    int64_t took_ms = client_tick_ms() - began_ms;

    ck_assert_int_ge(took_ms, limit_ms - 50);
    ck_assert_int_le(took_ms, limit_ms + LATE_MS);
}

static void assert_hangs_no_longer(const struct postgres_statement *statement,
                                   enum tc_code code)
{
    client_do(&client_read);
    postgres_relay_freeze(&relay);

    int64_t began_ms = client_tick_ms();

    client_assert_failed(client_run(statement), code, "");
    assert_late_but_not_stuck(began_ms, CLIENT_STATEMENT_MS + 500);
    ck_assert(!postgres_is_connected(client.connection));
}

START_TEST(a_read_from_a_server_that_hangs_ends)
{
    assert_hangs_no_longer(&client_read, TC_UNAVAILABLE);
}
END_TEST

START_TEST(a_write_to_a_server_that_hangs_ends_unknown)
{
    assert_hangs_no_longer(&client_insert, TC_UNKNOWN);
}
END_TEST

START_TEST(a_large_write_to_a_server_that_hangs_ends_unknown)
{
    static const struct postgres_statement insert = {
        .name = "insert_large",
        .sql = "INSERT INTO public.thing (num) SELECT length($1)",
        .writes = true,
    };
    static char data[32 * 1024 * 1024]; /* more than the sockets in between hold */
    struct postgres_params params;

    client_do(&client_read);
    postgres_relay_freeze(&relay);
    postgres_params_init(&params, 0);
    postgres_add_bytes(&params, (struct tc_bytes){ data, sizeof(data) });

    int64_t began_ms = client_tick_ms();

    client_assert_failed(postgres_run(client.connection, &insert, &params, NULL, &client.err),
                         TC_UNKNOWN, "");
    assert_late_but_not_stuck(began_ms, CLIENT_STATEMENT_MS + 500);
    postgres_params_release(&params);
}
END_TEST

START_TEST(a_commit_to_a_server_that_hangs_ends_unknown)
{
    postgres_begin(client.connection);
    client_do(&client_insert);
    postgres_relay_freeze(&relay);
    ck_assert_int_eq(postgres_commit(client.connection, &client.err), TC_UNKNOWN);
    postgres_rollback(client.connection);
}
END_TEST

START_TEST(a_commit_of_reads_to_a_server_that_hangs_ends_unavailable)
{
    postgres_begin(client.connection);
    client_do(&client_read);
    postgres_relay_freeze(&relay);
    ck_assert_int_eq(postgres_commit(client.connection, &client.err), TC_UNAVAILABLE);
}
END_TEST

START_TEST(a_rollback_to_a_server_that_hangs_ends_and_keeps_the_error)
{
    postgres_begin(client.connection);
    client_do(&client_insert);
    postgres_relay_freeze(&relay);
    ck_assert_int_eq(client_run(&client_read), TC_UNAVAILABLE);

    int64_t began_ms = client_tick_ms();

    postgres_rollback(client.connection); /* the connection is closed: nothing to wait for */
    ck_assert_int_le(client_tick_ms() - began_ms, LATE_MS);
}
END_TEST

START_TEST(a_cut_while_writing_is_unknown_and_the_write_may_be_there)
{
    client_do(&client_insert);
    postgres_relay_freeze(&relay); /* so that nobody reads the farewell before the write */

    struct postgres_relay cut = relay;

    relay.pid = 0;
    if (fork() == 0) {
        pause_ms(200);
        kill(cut.pid, SIGKILL);
        _exit(0);
    }
    client_assert_failed(client_run(&client_insert), TC_UNKNOWN, "");
    relay = cut;
}
END_TEST

START_TEST(a_server_that_hangs_at_the_login_is_unavailable_in_time)
{
    int port = 0;
    int listener = postgres_listen(&port);

    point_at(postgres_url_at(port));

    int64_t began_ms = client_tick_ms();

    client_assert_failed(client_run(&client_insert), TC_UNAVAILABLE, "");
    assert_late_but_not_stuck(began_ms, CLIENT_CONNECT_MS);
    close(listener);
}
END_TEST

START_TEST(of_several_hosts_one_that_hangs_is_asked_last_the_next_time)
{
    char url[1024];
    int port = 0;
    int silent = postgres_listen(&port);
    const char *good =
        strrchr(relay.url, '@') ? strrchr(relay.url, '@') + 1 : strstr(relay.url, "://") + 3;

    snprintf(url, sizeof(url), "%.*s127.0.0.1:%d,127.0.0.1:%d,%s", (int)(good - relay.url),
             relay.url, port, port, good);
    point_at(url);
    client_assert_failed(client_run(&client_read), TC_UNAVAILABLE, "");
    pause_ms(100);
    client_assert_failed(client_run(&client_read), TC_UNAVAILABLE, "");
    pause_ms(200);
    client_do(&client_insert);
    postgres_disconnect(client.connection);
    client_do(&client_insert); /* and the one that answered stays the first */
    close(silent);
}
END_TEST

START_TEST(what_hung_is_used_again_when_it_is_back)
{
    assert_hangs_no_longer(&client_read, TC_UNAVAILABLE);
    postgres_relay_thaw(&relay);
    client_await_reconnect();
    client_do(&client_insert);
    ck_assert_int_eq(client_thing_count(), 1);
}
END_TEST

START_TEST(a_server_that_comes_later_is_found)
{
    postgres_relay_kill(&relay);
    ck_assert_int_eq(client_run(&client_read), TC_UNAVAILABLE);
    postgres_relay_start(&relay);
    point_at(relay.url);
    client_do(&client_insert);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("postgres_hanging");
    TCase *tcase = tcase_create("hanging");

    tcase_set_timeout(tcase, 30);
    tcase_add_checked_fixture(tcase, relay_setup, relay_teardown);
    tcase_add_test(tcase, a_read_from_a_server_that_hangs_ends);
    tcase_add_test(tcase, a_write_to_a_server_that_hangs_ends_unknown);
    tcase_add_test(tcase, a_large_write_to_a_server_that_hangs_ends_unknown);
    tcase_add_test(tcase, a_commit_to_a_server_that_hangs_ends_unknown);
    tcase_add_test(tcase, a_commit_of_reads_to_a_server_that_hangs_ends_unavailable);
    tcase_add_test(tcase, a_rollback_to_a_server_that_hangs_ends_and_keeps_the_error);
    tcase_add_test(tcase, a_cut_while_writing_is_unknown_and_the_write_may_be_there);
    tcase_add_test(tcase, a_server_that_hangs_at_the_login_is_unavailable_in_time);
    tcase_add_test(tcase, of_several_hosts_one_that_hangs_is_asked_last_the_next_time);
    tcase_add_test(tcase, what_hung_is_used_again_when_it_is_back);
    tcase_add_test(tcase, a_server_that_comes_later_is_found);
    suite_add_tcase(suite, tcase);
    return postgres_server_run_bare(suite);
}
