#include "tests/adapters/postgres_server.h"
#include "tests/adapters/postgres_session_site.h"
#include "tests/conformance/task_events_suite.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#define LONG_MS 30000
#define GROUP   400 /* more than one NOTIFY can name */
#define CROWD   1000

static struct postgres_session *ours;
static struct postgres_session *theirs;
static PGconn *pg;

/* Entered already: the first wait of a process that is not returns for nothing. */
static enum tc_code open_events(struct tc_task_events **ret_events, struct tc_error *err)
{
    (void)err;
    ours = site_open(site_url(NULL));
    site_enter_waiter(ours);
    *ret_events = postgres_session_task_events(ours);
    return TC_OK;
}

static void close_events(struct tc_task_events *events)
{
    (void)events;
    postgres_session_close(ours);
}

static void open_two(void)
{
    pg = site_connect();
    site_do(pg, "DELETE FROM taskcore.listener");
    site_do(pg, "LISTEN taskcore_ended");
    ours = site_open(site_url(NULL));
    theirs = site_open(site_url(NULL));
}

static void open_pooled(void)
{
    pg = site_connect();
    site_do(pg, "DELETE FROM taskcore.listener");
    ours = site_open_pooled(site_url(NULL));
    theirs = site_open(site_url(NULL));
}

static void close_two(void)
{
    postgres_session_close(ours);
    postgres_session_close(theirs);
    PQfinish(pg);
}

/* What a look into the store would show. */
static _Atomic bool ended[CROWD];

/* As the use case does it: watch, look, wait, look again. */
static void wait_until_ended(uint64_t number)
{
    uint64_t ticket = site_watch(ours, number);

    while (!atomic_load(&ended[number]))
        site_wait(ours, number, &ticket, LONG_MS);
}

static void *end_each(void *arg)
{
    for (uint64_t i = 0; i < *(const uint64_t *)arg; i++) {
        site_sleep_ms(3);
        atomic_store(&ended[i], true);
        site_notify(theirs, i);
    }
    return NULL;
}

START_TEST(an_end_in_another_process_ends_the_wait)
{
    uint64_t rounds = 50;

    site_start(end_each, &rounds);
    for (uint64_t i = 0; i < rounds; i++)
        wait_until_ended(i); /* a lost event is the test's timeout */
    site_join();
}
END_TEST

START_TEST(a_process_freshly_entered_reads_once_more)
{
    uint64_t ticket = site_watch(ours, 1);

    ck_assert_int_lt(site_wait(ours, 1, &ticket, LONG_MS), 5000);
    ck_assert_int_ge(site_wait(ours, 1, &ticket, 100), 99);
}
END_TEST

START_TEST(the_end_of_another_task_wakes_nobody)
{
    uint64_t ticket;

    site_enter_waiter(ours);
    ticket = site_watch(ours, 1);
    site_notify(theirs, 2);
    ck_assert_int_ge(site_wait(ours, 1, &ticket, 200), 199);
}
END_TEST

START_TEST(nobody_waits_and_no_notify_is_sent)
{
    site_enter_waiter(theirs); /* entered itself: that is not somebody else */
    site_enter(ours);          /* waits for tasks and not for their end */
    for (uint64_t i = 0; i < 20; i++) {
        site_notify(theirs, i);
        site_sleep_ms(3);
    }
    site_sleep_ms(50); /* the last is answered */
    ck_assert_uint_eq(site_count_notifies(pg, NULL, 0), 0);
    site_enter_waiter(ours);
    site_notify(theirs, 21);
    site_sleep_ms(200);
    ck_assert_uint_eq(site_count_notifies(pg, NULL, 0), 1);
}
END_TEST

static void notify_group(struct postgres_session *session, size_t count)
{
    struct tc_task_events *events = postgres_session_task_events(session);
    struct tc_id ids[GROUP];

    for (size_t i = 0; i < count; i++)
        ids[i] = site_id(i);
    events->ops->notify(events, ids, count);
}

START_TEST(a_group_is_one_notify_that_names_each)
{
    char payload[8000] = "";
    uint64_t ticket;

    site_enter_waiter(ours);
    ticket = site_watch(ours, 354);
    notify_group(theirs, 355);
    ck_assert_int_lt(site_wait(ours, 354, &ticket, LONG_MS), 5000);
    ck_assert_uint_eq(site_count_notifies(pg, payload, sizeof(payload)), 1);
    ck_assert_uint_eq(strlen(payload), (size_t)355 * 22);
    ticket = site_watch(ours, 355);
    ck_assert_int_ge(site_wait(ours, 355, &ticket, 100), 99);
}
END_TEST

START_TEST(more_than_a_notify_can_name_wakes_everybody)
{
    char payload[8000] = "";
    uint64_t ticket;

    site_enter_waiter(ours);
    ticket = site_watch(ours, 77777);
    notify_group(theirs, GROUP);
    ck_assert_int_lt(site_wait(ours, 77777, &ticket, LONG_MS), 5000);
    ck_assert_uint_eq(site_count_notifies(pg, payload, sizeof(payload)), 1);
    ck_assert_str_eq(payload, "*");
}
END_TEST

