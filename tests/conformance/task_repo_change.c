/* [T5], [T7], [T8]: one task read, one task moved, and what can be claimed after it. */

#include "tests/conformance/store_tcases.h"

#include <string.h>

START_TEST(t5_an_absent_id_is_not_found_and_leaves_the_result_alone)
{
    struct tc_task untouched = { .attempt = 77 };
    struct tc_id id = store_next_id();

    store_create(store_plain);
    ck_assert_int_eq(store.tasks->ops->get(store.tasks, &id, &untouched, &store.err),
                     TC_NOT_FOUND);
    ck_assert_int_eq(untouched.attempt, 77);
    ck_assert_ptr_null(untouched.storage);
}
END_TEST

static void assert_lease_is_filled(const struct tc_id *id, bool filled)
{
    struct tc_task task = store_get(id);

    ck_assert_int_eq(task.status == TC_STATUS_PROCESSING, filled);
    ck_assert_str_eq(task.lease.owner, filled ? "worker-1" : "");
    ck_assert_int_eq(task.lease.expires_at_ms, filled ? store_now_ms() + STORE_LEASE_MS : 0);
    ck_assert_int_eq(task.lease.duration_ms, filled ? STORE_LEASE_MS : 0);
    tc_task_release(&task);
}

START_TEST(t5_the_lease_is_filled_exactly_while_processing)
{
    struct tc_id id = store_create(store_plain);

    assert_lease_is_filled(&id, false);
    store_claim_id(&id);
    assert_lease_is_filled(&id, true);
    store_apply(store_again(&id, 1, 1000));
    assert_lease_is_filled(&id, false);
    store_advance(1000);
    store_wake(1, &(int64_t){ 0 });
    store_claim_id(&id);
    assert_lease_is_filled(&id, true);
    store_cancel(&id);
    assert_lease_is_filled(&id, false);
}
END_TEST

START_TEST(t7_a_change_returns_the_task_after_it)
{
    struct tc_task expected = store_make((struct store_wish){ .tag = "tagged" });
    struct tc_task changed;

    store_put(&expected, 1);
    store_advance(7);
    ck_assert_int_eq(store_change(&expected.id, TC_STATUS_CANCELLED, TC_CAUSE_CANCEL, &changed),
                     TC_OK);
    expected.status = TC_STATUS_CANCELLED;
    expected.updated_at_ms = expected.finished_at_ms = store_now_ms();
    store_assert_same(&changed, &expected);
    store_assert_stored(&changed);
    tc_task_release(&changed);
}
END_TEST

START_TEST(t7_a_change_from_another_status_is_a_conflict_that_shows_the_task)
{
    struct tc_id id = store_create(store_plain);
    struct tc_task task;

    store_apply(store_done(&id, store_claim_id(&id), "\"well\""));
    ck_assert_int_eq(store_change(&id, TC_STATUS_CANCELLED, TC_CAUSE_CANCEL, &task),
                     TC_CONFLICT);
    ck_assert_int_eq(task.status, TC_STATUS_DONE);
    ck_assert(tc_bytes_equals(task.result.bytes, tc_bytes_of("\"well\"")));
    store_assert_stored(&task);
    tc_task_release(&task);
}
END_TEST

START_TEST(t7_a_change_of_an_absent_task_is_not_found)
{
    struct tc_task untouched = { .attempt = 77 };
    struct tc_id id = store_next_id();

    ck_assert_int_eq(store_change(&id, TC_STATUS_CANCELLED, TC_CAUSE_CANCEL, &untouched),
                     TC_NOT_FOUND);
    ck_assert_int_eq(untouched.attempt, 77);
}
END_TEST

START_TEST(t7_a_waiting_task_that_is_cancelled_is_not_claimed)
{
    struct tc_id ids[2];

    store_create_many(store_plain, 2, ids);
    store_cancel(&ids[0]);

    struct tc_task claimed = store_claim_one();

    ck_assert_int_eq(tc_id_compare(&claimed.id, &ids[1]), 0);
    tc_task_release(&claimed);
    ck_assert_uint_eq(store_claim_count(2), 0);
}
END_TEST

START_TEST(t7_a_scheduled_task_that_is_cancelled_is_not_woken)
{
    struct tc_id id = store_create((struct store_wish){ .delay_ms = 1000 });
    int64_t next_ms;

    store_cancel(&id);
    store_advance(1000);
    ck_assert_uint_eq(store_wake(10, &next_ms), 0);
    ck_assert_int_eq(next_ms, -1);
    ck_assert_uint_eq(store_claim_count(1), 0);
    ck_assert_int_eq(store_status_of(&id), TC_STATUS_CANCELLED);
}
END_TEST

