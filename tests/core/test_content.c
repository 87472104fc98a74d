#include "core/domain/content.h"
#include "tests/support/run_suite.h"

#include <stdint.h>
#include <string.h>

#define COUNT_OF(array) (int)(sizeof(array) / sizeof((array)[0]))
#define BYTES(literal)                                                                         \
    {                                                                                          \
        literal, sizeof(literal) - 1                                                           \
    }

START_TEST(bytes_are_equal_when_length_and_content_are)
{
    char copy[] = "abc";

    ck_assert(tc_bytes_equals(tc_bytes_of("abc"), tc_bytes_of(copy)));
    ck_assert(!tc_bytes_equals(tc_bytes_of("abc"), tc_bytes_of("abd")));
    ck_assert(!tc_bytes_equals(tc_bytes_of("abc"), tc_bytes_of("ab")));
}
END_TEST

START_TEST(empty_runs_are_equal_whatever_their_pointers)
{
    ck_assert(tc_bytes_equals((struct tc_bytes){ NULL, 0 }, tc_bytes_of("")));
}
END_TEST

START_TEST(the_bytes_of_no_string_are_an_empty_run)
{
    ck_assert_uint_eq(tc_bytes_of(NULL).len, 0);
    ck_assert_uint_eq(tc_bytes_of("four").len, 4);
}
END_TEST

START_TEST(content_of_another_kind_is_not_equal)
{
    struct tc_content json = { TC_CONTENT_JSON, BYTES("1") };
    struct tc_content text = { TC_CONTENT_TEXT, BYTES("1") };
    struct tc_content other = { TC_CONTENT_JSON, BYTES("2") };

    ck_assert(tc_content_equals(&json, &json));
    ck_assert(!tc_content_equals(&json, &text));
    ck_assert(!tc_content_equals(&json, &other));
}
END_TEST

static const struct {
    const char *why;
    struct tc_bytes text;
    bool valid;
    size_t count; /* code points of valid text */
} texts[] = {
    { "empty", BYTES(""), true, 0 },
    { "ASCII", BYTES("abc"), true, 3 },
    { "NUL is a code point", BYTES("\0"), true, 1 },
    { "last of one byte", BYTES("\x7F"), true, 1 },
    { "continuation alone", BYTES("\x80"), false, 0 },
    { "last continuation alone", BYTES("\xBF"), false, 0 },
    { "overlong two bytes, C0", BYTES("\xC0\x80"), false, 0 },
    { "overlong two bytes, C1", BYTES("\xC1\xBF"), false, 0 },
    { "first of two bytes", BYTES("\xC2\x80"), true, 1 },
    { "last of two bytes", BYTES("\xDF\xBF"), true, 1 },
    { "two bytes cut", BYTES("\xC2"), false, 0 },
    { "two bytes, second too low", BYTES("\xC2\x7F"), false, 0 },
    { "two bytes, second too high", BYTES("\xC2\xC0"), false, 0 },
    { "overlong three bytes", BYTES("\xE0\x9F\xBF"), false, 0 },
    { "first of three bytes", BYTES("\xE0\xA0\x80"), true, 1 },
    { "three bytes cut at two", BYTES("\xE0\xA0"), false, 0 },
    { "three bytes, third is ASCII", BYTES("\xE1\x80\x41"), false, 0 },
    { "three bytes, second too high", BYTES("\xE1\xC0\x80"), false, 0 },
    { "last before the surrogates", BYTES("\xED\x9F\xBF"), true, 1 },
    { "first surrogate", BYTES("\xED\xA0\x80"), false, 0 },
    { "last surrogate", BYTES("\xED\xBF\xBF"), false, 0 },
    { "first after the surrogates", BYTES("\xEE\x80\x80"), true, 1 },
    { "last of three bytes", BYTES("\xEF\xBF\xBF"), true, 1 },
    { "overlong four bytes", BYTES("\xF0\x8F\xBF\xBF"), false, 0 },
    { "first of four bytes", BYTES("\xF0\x90\x80\x80"), true, 1 },
    { "four bytes cut at three", BYTES("\xF0\x90\x80"), false, 0 },
    { "four bytes, third is ASCII", BYTES("\xF1\x80\x41\x80"), false, 0 },
    { "four bytes, fourth is ASCII", BYTES("\xF1\x80\x80\x41"), false, 0 },
    { "four bytes, second too high", BYTES("\xF1\xC0\x80\x80"), false, 0 },
    { "last of all", BYTES("\xF4\x8F\xBF\xBF"), true, 1 },
    { "above U+10FFFF", BYTES("\xF4\x90\x80\x80"), false, 0 },
    { "lead F5", BYTES("\xF5\x80\x80\x80"), false, 0 },
    { "lead FF", BYTES("\xFF"), false, 0 },
    { "good, then bad", BYTES("ok\xC3\xA4\xFF"), false, 0 },
    { "mixed lengths", BYTES("a\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80z"), true, 5 },
};

START_TEST(utf8_is_what_the_rfc_says)
{
    ck_assert_msg(tc_utf8_is_valid(texts[_i].text) == texts[_i].valid, "%s", texts[_i].why);
    if (texts[_i].valid)
        ck_assert_msg(tc_utf8_count(texts[_i].text) == texts[_i].count, "%s", texts[_i].why);
}
END_TEST

/* Encode by the definition, knowing nothing of the ranges that the code under test has. */
static size_t encode(uint32_t point, char *out)
{
    size_t len = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    static const unsigned leads[] = { 0, 0, 0xC0, 0xE0, 0xF0 };

    for (size_t i = len - 1; i > 0; i--, point >>= 6)
        out[i] = (char)(0x80 | (point & 0x3F));
    out[0] = (char)(leads[len] | point);
    return len;
}

START_TEST(every_code_point_but_the_surrogates_is_valid)
{
    char text[4];

    for (uint32_t point = 0; point <= 0x10FFFF; point++) {
        bool surrogate = point >= 0xD800 && point <= 0xDFFF;
        size_t len = encode(point, text);

        if (tc_utf8_is_valid((struct tc_bytes){ text, len }) == surrogate)
            ck_abort_msg("U+%04X", point);
    }
}
END_TEST

/* The values are stored: this is the lock on them. */
START_TEST(the_stored_numbers_of_the_kinds_never_change)
{
    ck_assert_int_eq(TC_CONTENT_NONE, 0);
    ck_assert_int_eq(TC_CONTENT_JSON, 1);
    ck_assert_int_eq(TC_CONTENT_TEXT, 2);
    ck_assert_int_eq(TC_CONTENT_BYTES, 3);
    ck_assert_int_eq(TC_CONTENT_COUNT, 4);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("content");
    TCase *bytes = tcase_create("bytes");
    TCase *utf8 = tcase_create("utf8");

    tcase_add_test(bytes, bytes_are_equal_when_length_and_content_are);
    tcase_add_test(bytes, empty_runs_are_equal_whatever_their_pointers);
    tcase_add_test(bytes, the_bytes_of_no_string_are_an_empty_run);
    tcase_add_test(bytes, content_of_another_kind_is_not_equal);
    tcase_add_test(bytes, the_stored_numbers_of_the_kinds_never_change);
    suite_add_tcase(suite, bytes);

    tcase_add_loop_test(utf8, utf8_is_what_the_rfc_says, 0, COUNT_OF(texts));
    tcase_add_test(utf8, every_code_point_but_the_surrogates_is_valid);
    suite_add_tcase(suite, utf8);
    return run_suite(suite);
}
