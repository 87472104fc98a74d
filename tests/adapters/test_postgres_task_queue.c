#include "tests/adapters/postgres_server.h"
#include "tests/adapters/postgres_session_site.h"
#include "tests/conformance/task_queue_suite.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#define SAMPLES 400

static struct postgres_session *ours;
static struct postgres_session *theirs;
static PGconn *pg;

/* A queue in which nothing is: the word to look that follows the entry is heard already. */
static enum tc_code open_queue(struct tc_task_queue **ret_queue, struct tc_error *err)
{
    (void)err;
    ours = site_open(site_url(NULL));
    site_enter(ours);
    *ret_queue = postgres_session_task_queue(ours);
    return TC_OK;
}

static void close_queue(struct tc_task_queue *queue)
{
    (void)queue;
    postgres_session_close(ours);
}

static void open_two(void)
{
    pg = site_connect();
    site_do(pg, "DELETE FROM taskcore.listener");
    ours = site_open(site_url(NULL));
    theirs = site_open(site_url(NULL));
}

static void close_two(void)
{
    postgres_session_close(ours);
    postgres_session_close(theirs);
    PQfinish(pg);
}

START_TEST(a_hint_says_look_and_carries_no_id)
{
    const struct tc_hint hint = { .queue = "default", .type = "test", .priority = 3 };
    struct tc_task_queue *queue = postgres_session_task_queue(ours);

    ck_assert_int_eq(queue->ops->deliver(queue, &hint, 1, 1000, NULL), TC_OK);
    ck_assert(site_receive(ours, 1000));
}
END_TEST

START_TEST(the_first_receive_that_sleeps_says_look)
{
    int64_t start_us = site_tick_us();

    ck_assert(!site_receive(ours, 0));
    ck_assert(site_receive(ours, 10000));
    ck_assert_int_lt(site_tick_us() - start_us, 5000000);
    ck_assert(!site_receive(ours, 50));
}
END_TEST

START_TEST(a_hint_of_another_process_says_look)
{
    site_enter(ours);
    for (size_t i = 0; i < 20; i++) {
        site_publish(theirs);
        ck_assert(site_receive(ours, 10000));
    }
}
END_TEST

START_TEST(many_hints_of_another_process_are_few_looks)
{
    size_t looks = 0;

    site_enter(ours);
    for (size_t i = 0; i < 1000; i++)
        site_publish(theirs);
    while (site_receive(ours, 90))
        looks++;
    ck_assert_uint_ge(looks, 1);
    ck_assert_uint_le(looks, 100);
}
END_TEST

START_TEST(who_hears_itself_is_not_told_by_the_database_again)
{
    site_enter(ours);
    site_enter(theirs);
    site_publish(ours);
    ck_assert(site_receive(ours, 10000));
    ck_assert(site_receive(theirs, 10000));
    ck_assert(!site_receive(ours, 80));
}
END_TEST

START_TEST(who_does_not_come_back_is_taken_out)
{
    int64_t incarnation = site_await_lock(ours);

    site_enter(ours);
    ck_assert_int_eq(site_number_of(pg, SITE_IS_READY, incarnation), 1);
    site_await_number(pg, SITE_IS_READY, incarnation, 0);
    site_publish(theirs);
    ck_assert(site_receive(ours, 10000)); /* entered anew */
    ck_assert_int_eq(site_number_of(pg, SITE_IS_READY, incarnation), 1);
}
END_TEST

START_TEST(who_waits_stays_entered)
{
    int64_t incarnation = site_await_lock(ours);

    site_enter(ours);
    ck_assert(!site_receive(ours, 1500));
    ck_assert_int_eq(site_number_of(pg, SITE_IS_READY, incarnation), 1);
}
END_TEST

