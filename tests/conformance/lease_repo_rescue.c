/* [L1b], [L9]: taking over what dead workers held, and waking what is due. */

#include "tests/conformance/store_tcases.h"

#include <string.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static struct tc_task take_ended_one(void)
{
    struct store_group group;

    store_take_ended(10, &group);
    ck_assert_uint_eq(group.count, 1);
    return group.tasks[0];
}

START_TEST(l1b_a_takeover_counts_a_crash_instead_of_the_attempt)
{
    struct tc_task expected = store_make((struct store_wish){ .tag = "tagged" });
    struct tc_task taken;

    store_put(&expected, 1);
    store_claim_id(&expected.id);
    expected.started_at_ms = store_now_ms();
    store_advance(STORE_LEASE_MS);
    taken = take_ended_one();
    expected.status = TC_STATUS_PROCESSING;
    expected.epoch = 2;
    expected.attempt = 0;
    expected.crashes = 1;
    expected.updated_at_ms = store_now_ms();
    expected.lease =
        (struct tc_lease){ "rescuer", store_now_ms() + STORE_LEASE_MS, STORE_LEASE_MS };
    store_assert_same(&taken, &expected);
    store_assert_stored(&taken);
    tc_task_release(&taken);
}
END_TEST

START_TEST(l1b_each_ended_lease_is_taken_over_once)
{
    struct store_group group;

    store_create_many(store_plain, 5, NULL);
    ck_assert_uint_eq(store_claim_count(5), 5);
    store_advance(STORE_LEASE_MS);
    store_take_ended(3, &group);
    ck_assert_uint_eq(group.count, 3);
    store_group_release(&group);
    store_take_ended(10, &group);
    ck_assert_uint_eq(group.count, 2);
    store_group_release(&group);
    store_take_ended(10, &group);
    ck_assert_uint_eq(group.count, 0);
}
END_TEST

START_TEST(l1b_a_rescuer_that_was_lost_counts_no_second_crash)
{
    struct tc_id id = store_create(store_plain);
    struct tc_task taken;

    store_apply(store_again(&id, store_claim_id(&id), 0));
    store_claim_id(&id);
    for (int64_t epoch = 3; epoch <= 5; epoch++) {
        store_advance(STORE_LEASE_MS);
        taken = take_ended_one();
        ck_assert_int_eq(taken.epoch, epoch);
        ck_assert_int_eq(taken.attempt, 1);
        ck_assert_int_eq(taken.crashes, 1);
        tc_task_release(&taken);
    }
}
END_TEST

START_TEST(l1b_the_next_crash_after_another_run_counts_again)
{
    struct tc_id id = store_create(store_plain);

    for (int crashes = 1; crashes <= 3; crashes++) {
        store_claim_id(&id);
        store_advance(STORE_LEASE_MS);

        struct tc_task taken = take_ended_one();

        ck_assert_int_eq(taken.crashes, crashes);
        ck_assert_int_eq(taken.attempt, 0);
        store_apply(store_again(&id, taken.epoch, 0));
        tc_task_release(&taken);
    }
}
END_TEST

START_TEST(l1b_a_takeover_can_be_finished_by_its_rescuer_only)
{
    struct tc_id id = store_create(store_plain);
    struct tc_outcome lost;

    store_claim_id(&id);
    store_advance(STORE_LEASE_MS);
    tc_task_release(&(struct tc_task[]){ take_ended_one() }[0]);
    ck_assert_int_eq(store_finish(store_done(&id, 1, "1")).stale, TC_STALE_SUPERSEDED);
    ck_assert_int_eq(store_extend(&id, 1, 0).stale, TC_STALE_SUPERSEDED);
    lost = store_failed(&id, 2, "lost");
    lost.error.reason = TC_REASON_WORKER_LOST;
    store_apply(lost);
    ck_assert_int_eq(store_status_of(&id), TC_STATUS_FAILED);
    ck_assert_int_eq(store_count_of("default").failed, 1);
}
END_TEST

START_TEST(l1b_releasing_a_takeover_takes_no_further_attempt_back)
{
    struct tc_id id = store_create(store_plain);
    struct tc_task task;

    store_apply(store_again(&id, store_claim_id(&id), 0));
    store_claim_id(&id);
    store_advance(STORE_LEASE_MS);
    tc_task_release(&(struct tc_task[]){ take_ended_one() }[0]);
    store_apply(store_released(&id, 3, 0));
    task = store_get(&id);
    ck_assert_int_eq(task.attempt, 1);
    ck_assert_int_eq(task.crashes, 1);
    tc_task_release(&task);
}
END_TEST

START_TEST(l1b_only_ended_leases_are_taken_over)
{
    struct tc_id ids[3];
    struct tc_task taken;

    store_create_many(store_plain, 3, ids);
    store_claim_id(&ids[0]);
    store_advance(1000);
    store_claim_id(&ids[1]);
    store_advance(STORE_LEASE_MS - 1000);
    taken = take_ended_one();
    ck_assert_int_eq(tc_id_compare(&taken.id, &ids[0]), 0);
    tc_task_release(&taken);
    ck_assert_int_eq(store_status_of(&ids[2]), TC_STATUS_NEW);
}
END_TEST

START_TEST(l1b_a_takeover_holds_for_the_rescuers_own_length)
{
    struct tc_id id = store_create(store_plain);
    struct store_group group;

    store_claim_id(&id);
    store_advance(STORE_LEASE_MS);
    ck_assert_int_eq(store.leases->ops->take_ended(store.leases, "r", 1, 500, group.tasks,
                                                   &group.count, &store.err),
                     TC_OK);
    ck_assert_int_eq(group.tasks[0].lease.expires_at_ms, store_now_ms() + 500);
    ck_assert_str_eq(group.tasks[0].lease.owner, "r");
    store_group_release(&group);
    ck_assert_int_eq(store_extend(&id, 2, 0).expires_at_ms, store_now_ms() + 500);
}
END_TEST

