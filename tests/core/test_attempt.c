#include "core/domain/attempt.h"
#include "tests/support/run_suite.h"

#include <stdlib.h>
#include <string.h>

#define COUNT_OF(array) (int)(sizeof(array) / sizeof((array)[0]))
#define NOW             INT64_C(1795300000000)

static struct tc_policy policy;
static struct tc_task task; /* in its second run of three, epoch 5 */
static struct tc_report report;

static void setup(void)
{
    policy = tc_policy_default();
    task = (struct tc_task){
        .id = tc_id_make(NOW - 5000, 1, 1),
        .status = TC_STATUS_PROCESSING,
        .attempt = 2,
        .max_attempts = 3,
        .max_crashes = 3,
        .epoch = 5,
    };
    report = (struct tc_report){ .kind = TC_REPORT_DONE };
}

static void teardown(void)
{
    tc_report_release(&report);
}

static void fail_with(bool retryable, enum tc_reason reason, const char *message)
{
    tc_report_release(&report);
    report = tc_report_failed(reason, retryable, tc_bytes_of(message));
}

static struct tc_outcome decide(void)
{
    return tc_attempt_decide(&task, &report, &policy, NOW, 0);
}

static void assert_message(const struct tc_bytes *message, const char *expected)
{
    ck_assert(tc_bytes_equals(*message, tc_bytes_of(expected)));
}

START_TEST(a_good_run_is_done_with_its_result)
{
    report = tc_report_done();
    report.result = (struct tc_content){ TC_CONTENT_JSON, tc_bytes_of("{}") };

    struct tc_outcome outcome = decide();

    ck_assert_int_eq(outcome.kind, TC_OUTCOME_DONE);
    ck_assert_int_eq(outcome.next, TC_STATUS_DONE);
    ck_assert(tc_content_equals(&outcome.result, &report.result));
    ck_assert_int_eq(outcome.error.reason, TC_REASON_NONE);
}
END_TEST

START_TEST(an_outcome_names_the_task_and_the_epoch_that_ran) /* _i: report kind */
{
    report.kind = (enum tc_report_kind)_i;

    struct tc_outcome outcome = decide();

    ck_assert_int_eq(tc_id_compare(&outcome.id, &task.id), 0);
    ck_assert_int_eq(outcome.epoch, 5);
}
END_TEST

START_TEST(a_failed_attempt_is_tried_again_after_the_policys_wait)
{
    fail_with(true, TC_REASON_HANDLER, "no route");

    struct tc_outcome outcome = decide();

    ck_assert_int_eq(outcome.kind, TC_OUTCOME_AGAIN);
    ck_assert_int_eq(outcome.next, TC_STATUS_SCHEDULED);
    ck_assert_int_eq(outcome.run_at_ms, NOW + 8000);
    ck_assert_int_eq(outcome.error.reason, TC_REASON_HANDLER);
    ck_assert_int_eq(outcome.error.attempt, 2);
    ck_assert_int_eq(outcome.error.at_ms, NOW);
    assert_message(&outcome.error.message, "no route");
}
END_TEST

START_TEST(a_type_has_waits_of_its_own)
{
    static const struct tc_type_policy email = {
        "email", TC_UNSET, TC_UNSET, TC_UNSET, 50, 50
    };

    policy.types = &email;
    policy.type_count = 1;
    memcpy(task.type, "email", sizeof("email"));
    fail_with(true, TC_REASON_HANDLER, "no route");
    ck_assert_int_eq(decide().run_at_ms, NOW + 50);
}
END_TEST

static const struct {
    const char *why;
    int attempt;
    int max_attempts;
    bool retryable;
    enum tc_outcome_kind expected;
} tries[] = {
    { "first of one", 1, 1, true, TC_OUTCOME_FAILED },
    { "last but one", 2, 3, true, TC_OUTCOME_AGAIN },
    { "last", 3, 3, true, TC_OUTCOME_FAILED },
    { "over the last, its maximum was lowered", 4, 3, true, TC_OUTCOME_FAILED },
    { "first, but not retryable", 1, 3, false, TC_OUTCOME_FAILED },
    { "hundredth of a hundred", 100, 100, true, TC_OUTCOME_FAILED },
    { "ninety-ninth", 99, 100, true, TC_OUTCOME_AGAIN },
};

START_TEST(a_task_fails_when_its_attempts_are_used_up_or_trying_is_useless)
{
    task.attempt = tries[_i].attempt;
    task.max_attempts = tries[_i].max_attempts;
    fail_with(tries[_i].retryable, TC_REASON_HANDLER, "no");

    struct tc_outcome outcome = decide();

    ck_assert_msg(outcome.kind == tries[_i].expected, "%s", tries[_i].why);
    ck_assert_int_eq(outcome.next == TC_STATUS_FAILED, outcome.kind == TC_OUTCOME_FAILED);
}
END_TEST