START_TEST(t7_cancelling_a_running_task_ends_its_lease)
{
    struct tc_id id = store_create(store_plain);
    int64_t epoch = store_claim_id(&id);
    struct store_group group;

    store_cancel(&id);
    ck_assert_int_eq(store_finish(store_done(&id, epoch, "1")).stale, TC_STALE_CANCELLED);
    ck_assert_int_eq(store_extend(&id, epoch, 0).stale, TC_STALE_CANCELLED);
    store_advance(STORE_LEASE_MS);
    store_take_ended(10, &group);
    ck_assert_uint_eq(group.count, 0);
    ck_assert_int_eq(store_status_of(&id), TC_STATUS_CANCELLED);
}
END_TEST

START_TEST(t7_cancelling_one_of_a_claimed_group_leaves_the_others_leased)
{
    struct tc_id ids[3];
    struct store_group group;

    store_create_many(store_plain, 3, ids);
    ck_assert_uint_eq(store_claim_count(3), 3);
    store_cancel(&ids[1]);
    store_apply(store_done(&ids[0], 1, NULL));
    store_advance(STORE_LEASE_MS);
    store_take_ended(10, &group);
    ck_assert_uint_eq(group.count, 1);
    ck_assert_int_eq(tc_id_compare(&group.tasks[0].id, &ids[2]), 0);
    store_group_release(&group);
}
END_TEST

/* A task that failed at its second attempt, after a crash, with a result and progress. */
static struct tc_id make_failed(void)
{
    struct tc_id id = store_create(store_plain);
    struct tc_outcome failed = store_failed(&id, 4, "it broke");
    struct tc_renewal renewal = { .id = id, .epoch = 4, .progress = tc_bytes_of("{}") };
    struct store_group group;
    struct tc_renewed renewed;

    store_apply(store_again(&id, store_claim_id(&id), 0));
    store_claim_id(&id);
    store_advance(STORE_LEASE_MS);
    store_take_ended(1, &group);
    store_group_release(&group);
    store_apply(store_again(&id, 3, 0));
    ck_assert_int_eq(store_claim_id(&id), 4);
    ck_assert_int_eq(store.leases->ops->extend(store.leases, &renewal, 1, &renewed, &store.err),
                     TC_OK);
    failed.result = (struct tc_content){ TC_CONTENT_TEXT, tc_bytes_of("half of it") };
    store_apply(failed);
    return id;
}

START_TEST(t7_a_retry_starts_over_but_for_the_epoch)
{
    struct tc_id id = make_failed();
    struct tc_task before = store_get(&id);
    struct tc_task after;

    ck_assert_int_eq(before.attempt, 2);
    ck_assert_int_eq(before.crashes, 1);
    store_advance(1000);
    ck_assert_int_eq(store_change(&id, TC_STATUS_NEW, TC_CAUSE_RETRY, &after), TC_OK);
    ck_assert_int_eq(after.status, TC_STATUS_NEW);
    ck_assert_int_eq(after.attempt, 0);
    ck_assert_int_eq(after.crashes, 0);
    ck_assert_int_eq(after.epoch, before.epoch);
    ck_assert_int_eq(after.finished_at_ms, 0);
    ck_assert_int_eq(after.run_at_ms, store_now_ms());
    ck_assert_int_eq(after.updated_at_ms, store_now_ms());
    tc_task_release(&before);
    tc_task_release(&after);
}
END_TEST

START_TEST(t7_a_retry_forgets_error_result_and_progress)
{
    struct tc_id id = make_failed();
    struct tc_task after;

    ck_assert_int_eq(store_change(&id, TC_STATUS_NEW, TC_CAUSE_RETRY, &after), TC_OK);
    ck_assert_int_eq(after.error.reason, TC_REASON_NONE);
    ck_assert_uint_eq(after.error.message.len, 0);
    ck_assert_int_eq(after.error.attempt, 0);
    ck_assert_int_eq(after.error.at_ms, 0);
    ck_assert_int_eq(after.result.kind, TC_CONTENT_NONE);
    ck_assert_uint_eq(after.result.bytes.len, 0);
    ck_assert_uint_eq(after.progress.len, 0);
    store_assert_stored(&after);
    tc_task_release(&after);
}
END_TEST

START_TEST(t7_a_retried_task_can_be_claimed_at_the_next_epoch)
{
    struct tc_id id = make_failed();

    store_retry(&id);

    struct tc_task claimed = store_claim_one();

    ck_assert_int_eq(tc_id_compare(&claimed.id, &id), 0);
    ck_assert_int_eq(claimed.epoch, 5);
    ck_assert_int_eq(claimed.attempt, 1);
    tc_task_release(&claimed);
    ck_assert_int_eq(store_finish(store_done(&id, 4, NULL)).stale, TC_STALE_SUPERSEDED);
}
END_TEST

START_TEST(t7_a_cancelled_task_can_be_retried_whatever_it_was_before) /* loop: 3 statuses */
{
    struct tc_id id = store_create((struct store_wish){ .delay_ms = _i == 0 ? 5000 : 0 });

    if (_i == 2)
        store_claim_id(&id);
    store_cancel(&id);
    store_retry(&id);
    store_claim_id(&id);
    ck_assert_uint_eq(store_claim_count(1), 0);
    ck_assert_uint_eq(store_wake(1, &(int64_t){ 0 }), 0);
}
END_TEST

