#include "core/domain/attempt.h"
#include "tests/support/run_suite.h"

#include <stdlib.h>
#include <string.h>

#define COUNT_OF(array) (int)(sizeof(array) / sizeof((array)[0]))

static struct tc_report report;
static struct tc_error err;

static void setup(void)
{
    report = tc_report_done();
}

static void teardown(void)
{
    tc_report_release(&report);
}

START_TEST(a_report_says_done_unless_told_otherwise)
{
    ck_assert_int_eq(report.kind, TC_REPORT_DONE);
    ck_assert_int_eq(report.result.kind, TC_CONTENT_NONE);
    ck_assert_int_eq(report.delay_ms, TC_UNSET);
}
END_TEST

START_TEST(a_result_is_copied)
{
    char given[] = "[1,2]";
    struct tc_content expected = { TC_CONTENT_JSON, { "[1,2]", 5 } };

    ck_assert_int_eq(
        tc_report_set_result(&report, TC_CONTENT_JSON, (struct tc_bytes){ given, 5 }, &err),
        TC_OK);
    memset(given, 'x', sizeof(given));
    ck_assert(tc_content_equals(&report.result, &expected));
}
END_TEST

START_TEST(the_last_result_set_wins)
{
    struct tc_content expected = { TC_CONTENT_TEXT, { NULL, 0 } };

    ck_assert_int_eq(tc_report_set_result(&report, TC_CONTENT_JSON, tc_bytes_of("1"), &err),
                     TC_OK);
    ck_assert_int_eq(tc_report_set_result(&report, TC_CONTENT_TEXT, tc_bytes_of(""), &err),
                     TC_OK);
    ck_assert(tc_content_equals(&report.result, &expected));
}
END_TEST

static const struct {
    const char *why;
    struct tc_bytes given;
    const char *expected;
} messages[] = {
    { "as it is", { "no route", 8 }, "no route" },
    { "empty", { "", 0 }, "failed" },
    { "none", { NULL, 0 }, "failed" },
    { "UTF-8 stays",
      { "f\xC3\xBCnf \xE2\x82\xAC \xF0\x9F\x98\x80", 14 },
      "f\xC3\xBCnf \xE2\x82\xAC \xF0\x9F\x98\x80" },
    { "broken bytes only are replaced", { "\xC3\xBC\xFF\xE2\x82", 5 }, "\xC3\xBC???" },
    { "a broken byte before good ones",
      { "\xFF"
        "bcde",
        5 },
      "?bcde" },
    { "surrogates", { "\xED\xA0\x80", 3 }, "???" },
    { "NUL", { "a\0b", 3 }, "a?b" },
};

START_TEST(a_failure_message_is_always_text)
{
    report = tc_report_failed(TC_REASON_HANDLER, true, messages[_i].given);
    ck_assert_msg(tc_bytes_equals(report.message, tc_bytes_of(messages[_i].expected)), "%s",
                  messages[_i].why);
    ck_assert(report.retryable);
    ck_assert_int_eq(report.delay_ms, TC_UNSET);
}
END_TEST

START_TEST(a_failure_message_is_cut_at_4096_characters) /* _i: characters too many */
{
    size_t chars = (size_t)(TC_ERROR_TEXT_MAX + _i);
    size_t kept = _i > 0 ? TC_ERROR_TEXT_MAX : chars;
    char *text = malloc(chars * 2);

    ck_assert_ptr_nonnull(text);
    for (size_t i = 0; i < chars; i++)
        memcpy(text + 2 * i, "\xC3\xA4", 2);
    report = tc_report_failed(TC_REASON_HANDLER, true, (struct tc_bytes){ text, chars * 2 });
    ck_assert_uint_eq(report.message.len, kept * 2);
    ck_assert_int_eq(memcmp(report.message.data, text, kept * 2), 0);
    free(text);
}
END_TEST

START_TEST(releasing_a_report_twice_or_none_is_harmless)
{
    report = tc_report_failed(TC_REASON_HANDLER, true, tc_bytes_of("once"));
    tc_report_release(&report);
    tc_report_release(&report);
    tc_report_release(NULL);
    ck_assert_ptr_null(report.message_storage);
    ck_assert_ptr_null(report.message.data);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("report");
    TCase *rules = tcase_create("rules");

    tcase_add_checked_fixture(rules, setup, teardown);
    tcase_add_test(rules, a_report_says_done_unless_told_otherwise);
    tcase_add_test(rules, a_result_is_copied);
    tcase_add_test(rules, the_last_result_set_wins);
    tcase_add_loop_test(rules, a_failure_message_is_always_text, 0, COUNT_OF(messages));
    tcase_add_loop_test(rules, a_failure_message_is_cut_at_4096_characters, -1, 2);
    tcase_add_test(rules, releasing_a_report_twice_or_none_is_harmless);
    suite_add_tcase(suite, rules);
    return run_suite(suite);
}
