/* [L6], [L10]: what an outcome makes of the task. */

#include "tests/conformance/store_tcases.h"

#include <stdlib.h>
#include <string.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static const size_t result_lens[] = { 0, 1, 4096, 4097, 1 << 20 };

START_TEST(l6_results_of_any_bytes_are_kept) /* loop over result_lens */
{
    size_t len = result_lens[_i];
    unsigned char *bytes = malloc(len + 1);
    struct tc_id id = store_create(store_plain);
    struct tc_outcome done = store_done(&id, store_claim_id(&id), NULL);

    ck_assert_ptr_nonnull(bytes);
    for (size_t i = 0; i < len; i++)
        bytes[i] = (unsigned char)(255 - i);
    done.result = (struct tc_content){ TC_CONTENT_BYTES, { bytes, len } };
    store_apply(done);

    struct tc_task task = store_get(&id);

    ck_assert(tc_content_equals(&task.result, &done.result));
    tc_task_release(&task);
    free(bytes);
}
END_TEST

START_TEST(l6_done_keeps_the_result_and_ends_the_task)
{
    struct tc_id id = store_create(store_plain);
    struct tc_task expected;

    store_advance(5);
    expected = store_claim_one();
    store_advance(5);
    store_apply(store_done(&id, 1, "{\"well\": true}"));
    expected.status = TC_STATUS_DONE;
    expected.updated_at_ms = expected.finished_at_ms = store_now_ms();
    expected.lease = (struct tc_lease){ .owner = "" };
    expected.result = (struct tc_content){ TC_CONTENT_JSON, tc_bytes_of("{\"well\": true}") };
    store_assert_stored(&expected);
    tc_task_release(&expected);
    ck_assert_uint_eq(store_claim_count(1), 0);
}
END_TEST

START_TEST(l6_failed_keeps_error_and_result)
{
    struct tc_id id = store_create(store_plain);
    struct tc_outcome failed = store_failed(&id, store_claim_id(&id), "\xC3\xA9\n\"'%");
    struct tc_task task;

    failed.error.reason = TC_REASON_TIMEOUT;
    failed.error.attempt = 3;
    failed.error.at_ms = 12345;
    failed.result = (struct tc_content){ TC_CONTENT_TEXT, tc_bytes_of("half") };
    store_advance(5);
    store_apply(failed);
    task = store_get(&id);
    ck_assert_int_eq(task.status, TC_STATUS_FAILED);
    ck_assert_int_eq(task.finished_at_ms, store_now_ms());
    ck_assert_int_eq(task.error.reason, TC_REASON_TIMEOUT);
    ck_assert_int_eq(task.error.attempt, 3);
    ck_assert_int_eq(task.error.at_ms, 12345);
    ck_assert(tc_bytes_equals(task.error.message, failed.error.message));
    ck_assert(tc_content_equals(&task.result, &failed.result));
    tc_task_release(&task);
}
END_TEST

START_TEST(l6_again_later_waits_for_its_time)
{
    struct tc_id id = store_create(store_plain);
    struct tc_task task;

    store_apply(store_again(&id, store_claim_id(&id), 1000));
    task = store_get(&id);
    ck_assert_int_eq(task.status, TC_STATUS_SCHEDULED);
    ck_assert_int_eq(task.run_at_ms, store_now_ms() + 1000);
    ck_assert_int_eq(task.attempt, 1);
    ck_assert_int_eq(task.finished_at_ms, 0);
    ck_assert(tc_bytes_equals(task.error.message, tc_bytes_of("try again")));
    tc_task_release(&task);
    ck_assert_uint_eq(store_claim_count(1), 0);
    store_advance(1000);
    ck_assert_uint_eq(store_wake(1, &(int64_t){ 0 }), 1);
    ck_assert_int_eq(store_claim_id(&id), 2);
}
END_TEST

START_TEST(l6_again_at_once_can_be_claimed_at_once)
{
    struct tc_id id = store_create(store_plain);

    store_apply(store_again(&id, store_claim_id(&id), 0));

    struct tc_task second = store_claim_one();

    ck_assert_int_eq(second.attempt, 2);
    ck_assert(tc_bytes_equals(second.error.message, tc_bytes_of("try again")));
    tc_task_release(&second);
}
END_TEST

