#include "tests/adapters/lessee_crowd.h"
#include "tests/support/run_suite.h"

#include <check.h>

/* The waiting room of those who want leases, with threads that wait in it. */

/* Who looks has heard of something. */
static void setup_hearing(void)
{
    crowd_open(10 * LONG_MS);
}

static void setup_silent(void)
{
    crowd_open(0);
}

static void teardown(void)
{
    crowd_close();
}

START_TEST(who_finds_something_at_once_does_not_wait)
{
    struct waiter waiter = { .wish = &crowd_of_default, .wait_ms = LONG_MS };

    crowd.stock = 1;
    crowd_wait(&waiter);
    ck_assert_int_eq(waiter.found, HTTP_LOOK_FULL);
    ck_assert_int_lt(waiter.took_ms, LONG_MS);
}
END_TEST

START_TEST(who_does_not_want_to_wait_looks_once)
{
    struct waiter waiter = { .wish = &crowd_of_default };

    crowd_wait(&waiter);
    ck_assert_int_eq(crowd.entered, 1);
    ck_assert_int_eq(crowd.looks, 0);
}
END_TEST

START_TEST(an_announced_task_is_found_at_once)
{
    struct waiter waiter;

    crowd_make(&waiter, 1, LONG_MS);
    crowd_start(&waiter, 1);
    crowd.stock = 1;
    crowd_announce("default", "email");
    crowd_join(&waiter, 1);
    ck_assert_int_eq(waiter.found, HTTP_LOOK_FULL);
    ck_assert_int_lt(waiter.took_ms, LONG_MS);
}
END_TEST

START_TEST(a_delivered_hint_is_an_announcement)
{
    struct tc_hint hint = { .queue = "default", .type = "email" };
    struct waiter waiter;

    crowd_make(&waiter, 1, LONG_MS);
    crowd_start(&waiter, 1);
    crowd.stock = 1;
    ck_assert_int_eq(crowd.front->ops->deliver(crowd.front, &hint, 1, 10, NULL), TC_OK);
    crowd_join(&waiter, 1);
    ck_assert_int_lt(waiter.took_ms, LONG_MS);
}
END_TEST

START_TEST(look_into_the_store_is_for_everybody)
{
    struct waiter waiters[] = { { .wish = &crowd_of_default, .wait_ms = LONG_MS },
                                { .wish = &crowd_of_types, .wait_ms = LONG_MS } };

    crowd_start(waiters, 2);
    crowd.stock = 2;
    tc_task_queue_tell_look(crowd.front);
    crowd_join(waiters, 2);
    ck_assert_int_eq(crowd_count(waiters, 2, HTTP_LOOK_FULL), 2);
}
END_TEST

START_TEST(a_task_nobody_announced_is_found_all_the_same)
{
    struct waiter waiter;

    crowd_make(&waiter, 1, LONG_MS);
    crowd_start(&waiter, 1);
    crowd.stock = 1;
    crowd_join(&waiter, 1);
    ck_assert_int_eq(waiter.found, HTTP_LOOK_FULL);
    ck_assert_int_lt(waiter.took_ms, LONG_MS);
}
END_TEST

START_TEST(an_announcement_between_look_and_wait_is_not_missed)
{
    struct waiter waiter;

    crowd_make(&waiter, 1, LONG_MS);
    crowd.announces = true;
    crowd_wait(&waiter);
    ck_assert_int_eq(waiter.found, HTTP_LOOK_FULL);
    ck_assert_int_lt(waiter.took_ms, LONG_MS);
}
END_TEST

START_TEST(only_those_who_want_it_look)
{
    struct waiter waiter = { .wish = &crowd_of_types, .wait_ms = 100 };

    crowd_start(&waiter, 1);
    crowd_announce("default", "push");
    crowd_announce("mail", "email");
    crowd_join(&waiter, 1);
    ck_assert_int_eq(crowd.looks, 0);
}
END_TEST

START_TEST(who_waits_for_nothing_waits_as_long_as_it_said)
{
    struct waiter waiter;

    crowd_make(&waiter, 1, SHORT_MS);
    crowd_start(&waiter, 1);
    crowd_join(&waiter, 1);
    ck_assert_int_eq(waiter.found, HTTP_LOOK_EMPTY);
    ck_assert_int_ge(waiter.took_ms, SHORT_MS);
    ck_assert_int_lt(waiter.took_ms, LONG_MS);
}
END_TEST

