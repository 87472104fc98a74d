/* [A3] What the queue was told of. */

#include "tests/conformance/announcement_repo_tcases.h"

#include <sched.h>
#include <stdatomic.h>

#define ALL TC_ANNOUNCEMENT_GROUPS_MAX

static void announce_all(bool pending)
{
    struct announced_groups taken;

    announce_take(ALL, &taken);
    announce_tell(&taken, pending);
    announce_release(&taken);
}

START_TEST(a3_an_announced_task_becomes_pending_and_nothing_else_changes) /* loop: no, yes */
{
    struct tc_task expected = store_make((struct store_wish){ .tag = "tagged" });

    store_put(&expected, 1);
    store_advance(10);
    announce_all(_i);
    if (_i) {
        expected.status = TC_STATUS_PENDING;
        expected.updated_at_ms = store_now_ms();
    }
    store_assert_stored(&expected);
}
END_TEST

START_TEST(a3_a_task_that_is_pending_is_so_from_its_first_announcement)
{
    struct tc_id id = store_create(store_plain);
    struct tc_task before;

    announce_all(true);
    before = store_get(&id);
    store_advance(WAIT_MS);
    announce_all(true);
    store_assert_stored(&before);
    tc_task_release(&before);
}
END_TEST

START_TEST(a3_an_announced_group_is_due_again_after_its_wait_and_counts)
{
    struct announced_groups taken;

    store_create_many(store_plain, 3, NULL);
    for (int times = 0; times < 5; times++) {
        announce_take(ALL, &taken);
        ck_assert_uint_eq(announce_count(&taken), 3);
        ck_assert_int_eq(taken.groups[0].times, times);
        announce_tell(&taken, true);
        announce_release(&taken);
        store_advance(WAIT_MS - 1);
        ck_assert_uint_eq(announce_take_count(), 0);
        store_advance(1);
    }
}
END_TEST

START_TEST(a3_each_group_has_its_own_wait)
{
    struct tc_announcement_repo *repo = store.announcements;
    struct announced_groups taken;

    store_create((struct store_wish){ .type = "a" });
    store_create((struct store_wish){ .type = "b" });
    announce_take(ALL, &taken);
    ck_assert_uint_eq(taken.count, 2);
    taken.groups[0].wait_ms = 20000;
    taken.groups[1].wait_ms = 30000;
    ck_assert_int_eq(repo->ops->announced(repo, taken.groups, 2, true, &store.err), TC_OK);
    announce_release(&taken);
    store_advance(20000);
    ck_assert_uint_eq(announce_take_count(), 1);
    store_advance(10000);
    ck_assert_uint_eq(announce_take_count(), 2); /* and the first, held and not announced */
}
END_TEST

START_TEST(a3_what_was_announced_more_often_comes_apart_from_what_is_new)
{
    struct announced_groups taken;
    struct tc_id old = store_create(store_plain);
    size_t times[2] = { 0 };

    announce_all(true);
    store_advance(WAIT_MS);
    store_create(store_plain);
    announce_take(ALL, &taken);
    ck_assert_uint_eq(taken.count, 2);
    for (size_t i = 0; i < 2; i++) {
        ck_assert(taken.groups[i].times == 0 || taken.groups[i].times == 1);
        times[taken.groups[i].times]++;
    }
    ck_assert(times[0] == 1 && times[1] == 1);
    ck_assert(announce_has(&taken, &old));
    announce_release(&taken);
}
END_TEST

START_TEST(a3_as_many_groups_as_can_be_taken_are_announced_at_once)
{
    struct announced_groups taken;
    char type[8] = "t00";

    for (size_t i = 0; i < ALL + 1; i++) {
        type[1] = (char)('0' + i / 10);
        type[2] = (char)('0' + i % 10);
        store_create_many((struct store_wish){ .type = type }, 2, NULL);
    }
    announce_take(ALL, &taken);
    ck_assert_uint_eq(taken.count, ALL);
    announce_tell(&taken, true);
    announce_release(&taken);
    store_advance(HOLD_MS);
    ck_assert_uint_eq(announce_take_count(), 2);
}
END_TEST

/* Claim `count` of the three between take and announced; the others are announced. */
START_TEST(a3_what_was_claimed_in_the_meantime_is_left_out) /* loop: how many of three */
{
    struct tc_id ids[3];
    struct announced_groups taken;

    store_create_many(store_plain, 3, ids);
    announce_take(ALL, &taken);
    for (int i = 0; i < _i; i++)
        store_claim_id(&ids[i]);
    announce_tell(&taken, true);
    announce_release(&taken);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(store_status_of(&ids[i]),
                         i < _i ? TC_STATUS_PROCESSING : TC_STATUS_PENDING);
    store_advance(WAIT_MS);
    ck_assert_uint_eq(announce_take_count(), 3 - (size_t)_i);
}
END_TEST