START_TEST(l6_a_good_end_leaves_no_error_of_an_earlier_attempt)
{
    struct tc_id id = store_create(store_plain);
    struct tc_task task;

    store_apply(store_again(&id, store_claim_id(&id), 0));
    store_apply(store_done(&id, store_claim_id(&id), "1"));
    task = store_get(&id);
    ck_assert_int_eq(task.error.reason, TC_REASON_NONE);
    ck_assert_uint_eq(task.error.message.len, 0);
    ck_assert_int_eq(task.error.attempt, 0);
    ck_assert_int_eq(task.error.at_ms, 0);
    tc_task_release(&task);
}
END_TEST

START_TEST(l6_the_store_does_not_judge_the_outcome)
{
    struct tc_id id = store_create(store_plain); /* max_attempts 3 */

    for (int64_t epoch = 1; epoch <= 6; epoch++) {
        ck_assert_int_eq(store_claim_id(&id), epoch);
        store_apply(store_again(&id, epoch, 0));
    }
    store_apply(store_failed(&id, store_claim_id(&id), "no"));
    ck_assert_int_eq(store_status_of(&id), TC_STATUS_FAILED);
}
END_TEST

START_TEST(l10_a_released_task_has_the_attempts_of_before_the_claim)
{
    struct tc_id id = store_create(store_plain);
    struct tc_task task;

    store_apply(store_again(&id, store_claim_id(&id), 0));
    store_apply(store_released(&id, store_claim_id(&id), 0));
    task = store_get(&id);
    ck_assert_int_eq(task.status, TC_STATUS_NEW);
    ck_assert_int_eq(task.attempt, 1);
    ck_assert_int_eq(task.epoch, 2);
    ck_assert(tc_bytes_equals(task.error.message, tc_bytes_of("try again")));
    tc_task_release(&task);
    task = store_claim_one();
    ck_assert_int_eq(task.attempt, 2);
    ck_assert_int_eq(task.epoch, 3);
    tc_task_release(&task);
}
END_TEST

START_TEST(l10_a_task_released_for_later_waits_for_its_time)
{
    struct tc_id id = store_create(store_plain);
    struct tc_task task;

    store_apply(store_released(&id, store_claim_id(&id), 1000));
    task = store_get(&id);
    ck_assert_int_eq(task.status, TC_STATUS_SCHEDULED);
    ck_assert_int_eq(task.attempt, 0);
    ck_assert_int_eq(task.run_at_ms, store_now_ms() + 1000);
    tc_task_release(&task);
    ck_assert_uint_eq(store_claim_count(1), 0);
}
END_TEST

START_TEST(l10_a_lease_that_ran_out_still_counts_for_its_holder) /* loop over the kinds */
{
    struct tc_id id = store_create(store_plain);
    struct store_group group;

    store_claim_id(&id);
    store_advance(10 * STORE_LEASE_MS);
    store_apply(store_outcome(_i, &id, 1));
    store_take_ended(10, &group);
    ck_assert_uint_eq(group.count, 0);
}
END_TEST

TCase *lease_repo_outcome_tcase(const struct store_driver *driver)
{
    TCase *tcase = store_tcase(driver, "outcomes");
    enum { FIRST = TC_OUTCOME_DONE, END = TC_OUTCOME_RELEASED + 1 };

    tcase_add_loop_test(tcase, l6_results_of_any_bytes_are_kept, 0, COUNT_OF(result_lens));
    tcase_add_test(tcase, l6_done_keeps_the_result_and_ends_the_task);
    tcase_add_test(tcase, l6_failed_keeps_error_and_result);
    tcase_add_test(tcase, l6_again_later_waits_for_its_time);
    tcase_add_test(tcase, l6_again_at_once_can_be_claimed_at_once);
    tcase_add_test(tcase, l6_a_good_end_leaves_no_error_of_an_earlier_attempt);
    tcase_add_test(tcase, l6_the_store_does_not_judge_the_outcome);
    tcase_add_test(tcase, l10_a_released_task_has_the_attempts_of_before_the_claim);
    tcase_add_test(tcase, l10_a_task_released_for_later_waits_for_its_time);
    tcase_add_loop_test(tcase, l10_a_lease_that_ran_out_still_counts_for_its_holder, FIRST,
                        END);
    return tcase;
}