START_TEST(l9_nothing_scheduled_says_so)
{
    int64_t next_ms;

    store_create(store_plain);
    ck_assert_uint_eq(store_wake(10, &next_ms), 0);
    ck_assert_int_eq(next_ms, -1);
}
END_TEST

START_TEST(l9_wake_says_how_long_until_the_next)
{
    int64_t next_ms;

    store_create((struct store_wish){ .delay_ms = 5000 });
    store_create((struct store_wish){ .delay_ms = 3000 });
    store_create((struct store_wish){ .delay_ms = 3001 });
    ck_assert_uint_eq(store_wake(10, &next_ms), 0);
    ck_assert_int_eq(next_ms, 3000);
    store_advance(3000);
    ck_assert_uint_eq(store_wake(10, &next_ms), 1);
    ck_assert_int_eq(next_ms, 1);
    store_advance(5000);
    ck_assert_uint_eq(store_wake(10, &next_ms), 2);
    ck_assert_int_eq(next_ms, -1);
}
END_TEST

START_TEST(l9_no_more_than_max_are_woken_and_the_rest_is_due_now)
{
    int64_t next_ms;

    store_create_many((struct store_wish){ .delay_ms = 1000 }, 5, NULL);
    store_advance(1000);
    ck_assert_uint_eq(store_wake(3, &next_ms), 3);
    ck_assert_int_eq(next_ms, 0);
    ck_assert_uint_eq(store_claim_count(10), 3);
    ck_assert_uint_eq(store_wake(3, &next_ms), 2);
    ck_assert_int_eq(next_ms, -1);
}
END_TEST

START_TEST(l9_what_was_due_first_is_woken_first)
{
    static const int64_t delays[] = { 400, 100, 300, 200 };
    static const size_t order[] = { 1, 3, 2, 0 };
    struct tc_id ids[4];
    int64_t next_ms;

    for (size_t i = 0; i < COUNT_OF(ids); i++)
        ids[i] = store_create((struct store_wish){ .delay_ms = delays[i] });
    store_advance(1000);
    for (size_t i = 0; i < COUNT_OF(ids); i++) {
        ck_assert_uint_eq(store_wake(1, &next_ms), 1);
        ck_assert_int_eq(store_status_of(&ids[order[i]]), TC_STATUS_NEW);
    }
    for (size_t i = 0; i < COUNT_OF(ids); i++) {
        struct tc_task claimed = store_claim_one();

        ck_assert_int_eq(tc_id_compare(&claimed.id, &ids[order[i]]), 0);
        tc_task_release(&claimed);
    }
}
END_TEST

START_TEST(l9_waking_changes_the_status_only)
{
    struct tc_task expected = store_make((struct store_wish){ .delay_ms = 1000, .tag = "t" });
    struct tc_task woken;

    store_put(&expected, 1);
    store_advance(1500);
    ck_assert_uint_eq(store_wake(10, &(int64_t){ 0 }), 1);
    woken = store_get(&expected.id);
    expected.status = TC_STATUS_NEW;
    expected.updated_at_ms = woken.updated_at_ms; /* whether this counts is not promised */
    store_assert_same(&woken, &expected);
    tc_task_release(&woken);
}
END_TEST

START_TEST(l9_a_retried_task_is_woken_at_its_new_time)
{
    struct tc_id id = store_create((struct store_wish){ .delay_ms = 1000 });
    int64_t next_ms;

    store_advance(1000);
    store_wake(1, &next_ms);
    store_apply(store_again(&id, store_claim_id(&id), 7000));
    ck_assert_uint_eq(store_wake(1, &next_ms), 0);
    ck_assert_int_eq(next_ms, 7000);
    store_advance(7000);
    ck_assert_uint_eq(store_wake(1, &next_ms), 1);
    store_claim_id(&id);
}
END_TEST

TCase *lease_repo_rescue_tcase(const struct store_driver *driver)
{
    TCase *tcase = store_tcase(driver, "rescue");

    tcase_add_test(tcase, l1b_a_takeover_counts_a_crash_instead_of_the_attempt);
    tcase_add_test(tcase, l1b_each_ended_lease_is_taken_over_once);
    tcase_add_test(tcase, l1b_a_rescuer_that_was_lost_counts_no_second_crash);
    tcase_add_test(tcase, l1b_the_next_crash_after_another_run_counts_again);
    tcase_add_test(tcase, l1b_a_takeover_can_be_finished_by_its_rescuer_only);
    tcase_add_test(tcase, l1b_releasing_a_takeover_takes_no_further_attempt_back);
    tcase_add_test(tcase, l1b_only_ended_leases_are_taken_over);
    tcase_add_test(tcase, l1b_a_takeover_holds_for_the_rescuers_own_length);
    tcase_add_test(tcase, l9_nothing_scheduled_says_so);
    tcase_add_test(tcase, l9_wake_says_how_long_until_the_next);
    tcase_add_test(tcase, l9_no_more_than_max_are_woken_and_the_rest_is_due_now);
    tcase_add_test(tcase, l9_what_was_due_first_is_woken_first);
    tcase_add_test(tcase, l9_waking_changes_the_status_only);
    tcase_add_test(tcase, l9_a_retried_task_is_woken_at_its_new_time);
    return tcase;
}