START_TEST(nobody_listens_and_no_notify_is_sent)
{
    site_do(pg, "LISTEN taskcore_ready");
    site_enter(ours); /* entered itself: that is not somebody else */
    for (size_t i = 0; i < 20; i++) {
        site_publish(ours);
        site_sleep_ms(3);
    }
    site_sleep_ms(50); /* the last ring is answered */
    ck_assert_uint_eq(site_count_notifies(pg, NULL, 0), 0);
    site_do(pg, "INSERT INTO taskcore.listener VALUES (1, true, false)");
    site_publish(ours);
    site_sleep_ms(200);
    ck_assert_uint_eq(site_count_notifies(pg, NULL, 0), 1);
}
END_TEST

START_TEST(a_burst_is_one_notify_in_two_milliseconds)
{
    int64_t start_us = site_tick_us();
    size_t count;

    site_do(pg, "LISTEN taskcore_ready");
    site_do(pg, "INSERT INTO taskcore.listener VALUES (1, true, false)");
    while (site_tick_us() - start_us < 100000)
        site_publish(ours);
    site_sleep_ms(100);
    count = site_count_notifies(pg, NULL, 0);
    ck_assert_uint_ge(count, 2);
    ck_assert_uint_le(count, 52);
}
END_TEST

START_TEST(a_row_that_vanished_comes_back_and_the_receiver_is_to_look)
{
    int64_t start_us = site_tick_us();

    site_enter(ours);
    site_do(pg, "TRUNCATE taskcore.listener");
    ck_assert(site_receive(ours, 10000));
    ck_assert_int_lt(site_tick_us() - start_us, 3000000);
    site_publish(theirs);
    ck_assert(site_receive(ours, 10000));
}
END_TEST

static void *receive_once(void *arg)
{
    ck_assert(site_receive(arg, 10000));
    return NULL;
}

/* The check for it comes only a second after the session was opened. */
START_TEST(a_row_that_vanished_and_is_written_for_another_reason_counts_as_fresh)
{
    int64_t start_us = site_tick_us();

    site_enter(ours);
    site_do(pg, "DELETE FROM taskcore.listener");
    site_start(receive_once, ours);
    site_sleep_ms(20);
    site_enter_waiter(ours);
    site_join();
    ck_assert_int_lt(site_tick_us() - start_us, 800000);
}
END_TEST

START_TEST(after_a_broken_connection_the_receiver_is_to_look_and_hears_again)
{
    int64_t incarnation = site_await_lock(ours);

    site_enter(ours);
    ck_assert_int_eq(site_number_of(pg, SITE_KILL, incarnation), 1);
    ck_assert(site_receive(ours, 10000));
    site_publish(theirs);
    ck_assert(site_receive(ours, 10000));
    ck_assert_int_eq(site_await_lock(ours), incarnation);
}
END_TEST

START_TEST(a_ring_survives_the_broken_connection_of_who_rings)
{
    int64_t incarnation = site_await_lock(theirs);

    site_enter(ours);
    ck_assert_int_eq(site_number_of(pg, SITE_KILL, incarnation), 1);
    site_publish(theirs);
    ck_assert(site_receive(ours, 10000));
}
END_TEST

START_TEST(a_ring_survives_the_notify_that_broke_under_way)
{
    int64_t incarnation = site_await_lock(theirs);

    site_enter(ours);
    site_start(receive_once, ours);
    site_do(pg, "BEGIN");
    site_do(pg, "LOCK TABLE taskcore.listener");
    site_publish(theirs);
    site_sleep_ms(50); /* its statement waits for the table */
    ck_assert_int_eq(site_number_of(pg, SITE_KILL, incarnation), 1);
    site_do(pg, "COMMIT");
    site_join();
}
END_TEST

/* --- how fast --- */

static _Atomic int64_t rung_us;
static _Atomic size_t heard_count;
static int64_t took_us[SAMPLES];

static void *hear_all(void *arg)
{
    (void)arg;
    for (size_t i = 0; i < SAMPLES; i++) {
        while (!site_receive(ours, 10000))
            continue;
        took_us[i] = site_tick_us() - atomic_load(&rung_us);
        atomic_store(&heard_count, i + 1);
    }
    return NULL;
}