START_TEST(the_reason_of_a_final_failure_is_kept)
{
    task.attempt = 3;
    fail_with(true, TC_REASON_TIMEOUT, "too slow");
    ck_assert_int_eq(decide().error.reason, TC_REASON_TIMEOUT);
    fail_with(false, TC_REASON_HANDLER, "bad address");
    ck_assert_int_eq(decide().error.reason, TC_REASON_NOT_RETRYABLE);
}
END_TEST

START_TEST(a_failed_task_may_carry_a_result)
{
    fail_with(false, TC_REASON_HANDLER, "odd");
    report.result = (struct tc_content){ TC_CONTENT_TEXT, tc_bytes_of("error") };

    struct tc_outcome outcome = decide();

    ck_assert(tc_content_equals(&outcome.result, &report.result));
}
END_TEST

static const struct {
    const char *why;
    enum tc_report_kind kind;
    int64_t delay_ms;
    int64_t expected_wait_ms;
    enum tc_status expected;
} delays[] = {
    { "failed, at once", TC_REPORT_FAILED, 0, 0, TC_STATUS_NEW },
    { "failed, 1 ms", TC_REPORT_FAILED, 1, 1, TC_STATUS_SCHEDULED },
    { "failed, a week", TC_REPORT_FAILED, 604800000, 604800000, TC_STATUS_SCHEDULED },
    { "released, not said", TC_REPORT_RELEASED, TC_UNSET, 0, TC_STATUS_NEW },
    { "released, at once", TC_REPORT_RELEASED, 0, 0, TC_STATUS_NEW },
    { "released, 1 ms", TC_REPORT_RELEASED, 1, 1, TC_STATUS_SCHEDULED },
    { "released, ten years", TC_REPORT_RELEASED, TC_DELAY_MAX_MS, TC_DELAY_MAX_MS,
      TC_STATUS_SCHEDULED },
};

START_TEST(a_wait_that_was_asked_for_goes_before_the_policy)
{
    report = (struct tc_report){ .kind = delays[_i].kind,
                                 .retryable = true,
                                 .delay_ms = delays[_i].delay_ms };

    struct tc_outcome outcome = decide();

    ck_assert_msg(outcome.next == delays[_i].expected, "%s", delays[_i].why);
    ck_assert_msg(outcome.run_at_ms == NOW + delays[_i].expected_wait_ms, "%s", delays[_i].why);
}
END_TEST

START_TEST(a_release_is_no_failure)
{
    report = (struct tc_report){ .kind = TC_REPORT_RELEASED, .delay_ms = TC_UNSET };

    struct tc_outcome outcome = decide();

    ck_assert_int_eq(outcome.kind, TC_OUTCOME_RELEASED);
    ck_assert_int_eq(outcome.error.reason, TC_REASON_NONE);
    ck_assert_int_eq(outcome.result.kind, TC_CONTENT_NONE);
}
END_TEST

START_TEST(nothing_is_put_off_beyond_the_year_9999)
{
    report = (struct tc_report){ .kind = TC_REPORT_RELEASED, .delay_ms = 2 };

    struct tc_outcome outcome =
        tc_attempt_decide(&task, &report, &policy, TC_TIME_MAX_MS - 1, 0);

    ck_assert_int_eq(outcome.run_at_ms, TC_TIME_MAX_MS);
}
END_TEST

static const struct {
    int attempt;
    int64_t least_ms;
    int64_t most_ms;
} waits[] = {
    { 1, 4000, 8000 },       { 2, 8000, 16000 },    { 3, 16000, 32000 },
    { 4, 32000, 64000 },     { 5, 64000, 128000 },  { 6, 128000, 256000 },
    { 7, 256000, 512000 },   { 8, 300000, 600000 }, { 9, 300000, 600000 },
    { 100, 300000, 600000 },
};

START_TEST(waits_double_up_to_the_longest)
{
    int64_t spread = waits[_i].most_ms - waits[_i].least_ms;
    int attempt = waits[_i].attempt;

    ck_assert_int_eq(tc_retry_wait_ms(&policy, attempt, 0), waits[_i].least_ms);
    ck_assert_int_eq(tc_retry_wait_ms(&policy, attempt, (uint64_t)spread), waits[_i].most_ms);
    ck_assert_int_eq(tc_retry_wait_ms(&policy, attempt, (uint64_t)spread + 1),
                     waits[_i].least_ms);
}
END_TEST

static void check_bounds(int attempt)
{
    for (uint64_t random = 1; random; random <<= 1) {
        int64_t wait_ms = tc_retry_wait_ms(&policy, attempt, random - 1);

        ck_assert_int_ge(wait_ms, policy.retry_min_ms);
        ck_assert_int_le(wait_ms, policy.retry_max_ms);
    }
}

START_TEST(no_wait_leaves_its_bounds)
{
    for (int attempt = 1; attempt <= TC_MAX_ATTEMPTS_MAX; attempt++)
        check_bounds(attempt);
}
END_TEST

START_TEST(equal_bounds_make_a_fixed_wait)
{
    policy.retry_min_ms = policy.retry_max_ms = 500;
    ck_assert_int_eq(tc_retry_wait_ms(&policy, 1, 12345), 500);
    ck_assert_int_eq(tc_retry_wait_ms(&policy, 50, 54321), 500);
}
END_TEST

