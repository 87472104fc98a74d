#include "adapters/local/local_task_queue.h"
#include "tests/adapters/publisher_site.h"
#include "tests/support/run_suite.h"

#define TIMEOUT_S 60

START_TEST(what_waits_is_announced_and_becomes_pending)
{
    struct tc_id id = site_create(100, 0);

    site.publisher = site_publisher(site.bell, true);
    site_await_told(100);
    site_await_status(&id, TC_STATUS_PENDING);
    ck_assert(!site.queue.hears_signals);
}
END_TEST

START_TEST(without_pending_a_task_stays_as_it_is)
{
    struct tc_id id = site_create(1, 0);

    site.publisher = site_publisher(site.bell, false);
    site_await_told(1);
    publisher_close(site.publisher);
    site.publisher = NULL;
    ck_assert_int_eq(site_status(&id), TC_STATUS_NEW);
}
END_TEST

START_TEST(more_than_one_take_can_carry_is_announced_without_a_pause)
{
    int64_t start_ms;

    for (int i = 0; i < 2 * TC_ANNOUNCEMENT_GROUPS_MAX + 1; i++)
        site_create(10, i);
    start_ms = site_tick_ms();
    site.publisher = site_publisher(site.bell, true);
    site_await_told(20 * TC_ANNOUNCEMENT_GROUPS_MAX + 10);
    ck_assert_uint_eq(site.announcements.takes, 3);
    ck_assert_int_lt(site_tick_ms() - start_ms, 900);
}
END_TEST

/* Ten sleeps of a second, if the bell were not heard. */
START_TEST(the_bell_is_heard)
{
    int64_t start_ms = site_tick_ms();

    site.publisher = site_publisher(site.bell, true);
    for (size_t i = 1; i <= 10; i++) {
        site_create(1, 0);
        site_ring();
        site_await_told(i);
    }
    ck_assert_int_lt(site_tick_ms() - start_ms, 5000);
}
END_TEST

START_TEST(what_nobody_rang_for_is_found)
{
    site.publisher = site_publisher(site.bell, true);
    site_create(1, 0);
    site_await_told(1);
}
END_TEST

START_TEST(a_task_is_pending_only_when_the_queue_has_it)
{
    struct tc_id id = site_create(1, 0);

    site_set_queue(TC_OK, true);
    site.publisher = site_publisher(site.bell, true);
    site_await_calls(1);
    ck_assert_int_eq(site_status(&id), TC_STATUS_NEW);
    site_set_queue(TC_OK, false);
    site_await_status(&id, TC_STATUS_PENDING);
}
END_TEST

START_TEST(an_outage_of_the_queue_is_survived_and_logged_once)
{
    struct tc_id id = site_create(1, 0);

    site_set_queue(TC_UNAVAILABLE, false);
    site.publisher = site_publisher(site.bell, true);
    for (size_t calls = 1; calls <= 3; calls++) {
        site_await_calls(calls);
        site_await_takes(site.announcements.takes +
                         2);                   /* which bring nothing, and prove nothing */
        fake_clock_advance(&site.wall, 60000); /* what was taken in vain is due again */
    }
    ck_assert_int_eq(site_status(&id), TC_STATUS_NEW);
    ck_assert_uint_eq(site.infos, 0);
    site_set_queue(TC_OK, false);
    fake_clock_advance(&site.wall, 60000);
    site_await_status(&id, TC_STATUS_PENDING);
    publisher_close(site.publisher);
    site.publisher = NULL;
    ck_assert_uint_ge(site.failures_total, 3);
    ck_assert_uint_eq(site.announced_total, 1);
    ck_assert_uint_eq(site.warnings, 1);
    ck_assert_uint_eq(site.infos, 1);
}
END_TEST

START_TEST(an_outage_of_the_store_is_survived_and_logged_once)
{
    site.announcements.away = true;
    site.publisher = site_publisher(site.bell, true);
    site_await_takes(4);
    site_create(1, 0);
    site.announcements.away = false;
    site_await_told(1);
    publisher_close(site.publisher);
    site.publisher = NULL;
    ck_assert_uint_ge(site.failures_total, 4);
    ck_assert_uint_eq(site.warnings, 1);
    ck_assert_uint_eq(site.infos, 1);
}
END_TEST

/* At 0, 100, 300, 700 and 1500 ms, however often the bell rings. */
START_TEST(who_is_away_is_not_asked_over_and_over)
{
    int64_t start_ms = site_tick_ms();

    site.announcements.away = true;
    site.publisher = site_publisher(site.bell, true);
    while (site_tick_ms() - start_ms < 1000) {
        site_ring();
        site_sleep_ms(1);
    }
    ck_assert_uint_ge(site.announcements.takes, 2);
    ck_assert_uint_le(site.announcements.takes, 5);
}
END_TEST

