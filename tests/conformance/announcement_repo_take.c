/* [A1] every waiting task is in some group, [A2] and each group has one taker at a time. */

#include "tests/conformance/announcement_repo_suite.h"
#include "tests/conformance/announcement_repo_tcases.h"

#include <stdatomic.h>
#include <stdlib.h>

#define ALL  TC_ANNOUNCEMENT_GROUPS_MAX
#define MANY 1000

static void take_all(struct announced_groups *ret_taken)
{
    announce_take(ALL, ret_taken);
}

START_TEST(nothing_waits_and_nothing_is_due)
{
    struct announced_groups taken;

    take_all(&taken);
    ck_assert_uint_eq(taken.count, 0);
    ck_assert_int_eq(taken.next_ms, -1);
}
END_TEST

START_TEST(a1_a_task_that_begins_to_wait_is_due_at_once) /* loop over announce_ways */
{
    struct tc_id id = announce_ways[_i].enter();
    struct announced_groups taken;

    take_all(&taken);
    ck_assert_msg(announce_count(&taken) == 1 && announce_has(&taken, &id), "%s",
                  announce_ways[_i].why);
    ck_assert_int_eq(taken.groups[0].times, 0);
    announce_release(&taken);
}
END_TEST

START_TEST(a1_a_group_has_one_queue_type_and_priority)
{
    static const struct store_wish wishes[] = {
        { .queue = "a" },
        { .queue = "b" },
        { .type = "x" },
        { .priority = 10 },
        { .queue = "a", .type = "x", .priority = 10 },
    };
    size_t count = sizeof(wishes) / sizeof(wishes[0]);
    struct announced_groups taken;

    for (size_t i = 0; i < count; i++)
        store_create_many(wishes[i], 3, NULL);
    take_all(&taken);
    ck_assert_uint_eq(taken.count, count);
    announce_release(&taken);
    store_advance(HOLD_MS);
    ck_assert_uint_eq(announce_take_count(), 3 * count); /* which looks at each of them */
}
END_TEST

START_TEST(a1_many_tasks_come_in_several_groups_none_of_them_twice)
{
    struct announced_groups taken;
    struct tc_id *ids = calloc(MANY, sizeof(*ids));

    ck_assert_ptr_nonnull(ids);
    store_create_many(store_plain, MANY, ids);
    take_all(&taken);
    ck_assert_uint_ge(taken.count, MANY / TC_ANNOUNCEMENT_IDS_MAX);
    ck_assert_uint_eq(announce_count(&taken), MANY);
    for (size_t i = 0; i < MANY; i++)
        ck_assert(announce_has(&taken, &ids[i]));
    announce_release(&taken);
    free(ids);
}
END_TEST

static const enum tc_status not_waiting[] = {
    TC_STATUS_SCHEDULED, TC_STATUS_PROCESSING, TC_STATUS_DONE,
    TC_STATUS_FAILED,    TC_STATUS_CANCELLED,
};

static void leave_waiting(const struct tc_id *id, enum tc_status status)
{
    if (status == TC_STATUS_CANCELLED) {
        store_cancel(id);
        return;
    }

    int64_t epoch = store_claim_id(id);

    if (status == TC_STATUS_SCHEDULED)
        store_apply(store_again(id, epoch, 60000));
    if (status == TC_STATUS_DONE)
        store_apply(store_done(id, epoch, "1"));
    if (status == TC_STATUS_FAILED)
        store_apply(store_failed(id, epoch, "no"));
}

START_TEST(a1_what_does_not_wait_any_more_is_dropped) /* loop over not_waiting */
{
    struct tc_id ids[3];
    struct announced_groups taken;

    store_create_many(store_plain, 3, ids);
    ck_assert_uint_eq(announce_take_count(), 3);
    leave_waiting(&ids[1], not_waiting[_i]);
    store_advance(HOLD_MS);
    take_all(&taken);
    ck_assert_uint_eq(announce_count(&taken), 2);
    ck_assert(!announce_has(&taken, &ids[1]));
    announce_release(&taken);
}
END_TEST

START_TEST(a1_a_group_without_tasks_is_gone) /* loop over not_waiting */
{
    struct tc_id ids[3];
    struct announced_groups taken;

    store_create_many(store_plain, 3, ids);
    for (size_t i = 0; i < 3; i++)
        leave_waiting(&ids[i], not_waiting[_i]);
    take_all(&taken);
    ck_assert_uint_eq(taken.count, 0);
    take_all(&taken);
    ck_assert_int_eq(taken.next_ms, -1);
}
END_TEST

START_TEST(a1_what_is_scheduled_is_in_no_group)
{
    struct announced_groups taken;

    store_create((struct store_wish){ .delay_ms = 60000 });
    take_all(&taken);
    ck_assert_uint_eq(taken.count, 0);
    ck_assert_int_eq(taken.next_ms, -1);
}
END_TEST

START_TEST(a1_a_task_that_waits_anew_is_in_a_new_group) /* loop: with and without the queue */
{
    struct tc_id id = store_create(store_plain);
    struct announced_groups taken;

    take_all(&taken);
    if (_i)
        announce_tell(&taken, true);
    announce_release(&taken);
    store_apply(store_released(&id, store_claim_id(&id), 0));
    take_all(&taken);
    ck_assert_uint_eq(announce_count(&taken), 1);
    ck_assert_int_eq(taken.groups[0].times, 0);
    announce_release(&taken);
}
END_TEST

START_TEST(a1_groups_outlive_the_process)
{
    struct tc_id ids[3];
    struct announced_groups taken;

    store_create_many(store_plain, 3, ids);
    take_all(&taken);
    announce_tell(&taken, true);
    announce_release(&taken);
    store_reopen();
    store_advance(WAIT_MS);
    take_all(&taken);
    ck_assert_uint_eq(announce_count(&taken), 3);
    ck_assert_int_eq(taken.groups[0].times, 1);
    announce_release(&taken);
}
END_TEST

