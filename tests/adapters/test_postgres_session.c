#include "tests/adapters/postgres_server.h"
#include "tests/adapters/postgres_session_site.h"

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#define LONG_MS 30000

static struct postgres_session *ours;
static PGconn *pg;

static void open_one(void)
{
    pg = site_connect();
    site_do(pg, "DELETE FROM taskcore.listener");
    ours = site_open(site_url(NULL));
}

static void close_one(void)
{
    postgres_session_close(ours);
    PQfinish(pg);
}

/* --- the lock --- */

START_TEST(the_incarnation_is_there_at_once_and_others_see_its_lock)
{
    int64_t incarnation = postgres_session_incarnation(ours);

    ck_assert_int_gt(incarnation, 0);
    ck_assert_int_eq(site_number_of(pg, SITE_HAS_LOCK, incarnation), 1);
}
END_TEST

START_TEST(two_processes_have_two_incarnations)
{
    struct postgres_session *theirs = site_open(site_url(NULL));

    ck_assert_int_ne(site_await_lock(theirs), site_await_lock(ours));
    postgres_session_close(theirs);
}
END_TEST

START_TEST(the_lock_is_free_after_close)
{
    struct postgres_session *theirs = site_open(site_url(NULL));
    int64_t incarnation = site_await_lock(theirs);

    site_enter(theirs);
    postgres_session_close(theirs);
    ck_assert_int_eq(site_number_of(pg, SITE_IS_READY, incarnation), 0);
    site_await_number(pg, SITE_HAS_LOCK, incarnation, 0);
}
END_TEST

static void live_until_killed(int told)
{
    struct postgres_session *session = site_open(site_url(NULL));
    int64_t incarnation = site_await_lock(session);

    site_enter(session);
    if (write(told, &incarnation, sizeof(incarnation)) > 0)
        pause();
    _exit(1);
}

/* A process of its own that holds its lock and is entered. Nothing may be open yet. */
static pid_t start_process(int64_t *ret_incarnation)
{
    int pipes[2];
    pid_t child;

    ck_assert_int_eq(pipe(pipes), 0);
    child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0)
        live_until_killed(pipes[1]);
    close(pipes[1]);
    ck_assert_int_eq(read(pipes[0], ret_incarnation, sizeof(*ret_incarnation)),
                     sizeof(*ret_incarnation));
    close(pipes[0]);
    return child;
}

START_TEST(the_lock_is_free_after_kill_9_and_the_row_goes_when_another_enters)
{
    int64_t incarnation = 0;
    pid_t child = start_process(&incarnation);
    int64_t start_us;

    open_one();
    ck_assert_int_eq(site_number_of(pg, SITE_HAS_LOCK, incarnation), 1);
    start_us = site_tick_us();
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    site_await_number(pg, SITE_HAS_LOCK, incarnation, 0);
    ck_assert_int_lt(site_tick_us() - start_us, 2000000);
    site_do(pg, "INSERT INTO taskcore.listener VALUES (1, true, true)"); /* dead as well */
    site_enter(ours);
    site_await_number(pg, "SELECT count(*) FROM taskcore.listener WHERE incarnation <> %lld",
                      postgres_session_incarnation(ours), 0);
    close_one();
}
END_TEST

START_TEST(who_lives_is_not_swept)
{
    struct postgres_session *theirs = site_open(site_url(NULL));

    site_enter(ours);
    site_enter(theirs);
    site_sleep_ms(20);
    ck_assert_int_eq(site_number_of(pg, SITE_IS_READY, site_await_lock(theirs)), 1);
    ck_assert_int_eq(site_number_of(pg, SITE_IS_READY, site_await_lock(ours)), 1);
    postgres_session_close(theirs);
}
END_TEST

START_TEST(a_broken_connection_comes_back_with_the_same_lock)
{
    int64_t incarnation = site_await_lock(ours);

    for (int i = 0; i < 5; i++) {
        ck_assert_int_eq(site_number_of(pg, SITE_KILL, incarnation), 1);
        site_await_number(pg, SITE_HAS_LOCK, incarnation, 0);
        site_await_number(pg, SITE_HAS_LOCK, incarnation, 1);
        ck_assert_int_eq(site_await_lock(ours), incarnation);
    }
}
END_TEST

/* Another connection gets the lock as soon as ours has lost it: to the session it looks as if
 * the server had not noticed that the old one is gone. */