START_TEST(no_wait_at_all_can_be_set)
{
    policy.retry_min_ms = policy.retry_max_ms = 0;
    ck_assert_int_eq(tc_retry_wait_ms(&policy, 7, UINT64_MAX), 0);
}
END_TEST

START_TEST(the_longest_bounds_do_not_overflow)
{
    policy.retry_min_ms = policy.retry_max_ms = TC_DELAY_MAX_MS - 1;
    ck_assert_int_eq(tc_retry_wait_ms(&policy, 100, UINT64_MAX), TC_DELAY_MAX_MS - 1);
}
END_TEST

static const struct {
    int crashes;
    int max_crashes;
    bool again;
} crashed[] = {
    { 1, 0, false }, { 1, 1, true },     { 2, 1, false },
    { 3, 3, true },  { 100, 100, true }, { 101, 100, false },
};

START_TEST(a_task_fails_when_it_lost_more_workers_than_allowed)
{
    task.crashes = crashed[_i].crashes;
    task.max_crashes = crashed[_i].max_crashes;

    struct tc_outcome outcome = tc_crash_decide(&task, NOW);

    ck_assert_int_eq(outcome.kind, crashed[_i].again ? TC_OUTCOME_AGAIN : TC_OUTCOME_FAILED);
    ck_assert_int_eq(outcome.next, crashed[_i].again ? TC_STATUS_NEW : TC_STATUS_FAILED);
    ck_assert_int_eq(outcome.epoch, task.epoch);
}
END_TEST

START_TEST(a_lost_run_is_named_by_the_attempt_it_was)
{
    task.attempt = 1; /* taken back: it ran as the second */
    task.crashes = 1;

    struct tc_outcome outcome = tc_crash_decide(&task, NOW);

    ck_assert_int_eq(outcome.error.reason, TC_REASON_WORKER_LOST);
    ck_assert_int_eq(outcome.error.attempt, 2);
    ck_assert_int_eq(outcome.error.at_ms, NOW);
    ck_assert_int_eq(outcome.run_at_ms, NOW);
    ck_assert_uint_gt(outcome.error.message.len, 0);
}
END_TEST

START_TEST(crashes_do_not_use_up_attempts)
{
    task.attempt = 2;
    task.max_attempts = 2;
    task.crashes = 1;
    ck_assert_int_eq(tc_crash_decide(&task, NOW).kind, TC_OUTCOME_AGAIN);
}
END_TEST

/* Stored by adapters: this is the lock on them. */
START_TEST(the_stored_numbers_of_the_outcomes_never_change)
{
    ck_assert_int_eq(TC_OUTCOME_DONE, 1);
    ck_assert_int_eq(TC_OUTCOME_AGAIN, 2);
    ck_assert_int_eq(TC_OUTCOME_FAILED, 3);
    ck_assert_int_eq(TC_OUTCOME_RELEASED, 4);
}
END_TEST

static void add_decisions(Suite *suite)
{
    TCase *tcase = tcase_create("decisions");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, a_good_run_is_done_with_its_result);
    tcase_add_loop_test(tcase, an_outcome_names_the_task_and_the_epoch_that_ran, 0, 3);
    tcase_add_test(tcase, a_failed_attempt_is_tried_again_after_the_policys_wait);
    tcase_add_test(tcase, a_type_has_waits_of_its_own);
    tcase_add_loop_test(tcase, a_task_fails_when_its_attempts_are_used_up_or_trying_is_useless,
                        0, COUNT_OF(tries));
    tcase_add_test(tcase, the_reason_of_a_final_failure_is_kept);
    tcase_add_test(tcase, a_failed_task_may_carry_a_result);
    tcase_add_loop_test(tcase, a_wait_that_was_asked_for_goes_before_the_policy, 0,
                        COUNT_OF(delays));
    tcase_add_test(tcase, a_release_is_no_failure);
    tcase_add_test(tcase, nothing_is_put_off_beyond_the_year_9999);
    tcase_add_loop_test(tcase, a_task_fails_when_it_lost_more_workers_than_allowed, 0,
                        COUNT_OF(crashed));
    tcase_add_test(tcase, a_lost_run_is_named_by_the_attempt_it_was);
    tcase_add_test(tcase, crashes_do_not_use_up_attempts);
    tcase_add_test(tcase, the_stored_numbers_of_the_outcomes_never_change);
    suite_add_tcase(suite, tcase);
}

static void add_waits(Suite *suite)
{
    TCase *tcase = tcase_create("waits");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, waits_double_up_to_the_longest, 0, COUNT_OF(waits));
    tcase_add_test(tcase, no_wait_leaves_its_bounds);
    tcase_add_test(tcase, equal_bounds_make_a_fixed_wait);
    tcase_add_test(tcase, no_wait_at_all_can_be_set);
    tcase_add_test(tcase, the_longest_bounds_do_not_overflow);
    suite_add_tcase(suite, tcase);
}

int main(void)
{
    Suite *suite = suite_create("attempt");

    add_decisions(suite);
    add_waits(suite);
    return run_suite(suite);
}
