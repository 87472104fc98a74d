/* [L4], [L5]: outcomes that come too late, or twice. */

#include "tests/conformance/store_tcases.h"

#include <string.h>

static void finish_all(const struct tc_outcome *outcomes, size_t count,
                       struct tc_verdict *ret_verdicts)
{
    ck_assert_int_eq(
        store.leases->ops->finish(store.leases, outcomes, count, ret_verdicts, &store.err),
        TC_OK);
}

static void assert_stale(struct tc_outcome outcome, enum tc_stale_reason reason)
{
    struct tc_task before = store_get(&outcome.id);
    struct tc_verdict verdict = store_finish(outcome);

    ck_assert_int_eq(verdict.kind, TC_VERDICT_STALE);
    ck_assert_int_eq(verdict.stale, reason);
    store_assert_stored(&before);
    tc_task_release(&before);
}

START_TEST(l4_an_epoch_that_was_taken_over_is_superseded) /* loop over the kinds */
{
    struct tc_id id = store_create(store_plain);
    struct store_group group;

    store_claim_id(&id);
    store_advance(STORE_LEASE_MS);
    store_take_ended(1, &group);
    store_group_release(&group);
    assert_stale(store_outcome(_i, &id, 1), TC_STALE_SUPERSEDED);
}
END_TEST

START_TEST(l4_an_epoch_that_does_not_exist_yet_is_not_leased) /* loop over the kinds */
{
    struct tc_id id = store_create(store_plain);

    assert_stale(store_outcome(_i, &id, 0), TC_STALE_NOT_LEASED);
    assert_stale(store_outcome(_i, &id, 1), TC_STALE_NOT_LEASED);
    store_claim_id(&id);
    assert_stale(store_outcome(_i, &id, 2), TC_STALE_NOT_LEASED);
    assert_stale(store_outcome(_i, &id, INT64_MAX), TC_STALE_NOT_LEASED);
}
END_TEST

START_TEST(l4_a_cancelled_task_refuses_its_holder) /* loop over the kinds */
{
    struct tc_id id = store_create(store_plain);

    store_claim_id(&id);
    store_cancel(&id);
    assert_stale(store_outcome(_i, &id, 1), TC_STALE_CANCELLED);
}
END_TEST

START_TEST(l4_a_finished_task_refuses_another_outcome)
{
    struct tc_id done = store_create(store_plain);
    struct tc_id failed = store_create(store_plain);

    store_apply(store_done(&done, store_claim_id(&done), "1"));
    store_apply(store_failed(&failed, store_claim_id(&failed), "no"));
    assert_stale(store_failed(&done, 1, "no"), TC_STALE_FINISHED);
    assert_stale(store_again(&done, 1, 0), TC_STALE_FINISHED);
    assert_stale(store_done(&failed, 1, "1"), TC_STALE_FINISHED);
    assert_stale(store_released(&failed, 1, 0), TC_STALE_FINISHED);
}
END_TEST

START_TEST(l4_a_task_that_waits_again_refuses_another_outcome) /* loop: at once, later */
{
    struct tc_id id = store_create(store_plain);

    store_claim_id(&id);
    store_apply(store_again(&id, 1, _i ? 1000 : 0));
    assert_stale(store_done(&id, 1, "1"), TC_STALE_RELEASED);
    assert_stale(store_released(&id, 1, 0), TC_STALE_RELEASED);
}
END_TEST

START_TEST(l4_an_unknown_task_is_not_found)
{
    struct tc_id id = store_next_id();
    struct tc_verdict verdict = store_finish(store_done(&id, 1, "1"));

    ck_assert_int_eq(verdict.kind, TC_VERDICT_STALE);
    ck_assert_int_eq(verdict.stale, TC_STALE_NOT_FOUND);
}
END_TEST