START_TEST(a_crowd_looks_as_often_as_one)
{
    struct waiter waiters[CROWD];

    int64_t begin_ms = crowd_now_ms();

    crowd_make(waiters, CROWD, SHORT_MS);
    crowd_start(waiters, CROWD);
    crowd_join(waiters, CROWD);
    ck_assert_int_eq(crowd.entered, CROWD);
    ck_assert_int_ge(crowd.looks, 1);
    ck_assert_int_le(crowd.looks, (crowd_now_ms() - begin_ms) / 250);
}
END_TEST

START_TEST(one_announcement_lets_as_many_look_as_find_something)
{
    struct waiter waiters[CROWD];

    crowd_make(waiters, CROWD, SHORT_MS);
    crowd_start(waiters, CROWD);
    crowd.stock = 3;
    crowd_announce("default", "email");
    crowd_join(waiters, CROWD);
    ck_assert_int_eq(crowd.looks, 4); /* the last finds that nothing is left */
    ck_assert_int_eq(crowd_count(waiters, CROWD, HTTP_LOOK_FULL), 3);
}
END_TEST

START_TEST(who_came_first_is_served_first)
{
    struct waiter waiters[3];

    crowd_make(waiters, 3, SHORT_MS);
    crowd_start(waiters, 3);
    crowd.stock = 1;
    crowd_announce("default", "email");
    crowd_join(waiters, 3);
    ck_assert_int_eq(waiters[0].found, HTTP_LOOK_FULL);
    ck_assert_int_eq(crowd_count(waiters, 3, HTTP_LOOK_EMPTY), 2);
}
END_TEST

START_TEST(what_one_who_left_would_have_got_goes_to_the_next)
{
    struct waiter waiters[3];

    crowd_make(waiters, 3, LONG_MS);
    waiters[0].is_gone = waiters[1].is_gone = true;
    crowd_start(waiters, 3);
    crowd.stock = 1;
    crowd_announce("default", "email");
    crowd_join(waiters, 3);
    ck_assert_int_eq(waiters[2].found, HTTP_LOOK_FULL);
    ck_assert_int_lt(waiters[2].took_ms, LONG_MS);
}
END_TEST

START_TEST(a_store_that_fails_fails_one_at_a_time)
{
    struct waiter waiters[3];

    crowd_make(waiters, 3, LONG_MS);
    crowd_start(waiters, 3);
    crowd.is_broken = true;
    crowd_announce("default", "email");
    while (http_lessees_count(crowd.lessees) > 2)
        crowd_sleep_ms(1);
    crowd.is_broken = false;
    crowd.stock = 2;
    crowd_announce("default", "email");
    crowd_join(waiters, 3);
    ck_assert_int_eq(crowd_count(waiters, 3, HTTP_LOOK_FAILED), 1);
}
END_TEST

START_TEST(announcements_for_nothing_do_not_make_anybody_look_all_the_time)
{
    struct waiter waiter;
    int64_t begin_ms = crowd_now_ms();

    crowd_make(&waiter, 1, SHORT_MS);
    crowd_start(&waiter, 1);
    for (int i = 0; i < 200; i++) {
        crowd_announce("default", "email");
        crowd_sleep_ms(1);
    }
    crowd_join(&waiter, 1);
    ck_assert_int_ge(crowd.looks, 2);
    ck_assert_int_le(crowd.looks, 2 + (crowd_now_ms() - begin_ms) / 10);
}
END_TEST

START_TEST(an_interrupt_ends_all_waits_and_those_to_come)
{
    struct waiter waiters[CROWD];
    struct waiter late = { .wish = &crowd_of_default, .wait_ms = LONG_MS };

    crowd_make(waiters, CROWD, LONG_MS);
    crowd_start(waiters, CROWD);
    http_lessees_interrupt(crowd.lessees);
    crowd_join(waiters, CROWD);
    crowd_wait(&late);
    for (int i = 0; i < CROWD; i++)
        ck_assert_int_lt(waiters[i].took_ms, LONG_MS);
    ck_assert_int_lt(late.took_ms, LONG_MS);
}
END_TEST

