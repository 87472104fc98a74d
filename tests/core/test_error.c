#include "core/domain/error.h"
#include "core/domain/violations.h"
#include "tests/support/run_suite.h"

#include <stdio.h>
#include <string.h>

#define COUNT_OF(array) (int)(sizeof(array) / sizeof((array)[0]))

START_TEST(a_failure_is_one_statement)
{
    struct tc_error err;

    ck_assert_int_eq(tc_fail(&err, TC_CONFLICT, "task '%s' is %d", "t1", 4), TC_CONFLICT);
    ck_assert_int_eq(err.code, TC_CONFLICT);
    ck_assert_str_eq(err.message, "task 't1' is 4");
}
END_TEST

START_TEST(who_needs_only_the_code_passes_no_error)
{
    ck_assert_int_eq(tc_fail(NULL, TC_INTERNAL, "unheard"), TC_INTERNAL);
}
END_TEST

START_TEST(a_long_message_is_cut_and_ended)
{
    struct tc_error err;
    char text[2 * TC_ERROR_MESSAGE_SIZE];

    memset(text, 'x', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    ck_assert_int_eq(tc_fail(&err, TC_INVALID, "%s", text), TC_INVALID);
    ck_assert_uint_eq(strlen(err.message), TC_ERROR_MESSAGE_SIZE - 1);
}
END_TEST

static const struct {
    const char *name;
    bool retryable;
} codes[] = {
    { "ok", false },       { "invalid", false },    { "not_found", false },
    { "conflict", false }, { "unavailable", true }, { "unknown", false },
    { "no_memory", true }, { "internal", false },   { "internal", false },
};

START_TEST(every_code_has_a_name_and_says_whether_to_retry)
{
    ck_assert_str_eq(tc_code_name((enum tc_code)_i), codes[_i].name);
    ck_assert_int_eq(tc_code_is_retryable((enum tc_code)_i), codes[_i].retryable);
}
END_TEST

static struct tc_violations violations;

static void setup(void)
{
    violations = (struct tc_violations){ 0 };
}

static const struct {
    const char *at;
    const char *field;
    const char *expected;
} pointers[] = {
    { "", "priority", "/priority" },
    { "/tasks/3", "priority", "/tasks/3/priority" },
    { "", "", "" },
    { "/tasks/3", "", "/tasks/3" },
};

START_TEST(a_violation_points_at_its_field)
{
    tc_violations_add(&violations, pointers[_i].at, pointers[_i].field, "must be %d..%d", 0,
                      10);
    ck_assert_str_eq(violations.items[0].pointer, pointers[_i].expected);
    ck_assert_str_eq(violations.items[0].detail, "must be 0..10");
}
END_TEST

START_TEST(violations_over_the_limit_are_counted_but_not_kept)
{
    for (int i = 0; i < TC_VIOLATIONS_MAX + 2; i++)
        tc_violations_add(&violations, "", "field", "%d", i);
    ck_assert_uint_eq(violations.kept, TC_VIOLATIONS_MAX);
    ck_assert_uint_eq(violations.total, TC_VIOLATIONS_MAX + 2);
    ck_assert_str_eq(violations.items[TC_VIOLATIONS_MAX - 1].detail, "15");
}
END_TEST

/* The pointer has room for 95 bytes: a slash and 94 of the name. */
START_TEST(a_long_field_name_is_cut_between_characters) /* _i: ASCII bytes before the euros */
{
    size_t ascii = (size_t)_i;
    size_t expected = ascii + (94 - ascii) / 3 * 3;
    const char *pointer = violations.items[0].pointer;
    char name[400] = "";

    memset(name, 'x', ascii);
    for (size_t i = 0; i < 100; i++)
        memcpy(name + ascii + 3 * i, "\xE2\x82\xAC", 4);
    tc_violations_add(&violations, "", name, "no such field: '%s'", name);
    ck_assert_uint_eq(strlen(pointer), 1 + expected);
    ck_assert_int_eq(memcmp(pointer + 1, name, expected), 0);
}
END_TEST

START_TEST(what_is_no_text_at_all_is_kept_as_far_as_possible)
{
    tc_violations_add(&violations, "", "\xFF\xFF\xFF\xFF\xFF", "no such field");
    ck_assert_str_eq(violations.items[0].pointer, "/\xFF\xFF");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("error");
    TCase *errors = tcase_create("errors");
    TCase *fields = tcase_create("violations");

    tcase_add_test(errors, a_failure_is_one_statement);
    tcase_add_test(errors, who_needs_only_the_code_passes_no_error);
    tcase_add_test(errors, a_long_message_is_cut_and_ended);
    tcase_add_loop_test(errors, every_code_has_a_name_and_says_whether_to_retry, 0,
                        COUNT_OF(codes));
    suite_add_tcase(suite, errors);

    tcase_add_checked_fixture(fields, setup, NULL);
    tcase_add_loop_test(fields, a_violation_points_at_its_field, 0, COUNT_OF(pointers));
    tcase_add_test(fields, violations_over_the_limit_are_counted_but_not_kept);
    tcase_add_loop_test(fields, a_long_field_name_is_cut_between_characters, 0, 3);
    tcase_add_test(fields, what_is_no_text_at_all_is_kept_as_far_as_possible);
    suite_add_tcase(suite, fields);
    return run_suite(suite);
}