START_TEST(l4_stale_members_do_not_harm_the_others)
{
    struct tc_id ids[4];
    struct tc_id unknown = store_next_id();
    struct tc_verdict verdicts[5];

    store_create_many(store_plain, 4, ids);
    ck_assert_uint_eq(store_claim_count(4), 4);
    store_cancel(&ids[1]);

    const struct tc_outcome outcomes[] = {
        store_done(&ids[0], 1, "0"),   store_done(&ids[1], 1, "1"),
        store_done(&unknown, 1, "?"),  store_failed(&ids[2], 1, "no"),
        store_released(&ids[3], 7, 0),
    };
    static const enum tc_stale_reason expected[] = { TC_STALE_NONE, TC_STALE_CANCELLED,
                                                     TC_STALE_NOT_FOUND, TC_STALE_NONE,
                                                     TC_STALE_NOT_LEASED };

    finish_all(outcomes, 5, verdicts);
    for (size_t i = 0; i < 5; i++) {
        ck_assert_int_eq(verdicts[i].kind == TC_VERDICT_STALE, expected[i] != TC_STALE_NONE);
        ck_assert_int_eq(verdicts[i].stale, expected[i]);
    }
    ck_assert_int_eq(store_status_of(&ids[0]), TC_STATUS_DONE);
    ck_assert_int_eq(store_status_of(&ids[1]), TC_STATUS_CANCELLED);
    ck_assert_int_eq(store_status_of(&ids[2]), TC_STATUS_FAILED);
    ck_assert_int_eq(store_status_of(&ids[3]), TC_STATUS_PROCESSING);
}
END_TEST

START_TEST(l4_a_group_of_1000_is_finished_in_one_call)
{
    static struct tc_outcome outcomes[TC_LEASE_GROUP_MAX];
    static struct tc_verdict verdicts[TC_LEASE_GROUP_MAX];
    struct tc_id ids[TC_LEASE_GROUP_MAX];

    store_create_many(store_plain, TC_LEASE_GROUP_MAX, ids);
    ck_assert_uint_eq(store_claim_count(TC_LEASE_GROUP_MAX), TC_LEASE_GROUP_MAX);
    for (size_t i = 0; i < TC_LEASE_GROUP_MAX; i++)
        outcomes[i] = store_done(&ids[i], 1, "1");
    finish_all(outcomes, TC_LEASE_GROUP_MAX, verdicts);
    for (size_t i = 0; i < TC_LEASE_GROUP_MAX; i++)
        ck_assert_int_eq(verdicts[i].kind, TC_VERDICT_APPLIED);
    ck_assert_int_eq(store_count_of("default").processing, 0);
}
END_TEST

START_TEST(l4_a_call_without_outcomes_is_fine)
{
    finish_all(NULL, 0, NULL);
}
END_TEST

START_TEST(l5_the_same_outcome_again_changes_nothing) /* loop over the kinds */
{
    struct tc_id id = store_create(store_plain);
    struct tc_outcome outcome;

    store_claim_id(&id);
    outcome = store_outcome(_i, &id, 1);
    store_apply(outcome);

    struct tc_task before = store_get(&id);

    store_advance(3);
    ck_assert_int_eq(store_finish(outcome).kind, TC_VERDICT_ALREADY);
    store_assert_stored(&before);
    tc_task_release(&before);
}
END_TEST

START_TEST(l5_the_same_outcome_twice_in_one_group_is_applied_once) /* loop over the kinds */
{
    struct tc_id id = store_create(store_plain);
    struct tc_verdict verdicts[2];

    store_claim_id(&id);

    const struct tc_outcome outcomes[] = { store_outcome(_i, &id, 1),
                                           store_outcome(_i, &id, 1) };

    finish_all(outcomes, 2, verdicts);
    ck_assert_int_eq(verdicts[0].kind, TC_VERDICT_APPLIED);
    ck_assert_int_eq(verdicts[1].kind, TC_VERDICT_ALREADY);
}
END_TEST

START_TEST(l5_another_result_is_not_the_same_outcome)
{
    struct tc_id id = store_create(store_plain);
    struct tc_outcome other;

    store_apply(store_done(&id, store_claim_id(&id), "1"));
    assert_stale(store_done(&id, 1, "2"), TC_STALE_FINISHED);
    assert_stale(store_done(&id, 1, NULL), TC_STALE_FINISHED);
    other = store_done(&id, 1, "1");
    other.result.kind = TC_CONTENT_TEXT;
    assert_stale(other, TC_STALE_FINISHED);
}
END_TEST

START_TEST(l5_another_message_or_result_is_not_the_same_failure)
{
    struct tc_id id = store_create(store_plain);
    struct tc_outcome other;

    store_apply(store_failed(&id, store_claim_id(&id), "no"));
    assert_stale(store_failed(&id, 1, "No"), TC_STALE_FINISHED);
    other = store_failed(&id, 1, "no");
    other.result = (struct tc_content){ TC_CONTENT_JSON, tc_bytes_of("1") };
    assert_stale(other, TC_STALE_FINISHED);
}
END_TEST