START_TEST(a2_a_group_that_was_taken_is_not_due_until_the_hold_is_over)
{
    struct announced_groups taken;

    store_create(store_plain);
    take_all(&taken);
    ck_assert_int_eq(taken.next_ms, HOLD_MS);
    announce_release(&taken);
    store_advance(HOLD_MS - 1);
    take_all(&taken);
    ck_assert_uint_eq(taken.count, 0);
    ck_assert_int_eq(taken.next_ms, 1);
    store_advance(1);
    ck_assert_uint_eq(announce_take_count(), 1);
}
END_TEST

START_TEST(a2_what_is_more_than_was_asked_for_is_due_now_the_longest_due_first)
{
    struct announced_groups taken;
    struct tc_id first = store_create((struct store_wish){ .type = "z" });

    store_advance(5);
    store_create((struct store_wish){ .priority = 10 });
    announce_take(1, &taken);
    ck_assert(announce_has(&taken, &first));
    ck_assert_int_eq(taken.next_ms, 0);
    announce_release(&taken);
    announce_take(1, &taken);
    ck_assert_uint_eq(announce_count(&taken), 1);
    ck_assert_int_eq(taken.next_ms, HOLD_MS);
    announce_release(&taken);
}
END_TEST

START_TEST(a_take_says_when_the_next_group_is_due)
{
    struct announced_groups taken;

    store_create(store_plain);
    take_all(&taken);
    announce_tell(&taken, false);
    announce_release(&taken);
    store_advance(WAIT_MS - 700);
    take_all(&taken);
    ck_assert_uint_eq(taken.count, 0);
    ck_assert_int_eq(taken.next_ms, 700);
}
END_TEST

#define RACE_GROUPS 200
#define RACE_SIZE   5

static _Atomic size_t taken_by_all;

static void take_until_nothing_is_left(size_t number)
{
    struct announced_groups taken;

    do {
        announce_take(number % 2 ? ALL : 3, &taken);
        taken_by_all += announce_count(&taken);
        announce_release(&taken);
    } while (taken.next_ms == 0);
}

START_TEST(a2_several_takers_get_each_group_once)
{
    for (size_t i = 0; i < RACE_GROUPS; i++)
        store_create_many((struct store_wish){ .priority = (int)(i % 11) }, RACE_SIZE, NULL);
    store_run_threads(take_until_nothing_is_left);
    ck_assert_uint_eq(taken_by_all, (size_t)RACE_GROUPS * RACE_SIZE);
    store_advance(HOLD_MS);
    taken_by_all = 0;
    store_run_threads(take_until_nothing_is_left);
    ck_assert_uint_eq(taken_by_all, (size_t)RACE_GROUPS * RACE_SIZE);
}
END_TEST

TCase *announcement_repo_take_tcase(const struct store_driver *driver)
{
    TCase *tcase = store_tcase(driver, "taking");
    int other = (int)(sizeof(not_waiting) / sizeof(not_waiting[0]));

    tcase_add_test(tcase, nothing_waits_and_nothing_is_due);
    tcase_add_loop_test(tcase, a1_a_task_that_begins_to_wait_is_due_at_once, 0,
                        announce_way_count);
    tcase_add_test(tcase, a1_a_group_has_one_queue_type_and_priority);
    tcase_add_test(tcase, a1_many_tasks_come_in_several_groups_none_of_them_twice);
    tcase_add_loop_test(tcase, a1_what_does_not_wait_any_more_is_dropped, 0, other);
    tcase_add_loop_test(tcase, a1_a_group_without_tasks_is_gone, 0, other);
    tcase_add_test(tcase, a1_what_is_scheduled_is_in_no_group);
    tcase_add_loop_test(tcase, a1_a_task_that_waits_anew_is_in_a_new_group, 0, 2);
    if (driver->reopen)
        tcase_add_test(tcase, a1_groups_outlive_the_process);
    tcase_add_test(tcase, a2_a_group_that_was_taken_is_not_due_until_the_hold_is_over);
    tcase_add_test(tcase, a2_what_is_more_than_was_asked_for_is_due_now_the_longest_due_first);
    tcase_add_test(tcase, a_take_says_when_the_next_group_is_due);
    tcase_add_test(tcase, a2_several_takers_get_each_group_once);
    return tcase;
}

/* --- where the creator has told the queue itself --- */

static const struct store_driver *later_driver;

/* Not before its time, and then. */
static void assert_due_in(int64_t ms, const struct tc_id *id)
{
    struct announced_groups taken;

    if (ms > 0) {
        take_all(&taken);
        ck_assert_uint_eq(taken.count, 0);
        ck_assert_int_eq(taken.next_ms, ms);
        store_advance(ms - 1);
        ck_assert_uint_eq(announce_take_count(), 0);
        store_advance(1);
    }
    take_all(&taken);
    ck_assert(announce_has(&taken, id));
    announce_release(&taken);
}

START_TEST(what_was_told_of_is_looked_after_later_and_the_rest_at_once) /* loop over ways */
{
    const struct announce_way *way = &announce_ways[_i];

    store_open_with(later_driver);

    struct tc_id id = way->enter();

    assert_due_in(way->untold ? 0 : ANNOUNCE_LATER_MS, &id);
}
END_TEST

TCase *announcement_repo_later_tcase(const struct store_driver *driver,
                                     const struct store_driver *later)
{
    TCase *tcase = store_tcase(driver, "later");

    later_driver = later;
    tcase_add_loop_test(tcase, what_was_told_of_is_looked_after_later_and_the_rest_at_once, 0,
                        announce_way_count);
    return tcase;
}