START_TEST(a3_what_waits_anew_in_the_meantime_is_not_announced_by_that)
{
    struct announced_groups taken;
    struct tc_id id = store_create(store_plain);

    announce_take(ALL, &taken);
    store_apply(store_released(&id, store_claim_id(&id), 0));
    announce_tell(&taken, true);
    announce_release(&taken);
    ck_assert_int_eq(store_status_of(&id), TC_STATUS_NEW);
    announce_take(ALL, &taken);
    ck_assert_uint_eq(announce_count(&taken), 1);
    ck_assert_int_eq(taken.groups[0].times, 0);
    announce_release(&taken);
}
END_TEST

START_TEST(a3_of_two_that_announce_the_same_group_one_counts)
{
    struct announced_groups slow;
    struct announced_groups taken;

    store_create(store_plain);
    announce_take(ALL, &slow);
    store_advance(HOLD_MS);
    announce_all(true);
    announce_tell(&slow, true);
    announce_release(&slow);
    store_advance(WAIT_MS);
    announce_take(ALL, &taken);
    ck_assert_uint_eq(taken.count, 1);
    ck_assert_int_eq(taken.groups[0].times, 1);
    announce_release(&taken);
}
END_TEST

START_TEST(a3_announcing_nothing_is_fine)
{
    struct announced_groups none = { .count = 0 };

    announce_tell(&none, true);
}
END_TEST

START_TEST(a_pending_task_waits_like_a_new_one)
{
    struct tc_id ids[3];

    store_create_many(store_plain, 3, ids);
    announce_all(true);
    ck_assert_int_eq(store_count_of("default").waiting, 3);
    store_cancel(&ids[0]);
    ck_assert_int_eq(store_count_of("default").waiting, 2);
    store_claim_id(&ids[1]);
    ck_assert_uint_eq(store_claim_count(10), 1);
    ck_assert_int_eq(store_count_of("default").waiting, 0);
    ck_assert_int_eq(store_count_of("default").processing, 2);
}
END_TEST

START_TEST(a_pending_task_keeps_its_place_among_the_waiting)
{
    struct tc_id first = store_create(store_plain);
    struct tc_task task;

    announce_all(true);
    store_create(store_plain);
    task = store_claim_one();
    ck_assert_int_eq(tc_id_compare(&task.id, &first), 0);
    tc_task_release(&task);
}
END_TEST

/* --- publishers and workers at once --- */

#define RACE_TASKS 1000

static _Atomic size_t claimed;

static void announce_or_claim(size_t number)
{
    struct store_group group;
    struct tc_claim claim = store_any(7);

    while (claimed < RACE_TASKS)
        if (number == 0) {
            announce_all(true);
            store_advance(WAIT_MS); /* all that waits is due again */
        } else {
            claim.lease_ms = INT64_C(1) << 40;
            store_claim(&claim, &group);
            claimed += group.count;
            store_group_release(&group);
            sched_yield();
        }
}

START_TEST(who_announces_keeps_nobody_from_claiming_and_nothing_is_lost)
{
    store_create_many(store_plain, RACE_TASKS, NULL);
    store_run_threads(announce_or_claim);
    ck_assert_uint_eq(claimed, RACE_TASKS);
    ck_assert_int_eq(store_count_of("default").processing, RACE_TASKS);
    store_advance(WAIT_MS);
    ck_assert_uint_eq(announce_take_count(), 0);
}
END_TEST

TCase *announcement_repo_done_tcase(const struct store_driver *driver)
{
    TCase *tcase = store_tcase(driver, "announced");

    tcase_add_loop_test(tcase, a3_an_announced_task_becomes_pending_and_nothing_else_changes, 0,
                        2);
    tcase_add_test(tcase, a3_a_task_that_is_pending_is_so_from_its_first_announcement);
    tcase_add_test(tcase, a3_an_announced_group_is_due_again_after_its_wait_and_counts);
    tcase_add_test(tcase, a3_each_group_has_its_own_wait);
    tcase_add_test(tcase, a3_what_was_announced_more_often_comes_apart_from_what_is_new);
    tcase_add_test(tcase, a3_as_many_groups_as_can_be_taken_are_announced_at_once);
    tcase_add_loop_test(tcase, a3_what_was_claimed_in_the_meantime_is_left_out, 0, 4);
    tcase_add_test(tcase, a3_what_waits_anew_in_the_meantime_is_not_announced_by_that);
    tcase_add_test(tcase, a3_of_two_that_announce_the_same_group_one_counts);
    tcase_add_test(tcase, a3_announcing_nothing_is_fine);
    tcase_add_test(tcase, a_pending_task_waits_like_a_new_one);
    tcase_add_test(tcase, a_pending_task_keeps_its_place_among_the_waiting);
    tcase_add_test(tcase, who_announces_keeps_nobody_from_claiming_and_nothing_is_lost);
    return tcase;
}