START_TEST(l5_another_message_is_not_the_same_try)
{
    struct tc_id id = store_create(store_plain);
    struct tc_outcome other;

    store_apply(store_again(&id, store_claim_id(&id), 0));
    other = store_again(&id, 1, 0);
    other.error.message = tc_bytes_of("for another reason");
    assert_stale(other, TC_STALE_RELEASED);
}
END_TEST

START_TEST(l5_a_try_or_release_repeated_with_another_delay_is_the_same) /* loop: both */
{
    struct tc_id id = store_create(store_plain);

    store_claim_id(&id);
    store_apply(_i ? store_again(&id, 1, 1000) : store_released(&id, 1, 1000));

    struct tc_outcome later = _i ? store_again(&id, 1, 2000) : store_released(&id, 1, 2000);

    ck_assert_int_eq(store_finish(later).kind, TC_VERDICT_ALREADY);
}
END_TEST

START_TEST(l5_the_same_outcome_is_known_after_the_task_was_woken)
{
    struct tc_id id = store_create(store_plain);

    store_claim_id(&id);
    store_apply(store_again(&id, 1, 1000));

    struct tc_outcome again = store_again(&id, 1, 1000);

    store_advance(1000);
    ck_assert_uint_eq(store_wake(1, &(int64_t){ 0 }), 1);
    ck_assert_int_eq(store_finish(again).kind, TC_VERDICT_ALREADY);
    ck_assert_int_eq(store_status_of(&id), TC_STATUS_NEW);
}
END_TEST

START_TEST(l5_after_somebody_took_the_task_the_same_outcome_is_superseded) /* loop: kinds */
{
    struct tc_id id = store_create(store_plain);

    store_claim_id(&id);
    store_apply(store_again(&id, 1, 0));
    store_claim_id(&id);
    assert_stale(store_again(&id, 1, 0), TC_STALE_SUPERSEDED);
    store_apply(store_outcome(_i, &id, 2));
    assert_stale(store_again(&id, 1, 0), TC_STALE_SUPERSEDED);
}
END_TEST

TCase *lease_repo_finish_tcase(const struct store_driver *driver)
{
    TCase *tcase = store_tcase(driver, "finish");
    enum { FIRST = TC_OUTCOME_DONE, END = TC_OUTCOME_RELEASED + 1 };

    tcase_add_loop_test(tcase, l4_an_epoch_that_was_taken_over_is_superseded, FIRST, END);
    tcase_add_loop_test(tcase, l4_an_epoch_that_does_not_exist_yet_is_not_leased, FIRST, END);
    tcase_add_loop_test(tcase, l4_a_cancelled_task_refuses_its_holder, FIRST, END);
    tcase_add_test(tcase, l4_a_finished_task_refuses_another_outcome);
    tcase_add_loop_test(tcase, l4_a_task_that_waits_again_refuses_another_outcome, 0, 2);
    tcase_add_test(tcase, l4_an_unknown_task_is_not_found);
    tcase_add_test(tcase, l4_stale_members_do_not_harm_the_others);
    tcase_add_test(tcase, l4_a_group_of_1000_is_finished_in_one_call);
    tcase_add_test(tcase, l4_a_call_without_outcomes_is_fine);
    tcase_add_loop_test(tcase, l5_the_same_outcome_again_changes_nothing, FIRST, END);
    tcase_add_loop_test(tcase, l5_the_same_outcome_twice_in_one_group_is_applied_once, FIRST,
                        END);
    tcase_add_test(tcase, l5_another_result_is_not_the_same_outcome);
    tcase_add_test(tcase, l5_another_message_or_result_is_not_the_same_failure);
    tcase_add_test(tcase, l5_another_message_is_not_the_same_try);
    tcase_add_loop_test(tcase, l5_a_try_or_release_repeated_with_another_delay_is_the_same, 0,
                        2);
    tcase_add_test(tcase, l5_the_same_outcome_is_known_after_the_task_was_woken);
    tcase_add_loop_test(tcase, l5_after_somebody_took_the_task_the_same_outcome_is_superseded,
                        FIRST, END);
    return tcase;
}