static PGconn *steal_lock(int64_t incarnation)
{
    PGconn *thief = site_connect();
    char sql[80];

    snprintf(sql, sizeof(sql), "SELECT pg_advisory_lock(%lld)", (long long)incarnation);
    ck_assert_int_eq(PQsendQuery(thief, sql), 1);
    site_await_number(pg,
                      "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"
                      " AND ((classid::bigint << 32) | objid::bigint) = %lld",
                      incarnation, 2);
    ck_assert_int_eq(site_number_of(pg, SITE_KILL, incarnation), 1);
    PQclear(PQgetResult(thief)); /* it has the lock */
    PQclear(PQgetResult(thief));
    while (postgres_session_incarnation(ours) != 0)
        site_sleep_ms(1);
    return thief;
}

START_TEST(without_its_lock_a_session_has_no_incarnation_until_the_lock_is_free)
{
    int64_t incarnation = site_await_lock(ours);
    PGconn *thief = steal_lock(incarnation);

    site_sleep_ms(300);
    ck_assert_int_eq(postgres_session_incarnation(ours), 0);
    PQfinish(thief);
    ck_assert_int_eq(site_await_lock(ours), incarnation);
}
END_TEST

START_TEST(a_backend_that_keeps_the_lock_is_ended)
{
    int64_t incarnation = site_await_lock(ours);
    PGconn *thief = steal_lock(incarnation);

    ck_assert_int_eq(site_await_lock(ours), incarnation);
    PQclear(PQexec(thief, "SELECT 1"));
    ck_assert_int_eq(PQstatus(thief), CONNECTION_BAD);
    PQfinish(thief);
}
END_TEST

/* --- rights --- */

START_TEST(every_role_can_do_what_a_session_does)
{
    static const char *const roles[] = { "api", "worker", "publisher" };
    struct postgres_session *theirs;
    char option[64];
    uint64_t ticket;

    snprintf(option, sizeof(option), "options=-c%%20role%%3Dtaskcore_%s", roles[_i]);
    theirs = site_open(site_url(option));
    site_enter(theirs);
    site_enter_waiter(theirs);
    site_publish(ours);
    ck_assert(site_receive(theirs, LONG_MS));
    ticket = site_watch(theirs, 1);
    site_notify(ours, 1);
    ck_assert_int_lt(site_wait(theirs, 1, &ticket, LONG_MS), 5000);
    site_enter(ours);
    site_publish(theirs);
    ck_assert(site_receive(ours, LONG_MS));
    ck_assert(site_receive(theirs, 0));           /* its own ring */
    site_do(pg, "DELETE FROM taskcore.listener"); /* makes it repair and sweep */
    ck_assert(site_receive(theirs, LONG_MS));
    ck_assert_int_eq(site_number_of(pg, SITE_IS_READY, site_await_lock(theirs)), 1);
    postgres_session_close(theirs);
}
END_TEST

/* --- the rest --- */

START_TEST(a_bad_url_is_refused)
{
    const struct postgres_connection_config config = { .url = "postgresql://[" };
    struct tc_error err;

    ck_assert_int_eq(postgres_session_open(&config, false, &ours, &err), TC_INVALID);
}
END_TEST

START_TEST(closing_nothing_is_fine)
{
    postgres_session_close(NULL);
}
END_TEST

static TCase *new_case(Suite *suite, const char *name, void (*open)(void),
                       void (*close_it)(void))
{
    TCase *tcase = tcase_create(name);

    tcase_set_timeout(tcase, 60);
    if (open)
        tcase_add_checked_fixture(tcase, open, close_it);
    suite_add_tcase(suite, tcase);
    return tcase;
}

int main(void)
{
    Suite *suite = suite_create("postgres session");
    TCase *lasting = new_case(suite, "session", open_one, close_one);
    TCase *alone = new_case(suite, "alone", NULL, NULL);

    tcase_add_test(lasting, the_incarnation_is_there_at_once_and_others_see_its_lock);
    tcase_add_test(lasting, two_processes_have_two_incarnations);
    tcase_add_test(lasting, the_lock_is_free_after_close);
    tcase_add_test(lasting, who_lives_is_not_swept);
    tcase_add_test(lasting, a_broken_connection_comes_back_with_the_same_lock);
    tcase_add_test(lasting,
                   without_its_lock_a_session_has_no_incarnation_until_the_lock_is_free);
    tcase_add_test(lasting, a_backend_that_keeps_the_lock_is_ended);
    tcase_add_loop_test(lasting, every_role_can_do_what_a_session_does, 0, 3);
    tcase_add_test(alone, the_lock_is_free_after_kill_9_and_the_row_goes_when_another_enters);
    tcase_add_test(alone, a_bad_url_is_refused);
    tcase_add_test(alone, closing_nothing_is_fine);
    return postgres_server_run(suite);
}