START_TEST(an_idle_publisher_looks_once_a_second) /* loop: a silent bell, one out of order */
{
    site.publisher = site_publisher(_i ? &site_failing_bell : site.bell, true);
    site_sleep_ms(2500);
    ck_assert_uint_ge(site.announcements.takes, 2);
    ck_assert_uint_le(site.announcements.takes, 4);
}
END_TEST

START_TEST(two_publishers_share_the_work)
{
    struct tc_task_queue *second_bell;
    struct publisher *second;

    for (int i = 0; i < 1100; i++)
        site_create(2, i);
    ck_assert_int_eq(local_task_queue_open(&second_bell, NULL), TC_OK);
    site.publisher = site_publisher(site.bell, true);
    second = site_publisher(second_bell, true);
    site_await_told(2200);
    publisher_close(second);
    local_task_queue_close(second_bell);
    for (size_t i = 0; i < 2200; i++)
        ck_assert_uint_eq(site.queue.told[i], 1);
}
END_TEST

START_TEST(what_a_closed_publisher_had_taken_comes_back)
{
    struct tc_id id = site_create(1, 0);

    site_set_queue(TC_UNAVAILABLE, false);
    site.publisher = site_publisher(site.bell, true);
    site_await_calls(1);
    publisher_close(site.publisher);
    site_set_queue(TC_OK, false);
    fake_clock_advance(&site.wall, 60000);
    site.publisher = site_publisher(site.bell, true);
    site_await_status(&id, TC_STATUS_PENDING);
}
END_TEST

START_TEST(closing_ends_a_wait_for_the_bell)
{
    site.publisher = site_publisher(&site_endless_bell, true);
    site_await_takes(1);
    publisher_close(site.publisher); /* else the test's timeout */
    site.publisher = NULL;
}
END_TEST

START_TEST(closing_ends_the_pause_after_a_failure)
{
    int64_t start_ms;

    site.announcements.away = true;
    site.publisher = site_publisher(site.bell, true);
    site_await_takes(5);
    site_sleep_ms(20); /* into the pause of 1600 ms */
    start_ms = site_tick_ms();
    publisher_close(site.publisher);
    site.publisher = NULL;
    ck_assert_int_lt(site_tick_ms() - start_ms, 1000);
    ck_assert_uint_eq(site.announcements.takes, 5);
}
END_TEST

START_TEST(closing_nothing_is_fine)
{
    publisher_close(NULL);
    ck_assert_uint_eq(site_calls(), 0);
}
END_TEST

static TCase *make_tcase(const char *name)
{
    TCase *tcase = tcase_create(name);

    tcase_set_timeout(tcase, TIMEOUT_S);
    tcase_add_checked_fixture(tcase, publisher_site_open, publisher_site_close);
    return tcase;
}

int main(void)
{
    Suite *suite = suite_create("publisher");
    TCase *announcing = make_tcase("announcing");
    TCase *trouble = make_tcase("trouble");

    tcase_add_test(announcing, what_waits_is_announced_and_becomes_pending);
    tcase_add_test(announcing, without_pending_a_task_stays_as_it_is);
    tcase_add_test(announcing, more_than_one_take_can_carry_is_announced_without_a_pause);
    tcase_add_test(announcing, the_bell_is_heard);
    tcase_add_test(announcing, what_nobody_rang_for_is_found);
    tcase_add_test(announcing, a_task_is_pending_only_when_the_queue_has_it);
    tcase_add_test(announcing, two_publishers_share_the_work);
    suite_add_tcase(suite, announcing);

    tcase_add_test(trouble, an_outage_of_the_queue_is_survived_and_logged_once);
    tcase_add_test(trouble, an_outage_of_the_store_is_survived_and_logged_once);
    tcase_add_test(trouble, who_is_away_is_not_asked_over_and_over);
    tcase_add_loop_test(trouble, an_idle_publisher_looks_once_a_second, 0, 2);
    tcase_add_test(trouble, what_a_closed_publisher_had_taken_comes_back);
    tcase_add_test(trouble, closing_ends_a_wait_for_the_bell);
    tcase_add_test(trouble, closing_ends_the_pause_after_a_failure);
    tcase_add_test(trouble, closing_nothing_is_fine);
    suite_add_tcase(suite, trouble);
    return run_suite(suite);
}