START_TEST(nothing_is_lost_or_found_twice_under_load)
{
    struct waiter waiters[CROWD];

    crowd_make(waiters, CROWD, LONG_MS);
    crowd_start(waiters, CROWD);
    for (int i = 0; i < CROWD; i++) {
        atomic_fetch_add(&crowd.stock, 1);
        crowd_announce("default", i % 2 ? "email" : "sms");
    }
    crowd_join(waiters, CROWD);
    ck_assert_int_eq(crowd_count(waiters, CROWD, HTTP_LOOK_FULL), CROWD);
    ck_assert_int_eq(crowd.stock, 0);
}
END_TEST

START_TEST(the_queue_behind_gets_everything)
{
    struct tc_hint hint = { .queue = "default", .type = "email", .priority = 7 };
    struct tc_delivery delivery;

    ck_assert_int_eq(crowd.front->ops->publish(crowd.front, &hint, 1, NULL), TC_OK);
    ck_assert_int_eq(crowd.front->ops->deliver(crowd.front, &hint, 1, 9, NULL), TC_OK);
    ck_assert_uint_eq(crowd.queue.count, 2);
    ck_assert_int_eq(crowd.front->ops->receive(crowd.front, 0, 1, &hint, &delivery, NULL),
                     TC_OK);
    ck_assert_int_eq(hint.priority, 7);
    ck_assert_int_eq(crowd.front->ops->commit(crowd.front, delivery.receipt, NULL), TC_OK);
    ck_assert_uint_eq(crowd.queue.commit, delivery.receipt);
    crowd.front->ops->interrupt(crowd.front);
}
END_TEST

START_TEST(a_queue_that_is_full_is_told_and_so_is_who_waits)
{
    struct tc_hint hint = { .queue = "default", .type = "email" };
    struct waiter waiter;

    crowd_make(&waiter, 1, LONG_MS);
    crowd_start(&waiter, 1);
    crowd.stock = 1;
    crowd.queue.answer = TC_UNAVAILABLE;
    ck_assert_int_eq(crowd.front->ops->publish(crowd.front, &hint, 1, NULL), TC_UNAVAILABLE);
    crowd_join(&waiter, 1);
    ck_assert_int_lt(waiter.took_ms, LONG_MS);
}
END_TEST

static TCase *hearing_tcase(void)
{
    TCase *tcase = tcase_create("hearing");

    tcase_add_checked_fixture(tcase, setup_hearing, teardown);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, who_finds_something_at_once_does_not_wait);
    tcase_add_test(tcase, who_does_not_want_to_wait_looks_once);
    tcase_add_test(tcase, an_announced_task_is_found_at_once);
    tcase_add_test(tcase, a_delivered_hint_is_an_announcement);
    tcase_add_test(tcase, look_into_the_store_is_for_everybody);
    tcase_add_test(tcase, an_announcement_between_look_and_wait_is_not_missed);
    tcase_add_test(tcase, only_those_who_want_it_look);
    tcase_add_test(tcase, one_announcement_lets_as_many_look_as_find_something);
    tcase_add_test(tcase, who_came_first_is_served_first);
    tcase_add_test(tcase, what_one_who_left_would_have_got_goes_to_the_next);
    tcase_add_test(tcase, a_store_that_fails_fails_one_at_a_time);
    tcase_add_test(tcase, announcements_for_nothing_do_not_make_anybody_look_all_the_time);
    tcase_add_test(tcase, an_interrupt_ends_all_waits_and_those_to_come);
    tcase_add_test(tcase, nothing_is_lost_or_found_twice_under_load);
    tcase_add_test(tcase, the_queue_behind_gets_everything);
    tcase_add_test(tcase, a_queue_that_is_full_is_told_and_so_is_who_waits);
    return tcase;
}

static TCase *silent_tcase(void)
{
    TCase *tcase = tcase_create("silent");

    tcase_add_checked_fixture(tcase, setup_silent, teardown);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, a_task_nobody_announced_is_found_all_the_same);
    tcase_add_test(tcase, who_waits_for_nothing_waits_as_long_as_it_said);
    tcase_add_test(tcase, a_crowd_looks_as_often_as_one);
    return tcase;
}

static Suite *lessees_suite(void)
{
    Suite *suite = suite_create("http_lessees");

    suite_add_tcase(suite, hearing_tcase());
    suite_add_tcase(suite, silent_tcase());
    return suite;
}

int main(void)
{
    return run_suite(lessees_suite());
}