START_TEST(t7_an_announced_task_is_pending_and_can_be_claimed_in_its_turn)
{
    struct tc_id ids[3];
    struct tc_task task;

    store_create_many(store_plain, 3, ids);
    ck_assert_int_eq(store_change(&ids[0], TC_STATUS_PENDING, TC_CAUSE_ANNOUNCE, &task), TC_OK);
    ck_assert_int_eq(task.status, TC_STATUS_PENDING);
    tc_task_release(&task);
    task = store_claim_one();
    ck_assert_int_eq(tc_id_compare(&task.id, &ids[0]), 0);
    tc_task_release(&task);
    ck_assert_uint_eq(store_claim_count(3), 2);
}
END_TEST

START_TEST(t7_a_change_away_from_terminal_without_starting_over_keeps_the_words)
{
    struct tc_id id = make_failed();
    struct tc_change change = { .id = id,
                                .from = TC_STATUS_BIT(TC_STATUS_FAILED),
                                .to = TC_STATUS_NEW };
    struct tc_task after;

    ck_assert_int_eq(store.tasks->ops->change(store.tasks, &change, &after, &store.err), TC_OK);
    ck_assert_int_eq(after.finished_at_ms, 0);
    ck_assert_int_eq(after.attempt, 2);
    ck_assert_int_eq(after.error.reason, TC_REASON_HANDLER);
    ck_assert(tc_bytes_equals(after.error.message, tc_bytes_of("it broke")));
    store_assert_stored(&after);
    tc_task_release(&after);
}
END_TEST

START_TEST(t7_the_second_of_two_changes_does_not_apply)
{
    struct tc_id id = store_create(store_plain);
    struct tc_task first;
    struct tc_task second;

    ck_assert_int_eq(store_change(&id, TC_STATUS_CANCELLED, TC_CAUSE_CANCEL, &first), TC_OK);
    store_advance(5);
    ck_assert_int_eq(store_change(&id, TC_STATUS_CANCELLED, TC_CAUSE_CANCEL, &second),
                     TC_CONFLICT);
    store_assert_same(&second, &first);
    tc_task_release(&first);
    tc_task_release(&second);
}
END_TEST

START_TEST(t8_a_new_task_can_be_claimed_at_once)
{
    struct tc_id id = store_create(store_plain);

    store_claim_id(&id);
}
END_TEST

START_TEST(t8_a_scheduled_task_cannot_be_claimed_before_its_time)
{
    struct tc_id id = store_create((struct store_wish){ .delay_ms = 1000 });
    int64_t next_ms;

    ck_assert_uint_eq(store_claim_count(1), 0);
    store_advance(999);
    ck_assert_uint_eq(store_wake(10, &next_ms), 0);
    ck_assert_int_eq(next_ms, 1);
    ck_assert_uint_eq(store_claim_count(1), 0);
    store_advance(1);
    ck_assert_uint_eq(store_wake(10, &next_ms), 1);
    ck_assert_int_eq(store_status_of(&id), TC_STATUS_NEW);
    store_claim_id(&id);
}
END_TEST

TCase *task_repo_change_tcase(const struct store_driver *driver)
{
    TCase *tcase = store_tcase(driver, "change");

    tcase_add_test(tcase, t5_an_absent_id_is_not_found_and_leaves_the_result_alone);
    tcase_add_test(tcase, t5_the_lease_is_filled_exactly_while_processing);
    tcase_add_test(tcase, t7_a_change_returns_the_task_after_it);
    tcase_add_test(tcase, t7_a_change_from_another_status_is_a_conflict_that_shows_the_task);
    tcase_add_test(tcase, t7_a_change_of_an_absent_task_is_not_found);
    tcase_add_test(tcase, t7_a_waiting_task_that_is_cancelled_is_not_claimed);
    tcase_add_test(tcase, t7_a_scheduled_task_that_is_cancelled_is_not_woken);
    tcase_add_test(tcase, t7_cancelling_a_running_task_ends_its_lease);
    tcase_add_test(tcase, t7_cancelling_one_of_a_claimed_group_leaves_the_others_leased);
    tcase_add_test(tcase, t7_a_retry_starts_over_but_for_the_epoch);
    tcase_add_test(tcase, t7_a_retry_forgets_error_result_and_progress);
    tcase_add_test(tcase, t7_a_retried_task_can_be_claimed_at_the_next_epoch);
    tcase_add_loop_test(tcase, t7_a_cancelled_task_can_be_retried_whatever_it_was_before, 0, 3);
    tcase_add_test(tcase, t7_an_announced_task_is_pending_and_can_be_claimed_in_its_turn);
    tcase_add_test(tcase, t7_a_change_away_from_terminal_without_starting_over_keeps_the_words);
    tcase_add_test(tcase, t7_the_second_of_two_changes_does_not_apply);
    tcase_add_test(tcase, t8_a_new_task_can_be_claimed_at_once);
    tcase_add_test(tcase, t8_a_scheduled_task_cannot_be_claimed_before_its_time);
    return tcase;
}
