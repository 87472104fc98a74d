#include "core/domain/id.h"
#include "tests/support/run_suite.h"

#include <string.h>

#define COUNT_OF(array) (int)(sizeof(array) / sizeof((array)[0]))
#define MS              INT64_C(1795300000000)

static const char sample[] = "01a2003c-5100-75a5-8000-00000000002a";

static struct tc_id parse(const char *text)
{
    struct tc_id id = { { 0 } };

    ck_assert_msg(tc_id_parse(text, strlen(text), &id), "%s", text);
    return id;
}

START_TEST(an_id_carries_its_time_bucket_and_tail)
{
    struct tc_id id = tc_id_make(MS, 0x5A5, 42);
    char text[TC_ID_TEXT_SIZE];

    tc_id_format(&id, text);
    ck_assert_int_eq(tc_id_ms(&id), MS);
    ck_assert_str_eq(text + 14, "75a5-8000-00000000002a");
}
END_TEST

START_TEST(an_id_is_a_uuid_of_version_7) /* _i: which bits are all ones */
{
    struct tc_id id =
        tc_id_make(_i & 1 ? INT64_MAX : 0, _i & 2 ? ~0u : 0, _i & 4 ? UINT64_MAX : 0);

    ck_assert_int_eq(id.bytes[6] >> 4, 7);
    ck_assert_int_eq(id.bytes[8] >> 6, 2);
}
END_TEST

START_TEST(what_does_not_fit_is_cut)
{
    struct tc_id wide = tc_id_make((INT64_C(1) << 48) + 5, 0x1FFF, UINT64_MAX);
    struct tc_id narrow = tc_id_make(5, 0xFFF, UINT64_MAX >> 2);

    ck_assert_int_eq(tc_id_compare(&wide, &narrow), 0);
}
END_TEST

START_TEST(older_ids_come_first)
{
    struct tc_id ids[] = { tc_id_make(MS, 0, 0), tc_id_make(MS, 0, 1), tc_id_make(MS, 1, 0),
                           tc_id_make(MS + 1, 0, 0) };

    for (int i = 1; i < COUNT_OF(ids); i++) {
        ck_assert_int_lt(tc_id_compare(&ids[i - 1], &ids[i]), 0);
        ck_assert_int_gt(tc_id_compare(&ids[i], &ids[i - 1]), 0);
    }
}
END_TEST

START_TEST(the_floor_lies_between_two_milliseconds)
{
    struct tc_id floor = tc_id_floor(MS);
    struct tc_id first = tc_id_make(MS, 0, 0);
    struct tc_id before = tc_id_make(MS - 1, 0xFFF, UINT64_MAX);

    ck_assert_int_le(tc_id_compare(&floor, &first), 0);
    ck_assert_int_gt(tc_id_compare(&floor, &before), 0);
}
END_TEST

START_TEST(the_floor_of_a_time_before_1970_is_the_smallest_id)
{
    struct tc_id floor = tc_id_floor(-1);
    struct tc_id zero = { { 0 } };

    ck_assert_int_eq(tc_id_compare(&floor, &zero), 0);
}
END_TEST

START_TEST(text_and_bytes_are_the_same_id)
{
    struct tc_id id = parse(sample);
    char text[TC_ID_TEXT_SIZE];

    tc_id_format(&id, text);
    ck_assert_str_eq(text, sample);
}
END_TEST

START_TEST(an_id_is_read_in_either_case_and_written_in_lower)
{
    struct tc_id lower = parse("0123abcd-ef00-7def-89ab-cdef01234567");
    struct tc_id upper = parse("0123ABCD-EF00-7DEF-89AB-CDEF01234567");
    char text[TC_ID_TEXT_SIZE];

    tc_id_format(&upper, text);
    ck_assert_int_eq(tc_id_compare(&lower, &upper), 0);
    ck_assert_str_eq(text, "0123abcd-ef00-7def-89ab-cdef01234567");
}
END_TEST

static const struct {
    const char *why;
    const char *text;
} rejected[] = {
    { "empty", "" },
    { "one short", "01a2003c-5100-75a5-8000-00000000002" },
    { "one long", "01a2003c-5100-75a5-8000-00000000002a0" },
    { "braces", "{1a2003c-5100-75a5-8000-00000000002}" },
    { "no dashes", "01a2003c510075a5800000000000002a0000" },
    { "dash too early", "01a2003-c5100-75a5-8000-00000000002a" },
    { "second dash missing", "01a2003c-510007-5a5-8000-0000000002a" },
    { "third dash missing", "01a2003c-5100-75a508-000-0000000002a" },
    { "fourth dash missing", "01a2003c-5100-75a5-800000-000000002a" },
    { "below the digits", "01a2003c-5100-75a5-8000-00000000002/" },
    { "above the digits", "01a2003c-5100-75a5-8000-00000000002:" },
    { "below A", "01a2003c-5100-75a5-8000-00000000002@" },
    { "above F", "01a2003c-5100-75a5-8000-00000000002G" },
    { "below a", "01a2003c-5100-75a5-8000-00000000002`" },
    { "above f", "01a2003c-5100-75a5-8000-00000000002g" },
    { "space", " 1a2003c-5100-75a5-8000-00000000002a" },
    { "beyond ASCII", "\xFF"
                      "1a2003c-5100-75a5-8000-00000000002a" },
};

START_TEST(what_is_no_uuid_is_refused_and_nothing_written)
{
    struct tc_id id = tc_id_make(MS, 1, 1);
    struct tc_id before = id;

    ck_assert_msg(!tc_id_parse(rejected[_i].text, strlen(rejected[_i].text), &id), "%s",
                  rejected[_i].why);
    ck_assert_int_eq(tc_id_compare(&id, &before), 0);
}
END_TEST

START_TEST(a_nul_inside_is_no_digit)
{
    char text[TC_ID_TEXT_SIZE];
    struct tc_id id;

    memcpy(text, sample, sizeof(text));
    text[35] = '\0';
    ck_assert(!tc_id_parse(text, TC_ID_TEXT_LEN, &id));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("id");
    TCase *rules = tcase_create("rules");

    tcase_add_test(rules, an_id_carries_its_time_bucket_and_tail);
    tcase_add_loop_test(rules, an_id_is_a_uuid_of_version_7, 0, 8);
    tcase_add_test(rules, what_does_not_fit_is_cut);
    tcase_add_test(rules, older_ids_come_first);
    tcase_add_test(rules, the_floor_lies_between_two_milliseconds);
    tcase_add_test(rules, the_floor_of_a_time_before_1970_is_the_smallest_id);
    tcase_add_test(rules, text_and_bytes_are_the_same_id);
    tcase_add_test(rules, an_id_is_read_in_either_case_and_written_in_lower);
    tcase_add_loop_test(rules, what_is_no_uuid_is_refused_and_nothing_written, 0,
                        COUNT_OF(rejected));
    tcase_add_test(rules, a_nul_inside_is_no_digit);
    suite_add_tcase(suite, rules);
    return run_suite(suite);
}