START_TEST(a_payload_of_a_newer_program_wakes_everybody)
{
    static const char *const strange[] = { "v2:abc", "AAAAAAAAAAAAAAAAAAAAA*",
                                           "AAAAAAAAAAAAAAAAAAAAAAB" };
    uint64_t ticket;
    char sql[128];

    site_enter_waiter(ours);
    ticket = site_watch(ours, 1);
    snprintf(sql, sizeof(sql), "NOTIFY taskcore_ended, '%s'", strange[_i]);
    site_do(pg, sql);
    ck_assert_int_lt(site_wait(ours, 1, &ticket, LONG_MS), 5000);
}
END_TEST

START_TEST(who_waits_no_longer_is_taken_out_after_a_second)
{
    int64_t incarnation = site_await_lock(ours);
    int64_t start_us = site_tick_us();

    site_enter_waiter(ours);
    ck_assert_int_eq(site_number_of(pg, SITE_IS_ENDED, incarnation), 1);
    site_await_number(pg, SITE_IS_ENDED, incarnation, 0);
    ck_assert_int_ge(site_tick_us() - start_us, 900000);
    ck_assert_int_le(site_tick_us() - start_us, 4000000);
}
END_TEST

START_TEST(after_a_broken_connection_who_waits_reads_again_and_hears_again)
{
    int64_t incarnation = site_await_lock(ours);
    uint64_t ticket;

    site_enter_waiter(ours);
    ticket = site_watch(ours, 1);
    ck_assert_int_eq(site_number_of(pg, SITE_KILL, incarnation), 1);
    ck_assert_int_lt(site_wait(ours, 1, &ticket, LONG_MS), 5000);
    site_notify(theirs, 1);
    ck_assert_int_lt(site_wait(ours, 1, &ticket, LONG_MS), 5000);
}
END_TEST

static void *wait_in_crowd(void *arg)
{
    wait_until_ended(*(const uint64_t *)arg);
    return NULL;
}

START_TEST(a_crowd_waits_each_for_its_own)
{
    static pthread_t threads[CROWD];
    static uint64_t numbers[CROWD];
    uint64_t count = CROWD / 4;

    for (uint64_t i = 0; i < count; i++) {
        numbers[i] = i;
        ck_assert_int_eq(pthread_create(&threads[i], NULL, wait_in_crowd, &numbers[i]), 0);
    }
    site_start(end_each, &count);
    for (uint64_t i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
    site_join();
}
END_TEST

START_TEST(behind_a_pooler_a_wait_returns_after_a_quarter_second)
{
    uint64_t ticket = site_watch(ours, 1);
    int64_t took_ms = site_wait(ours, 1, &ticket, LONG_MS);

    ck_assert_int_ge(took_ms, 249);
    ck_assert_int_le(took_ms, 1000);
    ck_assert_int_eq(site_number(pg, "SELECT count(*) FROM taskcore.listener"), 0);
}
END_TEST

START_TEST(behind_a_pooler_ends_still_reach_this_process_and_those_that_listen)
{
    uint64_t ticket = site_watch(ours, 1);
    uint64_t their_ticket;

    site_enter_waiter(theirs);
    their_ticket = site_watch(theirs, 1);
    site_notify(ours, 1);
    ck_assert_int_lt(site_wait(ours, 1, &ticket, LONG_MS), 200);
    ck_assert_int_lt(site_wait(theirs, 1, &their_ticket, LONG_MS), 5000);
}
END_TEST

static TCase *new_case(Suite *suite, const char *name, void (*open)(void))
{
    TCase *tcase = tcase_create(name);

    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, open, close_two);
    suite_add_tcase(suite, tcase);
    return tcase;
}

int main(void)
{
    static const struct task_events_driver driver = {
        .name = "task_events: postgres",
        .open = open_events,
        .close = close_events,
    };
    Suite *suite = task_events_suite(&driver);
    TCase *two = new_case(suite, "two processes", open_two);
    TCase *pooled = new_case(suite, "pooler", open_pooled);

    tcase_add_test(two, an_end_in_another_process_ends_the_wait);
    tcase_add_test(two, a_process_freshly_entered_reads_once_more);
    tcase_add_test(two, the_end_of_another_task_wakes_nobody);
    tcase_add_test(two, nobody_waits_and_no_notify_is_sent);
    tcase_add_test(two, a_group_is_one_notify_that_names_each);
    tcase_add_test(two, more_than_a_notify_can_name_wakes_everybody);
    tcase_add_loop_test(two, a_payload_of_a_newer_program_wakes_everybody, 0, 3);
    tcase_add_test(two, who_waits_no_longer_is_taken_out_after_a_second);
    tcase_add_test(two, after_a_broken_connection_who_waits_reads_again_and_hears_again);
    tcase_add_test(two, a_crowd_waits_each_for_its_own);
    tcase_add_test(pooled, behind_a_pooler_a_wait_returns_after_a_quarter_second);
    tcase_add_test(pooled, behind_a_pooler_ends_still_reach_this_process_and_those_that_listen);
    return postgres_server_run(suite);
}
