/* What an operator says about single types. */

#include "core/domain/policy.h"
#include "tests/support/run_suite.h"

#define AS_FOR_ALL                                                                             \
    .priority = TC_UNSET, .timeout_ms = TC_UNSET, .max_attempts = TC_UNSET,                    \
    .retry_min_ms = TC_UNSET, .retry_max_ms = TC_UNSET

static const struct tc_type_policy types[] = {
    { "email", 7, 1000, 5, 10, 20 },
    { .type = "other", AS_FOR_ALL },
    { "sms", TC_UNSET, 2000, TC_UNSET, TC_UNSET, TC_UNSET },
};

static struct tc_policy policy;

static void setup(void)
{
    policy = tc_policy_default();
    policy.types = types;
    policy.type_count = sizeof(types) / sizeof(types[0]);
}

static void assert_as_for_all(const struct tc_policy *its)
{
    ck_assert_int_eq(its->default_priority, policy.default_priority);
    ck_assert_int_eq(its->default_timeout_ms, policy.default_timeout_ms);
    ck_assert_int_eq(its->default_max_attempts, policy.default_max_attempts);
    ck_assert_int_eq(its->retry_min_ms, policy.retry_min_ms);
    ck_assert_int_eq(its->retry_max_ms, policy.retry_max_ms);
}

START_TEST(a_type_has_numbers_of_its_own)
{
    struct tc_policy its = tc_policy_for_type(&policy, "email");

    ck_assert_int_eq(its.default_priority, 7);
    ck_assert_int_eq(its.default_timeout_ms, 1000);
    ck_assert_int_eq(its.default_max_attempts, 5);
    ck_assert_int_eq(its.retry_min_ms, 10);
    ck_assert_int_eq(its.retry_max_ms, 20);
}
END_TEST

START_TEST(what_is_not_said_of_a_type_is_as_for_all)
{
    struct tc_policy other = tc_policy_for_type(&policy, "other");
    struct tc_policy sms = tc_policy_for_type(&policy, "sms");

    assert_as_for_all(&other);
    ck_assert_int_eq(sms.default_timeout_ms, 2000);
    sms.default_timeout_ms = policy.default_timeout_ms;
    assert_as_for_all(&sms);
}
END_TEST

START_TEST(a_type_of_which_nothing_is_said_is_as_all)
{
    struct tc_policy its = tc_policy_for_type(&policy, "emai");

    assert_as_for_all(&its);
    policy.type_count = 0;
    its = tc_policy_for_type(&policy, "email");
    assert_as_for_all(&its);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("policy");
    TCase *tcase = tcase_create("types");

    tcase_add_checked_fixture(tcase, setup, NULL);
    tcase_add_test(tcase, a_type_has_numbers_of_its_own);
    tcase_add_test(tcase, what_is_not_said_of_a_type_is_as_for_all);
    tcase_add_test(tcase, a_type_of_which_nothing_is_said_is_as_all);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
