#include "adapters/kafka/kafka_hint.h"
#include "tests/support/run_suite.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#define ID  "018bcfe5-6800-7001-8000-000000000001"
#define A8  "aaaaaaaa"
#define A64 A8 A8 A8 A8 A8 A8 A8 A8

static struct tc_hint hint_of(const char *queue, const char *type, int priority)
{
    struct tc_hint hint = { .id = tc_id_make(1700000000000, 1, 1), .priority = priority };

    snprintf(hint.queue, sizeof(hint.queue), "%s", queue);
    snprintf(hint.type, sizeof(hint.type), "%s", type);
    return hint;
}

START_TEST(a_hint_is_written_as_five_words)
{
    const struct tc_hint hint = hint_of("default", "demo.noop", 10);
    char text[KAFKA_HINT_SIZE];

    ck_assert_uint_eq(kafka_hint_format(&hint, text), strlen(text));
    ck_assert_str_eq(text, "1 " ID " default demo.noop 10");
}
END_TEST

START_TEST(what_was_written_is_read) /* loop over the priorities */
{
    const struct tc_hint hint = hint_of(_i % 2 ? A64 : "q", _i % 3 ? A64 : "t", _i);
    struct tc_hint read = { .priority = 77 };
    char text[KAFKA_HINT_SIZE];
    size_t len = kafka_hint_format(&hint, text);

    ck_assert_uint_le(len, 1024);
    ck_assert_int_eq(kafka_hint_parse(text, len, &read), KAFKA_HINT_GOOD);
    ck_assert_int_eq(tc_id_compare(&read.id, &hint.id), 0);
    ck_assert_str_eq(read.queue, hint.queue);
    ck_assert_str_eq(read.type, hint.type);
    ck_assert_int_eq(read.priority, _i);
}
END_TEST

START_TEST(the_longest_hint_fits)
{
    const struct tc_hint hint = hint_of(A64, A64, 10);
    char text[KAFKA_HINT_SIZE];

    ck_assert_uint_eq(kafka_hint_format(&hint, text), KAFKA_HINT_SIZE - 1);
}
END_TEST

static const struct {
    const char *why;
    const char *text;
    enum kafka_hint_kind kind;
} cases[] = {
    { "nothing", "", KAFKA_HINT_FOREIGN },
    { "a word", "1", KAFKA_HINT_FOREIGN },
    { "a later version", "2 " ID " q t 1", KAFKA_HINT_VERSION },
    { "a later version of another form", "12 {}", KAFKA_HINT_VERSION },
    { "version zero", "0 " ID " q t 1", KAFKA_HINT_FOREIGN },
    { "a version with a zero in front", "01 " ID " q t 1", KAFKA_HINT_FOREIGN },
    { "a version that is no number", "1a " ID " q t 1", KAFKA_HINT_FOREIGN },
    { "a version too long", "1234567890 x", KAFKA_HINT_FOREIGN },
    { "a negative version", "-1 " ID " q t 1", KAFKA_HINT_FOREIGN },
    { "no version", " " ID " q t 1", KAFKA_HINT_FOREIGN },
    { "a space in front", " 1 " ID " q t 1", KAFKA_HINT_FOREIGN },
    { "two spaces", "1  " ID " q t 1", KAFKA_HINT_FOREIGN },
    { "a space at the end", "1 " ID " q t 1 ", KAFKA_HINT_FOREIGN },
    { "a line end", "1 " ID " q t 1\n", KAFKA_HINT_FOREIGN },
    { "a word more", "1 " ID " q t 1 1", KAFKA_HINT_FOREIGN },
    { "a word less", "1 " ID " q t", KAFKA_HINT_FOREIGN },
    { "only the version", "1 ", KAFKA_HINT_FOREIGN },
    { "no id", "1 x q t 1", KAFKA_HINT_FOREIGN },
    { "an id with a wrong digit", "1 g18bcfe5-6800-7001-8000-000000000001 q t 1",
      KAFKA_HINT_FOREIGN },
    { "an empty queue", "1 " ID "  t 1", KAFKA_HINT_FOREIGN },
    { "capitals in the queue", "1 " ID " Q t 1", KAFKA_HINT_FOREIGN },
    { "a queue too long", "1 " ID " " A64 "a t 1", KAFKA_HINT_FOREIGN },
    { "a type too long", "1 " ID " q " A64 "a 1", KAFKA_HINT_FOREIGN },
    { "a type with a slash", "1 " ID " q a/b 1", KAFKA_HINT_FOREIGN },
    { "priority 11", "1 " ID " q t 11", KAFKA_HINT_FOREIGN },
    { "priority 010", "1 " ID " q t 010", KAFKA_HINT_FOREIGN },
    { "priority 01", "1 " ID " q t 01", KAFKA_HINT_FOREIGN },
    { "a negative priority", "1 " ID " q t -1", KAFKA_HINT_FOREIGN },
    { "no priority", "1 " ID " q t ", KAFKA_HINT_FOREIGN },
    { "a tab", "1\t" ID " q t 1", KAFKA_HINT_FOREIGN },
    { "the least", "1 " ID " q t 0", KAFKA_HINT_GOOD },
    { "the id in capitals", "1 018BCFE5-6800-7001-8000-000000000001 q t 0", KAFKA_HINT_GOOD },
};

START_TEST(only_what_is_well_formed_is_a_hint) /* loop over the cases */
{
    struct tc_hint read = { .priority = 77 };

    ck_assert_msg(kafka_hint_parse(cases[_i].text, strlen(cases[_i].text), &read) ==
                      cases[_i].kind,
                  "%s", cases[_i].why);
    ck_assert_int_eq(read.priority, cases[_i].kind == KAFKA_HINT_GOOD ? 0 : 77);
}
END_TEST

START_TEST(a_hint_cut_off_anywhere_is_none)
{
    const char text[] = "1 " ID " default test 3";
    struct tc_hint read;

    for (size_t len = 0; len < sizeof(text) - 1; len++)
        ck_assert_int_eq(kafka_hint_parse(text, len, &read), KAFKA_HINT_FOREIGN);
}
END_TEST

START_TEST(a_nul_inside_is_foreign)
{
    const char text[] = "1 " ID " de\0ault test 3";
    struct tc_hint read;

    ck_assert_int_eq(kafka_hint_parse(text, sizeof(text) - 1, &read), KAFKA_HINT_FOREIGN);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("kafka_hint");
    TCase *tcase = tcase_create("hint");

    tcase_add_test(tcase, a_hint_is_written_as_five_words);
    tcase_add_loop_test(tcase, what_was_written_is_read, 0, TC_PRIORITY_MAX + 1);
    tcase_add_test(tcase, the_longest_hint_fits);
    tcase_add_loop_test(tcase, only_what_is_well_formed_is_a_hint, 0,
                        (int)(sizeof(cases) / sizeof(*cases)));
    tcase_add_test(tcase, a_hint_cut_off_anywhere_is_none);
    tcase_add_test(tcase, a_nul_inside_is_foreign);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