static int compare(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a;
    int64_t right = *(const int64_t *)b;

    return (left > right) - (left < right);
}

START_TEST(a_hint_arrives_in_another_process_in_less_than_milliseconds)
{
    site_enter(ours);
    site_start(hear_all, NULL);
    for (size_t i = 0; i < SAMPLES; i++) {
        site_sleep_ms(5);
        atomic_store(&rung_us, site_tick_us());
        site_publish(theirs);
        while (atomic_load(&heard_count) == i)
            site_sleep_ms(1);
    }
    site_join();
    qsort(took_us, SAMPLES, sizeof(took_us[0]), compare);
    fprintf(stderr, "# publish to receive between sessions: p50 %lld us, p99 %lld us\n",
            (long long)took_us[SAMPLES / 2], (long long)took_us[SAMPLES * 99 / 100]);
    ck_assert_int_lt(took_us[SAMPLES / 2], 20000);
}
END_TEST

/* --- behind a pooler --- */

static void open_pooled(void)
{
    pg = site_connect();
    site_do(pg, "DELETE FROM taskcore.listener");
    ours = site_open_pooled(site_url(NULL));
    theirs = site_open(site_url(NULL));
}

START_TEST(behind_a_pooler_a_receive_says_look_every_second)
{
    int64_t start_us = site_tick_us();

    ck_assert(site_receive(ours, 10000));
    ck_assert_int_le(site_tick_us() - start_us, 1500000);
    ck_assert(!site_receive(ours, 100));
    ck_assert(site_receive(ours, 10000));
    ck_assert_int_ge(site_tick_us() - start_us, 1500000);
    ck_assert_int_eq(site_number(pg, "SELECT count(*) FROM taskcore.listener"), 0);
}
END_TEST

START_TEST(behind_a_pooler_hints_still_reach_this_process_and_those_that_listen)
{
    site_enter(theirs);
    site_publish(ours);
    ck_assert(site_receive(ours, 10000));
    ck_assert(site_receive(theirs, 10000));
    ck_assert_int_eq(postgres_session_incarnation(ours), 0);
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
    static const struct task_queue_driver driver = {
        .name = "task_queue: postgres",
        .open = open_queue,
        .close = close_queue,
    };
    Suite *suite = task_queue_suite(&driver);
    TCase *two = new_case(suite, "two processes", open_two);
    TCase *pooled = new_case(suite, "pooler", open_pooled);

    tcase_add_test(two, a_hint_says_look_and_carries_no_id);
    tcase_add_test(two, the_first_receive_that_sleeps_says_look);
    tcase_add_test(two, a_hint_of_another_process_says_look);
    tcase_add_test(two, many_hints_of_another_process_are_few_looks);
    tcase_add_test(two, who_hears_itself_is_not_told_by_the_database_again);
    tcase_add_test(two, who_does_not_come_back_is_taken_out);
    tcase_add_test(two, who_waits_stays_entered);
    tcase_add_test(two, nobody_listens_and_no_notify_is_sent);
    tcase_add_test(two, a_burst_is_one_notify_in_two_milliseconds);
    tcase_add_test(two, a_row_that_vanished_comes_back_and_the_receiver_is_to_look);
    tcase_add_test(two, a_row_that_vanished_and_is_written_for_another_reason_counts_as_fresh);
    tcase_add_test(two, after_a_broken_connection_the_receiver_is_to_look_and_hears_again);
    tcase_add_test(two, a_ring_survives_the_broken_connection_of_who_rings);
    tcase_add_test(two, a_ring_survives_the_notify_that_broke_under_way);
    tcase_add_test(two, a_hint_arrives_in_another_process_in_less_than_milliseconds);
    tcase_add_test(pooled, behind_a_pooler_a_receive_says_look_every_second);
    tcase_add_test(pooled,
                   behind_a_pooler_hints_still_reach_this_process_and_those_that_listen);
    return postgres_server_run(suite);
}
