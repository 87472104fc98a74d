#include "core/domain/task_spec.h"
#include "tests/support/run_suite.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define COUNT_OF(array) (int)(sizeof(array) / sizeof((array)[0]))
#define NOW             INT64_C(1795300000000)

static struct tc_policy policy;
static struct tc_task_spec spec; /* good: a payload and nothing else */
static struct tc_violations violations;

static void setup(void)
{
    policy = tc_policy_default();
    tc_task_spec_init(&spec);
    spec.payload = (struct tc_content){ TC_CONTENT_JSON, tc_bytes_of("\"test\"") };
    violations = (struct tc_violations){ 0 };
}

static void set_title(const char *title, const char *json)
{
    spec.payload = (struct tc_content){ 0 };
    spec.title = tc_bytes_of(title);
    spec.title_json = tc_bytes_of(json);
}

static void validate(void)
{
    violations = (struct tc_violations){ 0 };
    tc_task_spec_validate(&spec, &policy, "", &violations);
}

/* Exactly one rule is broken, at `pointer`; NULL: none is. */
static void assert_breaks(const char *pointer, const char *why)
{
    validate();
    ck_assert_msg(violations.total == (pointer ? 1 : 0), "%s: %zu violations, first %s", why,
                  violations.total, violations.items[0].pointer);
    if (pointer)
        ck_assert_msg(strcmp(violations.items[0].pointer, pointer) == 0, "%s: %s", why,
                      violations.items[0].pointer);
}

/* Every number: both limits, and one beyond each. */
static const struct {
    const char *pointer;
    size_t offset;
    int64_t min;
    int64_t max;
} numbers[] = {
    { "/priority", offsetof(struct tc_task_spec, priority), 0, 10 },
    { "/run_at", offsetof(struct tc_task_spec, run_at_ms), INT64_C(-62167219200000),
      INT64_C(253402300799999) },
    { "/delay_ms", offsetof(struct tc_task_spec, delay_ms), 0, INT64_C(315360000000) },
    { "/max_attempts", offsetof(struct tc_task_spec, max_attempts), 1, 100 },
    { "/max_crashes", offsetof(struct tc_task_spec, max_crashes), 0, 100 },
    { "/timeout_ms", offsetof(struct tc_task_spec, timeout_ms), 1, INT64_C(604800000) },
};

START_TEST(a_number_is_taken_within_its_limits_only)
{
    int64_t *field = (int64_t *)(void *)((char *)&spec + numbers[_i].offset);
    const char *pointer = numbers[_i].pointer;

    *field = numbers[_i].min;
    assert_breaks(NULL, "least");
    *field = numbers[_i].max;
    assert_breaks(NULL, "most");
    *field = numbers[_i].min - 1;
    assert_breaks(pointer, "below");
    *field = numbers[_i].max + 1;
    assert_breaks(pointer, "above");
    *field = INT64_MAX;
    assert_breaks(pointer, "far above");
    *field = TC_UNSET;
    assert_breaks(NULL, "left out");
}
END_TEST

static const struct {
    const char *why;
    const char *name;
    bool good;
} names[] = {
    { "one character", "a", true },
    { "all sorts", "az09._-", true },
    { "starts with a dot", ".x", true },
    { "64 characters", "aaaaaaaaaaaaaaaabbbbbbbbbbbbbbbbccccccccccccccccdddddddddddddddd",
      true },
    { "65", "aaaaaaaaaaaaaaaabbbbbbbbbbbbbbbbccccccccccccccccdddddddddddddddde", false },
    { "empty", "", false },
    { "upper case", "Default", false },
    { "space", "a b", false },
    { "slash", "a/b", false },
    { "before a", "`", false },
    { "after z", "{", false },
    { "after 9", ":", false },
    { "beyond ASCII", "\xC3\xA4", false },
};

START_TEST(queue_and_type_are_names)
{
    spec.queue = tc_bytes_of(names[_i].name);
    assert_breaks(names[_i].good ? NULL : "/queue", names[_i].why);
    spec.type = spec.queue;
    spec.queue = (struct tc_bytes){ 0 };
    assert_breaks(names[_i].good ? NULL : "/type", names[_i].why);
}
END_TEST

START_TEST(a_nul_is_in_no_name)
{
    ck_assert(!tc_name_is_valid((struct tc_bytes){ "a\0b", 3 }));
    ck_assert(!tc_owner_is_valid((struct tc_bytes){ "a\0b", 3 }));
    ck_assert(!tc_key_is_valid((struct tc_bytes){ "a\0b", 3 }));
}
END_TEST

static const struct {
    const char *why;
    const char *extra;
    size_t len;
    bool good;
} owners[] = {
    { "128 characters", "", 128, true },
    { "129", "", 129, false },
    { "empty", "", 0, false },
    { "one", "", 1, true },
    { "all sorts", "AZ09._:@-", 9, true },
    { "space", " ", 1, false },
    { "slash", "/", 1, false },
    { "before A", "?", 1, false },
    { "after Z", "[", 1, false },
};

START_TEST(an_owner_is_1_to_128_of_its_alphabet)
{
    char text[200];

    memset(text, 'w', sizeof(text));
    memcpy(text, owners[_i].extra, strlen(owners[_i].extra));
    ck_assert_msg(tc_owner_is_valid((struct tc_bytes){ text, owners[_i].len }) ==
                      owners[_i].good,
                  "%s", owners[_i].why);
}
END_TEST

static const struct {
    const char *why;
    char character;
    size_t len;
    bool good;
} keys[] = {
    { "one", 'k', 1, true },
    { "255", 'k', 255, true },
    { "256", 'k', 256, false },
    { "empty", 'k', 0, false },
    { "first visible", '!', 1, true },
    { "space", ' ', 1, false },
    { "last visible", '~', 1, true },
    { "DEL", 0x7F, 1, false },
    { "beyond ASCII", (char)0xC3, 1, false },
};

START_TEST(an_idempotency_key_is_1_to_255_visible_characters)
{
    char text[256];

    memset(text, keys[_i].character, sizeof(text));
    ck_assert_msg(tc_key_is_valid((struct tc_bytes){ text, keys[_i].len }) == keys[_i].good,
                  "%s", keys[_i].why);
}
END_TEST

static const struct {
    const char *why;
    const char *payload;
    enum tc_content_kind kind;
    const char *pointer;
} payloads[] = {
    { "string", "\"x\"", TC_CONTENT_JSON, NULL },
    { "null is a payload", "null", TC_CONTENT_JSON, NULL },
    { "empty object", "{}", TC_CONTENT_JSON, NULL },
    { "blank string", "\" \"", TC_CONTENT_JSON, NULL },
    { "empty string", "\"\"", TC_CONTENT_JSON, "/payload" },
    { "two quotes as plain text", "\"\"", TC_CONTENT_TEXT, NULL },
    { "no bytes", "", TC_CONTENT_BYTES, "/payload" },
    { "missing", "", TC_CONTENT_NONE, "/payload" },
};

START_TEST(a_payload_is_anything_but_empty)
{
    spec.payload = (struct tc_content){ payloads[_i].kind, tc_bytes_of(payloads[_i].payload) };
    assert_breaks(payloads[_i].pointer, payloads[_i].why);
}
END_TEST

START_TEST(a_payload_may_fill_its_limit_but_not_pass_it)
{
    spec.payload.bytes = tc_bytes_of("\"12345678\"");
    policy.payload_max = 10;
    assert_breaks(NULL, "at the limit");
    policy.payload_max = 11;
    assert_breaks(NULL, "below the limit");
    policy.payload_max = 9;
    assert_breaks("/payload", "over the limit");
}
END_TEST

START_TEST(a_title_is_measured_as_it_is_written)
{
    set_title("\xC3\xA4", "\"\\u00e4\"");
    policy.payload_max = 8;
    assert_breaks(NULL, "at the limit");
    policy.payload_max = 7;
    assert_breaks("/title", "over the limit");
}
END_TEST

START_TEST(payload_and_title_do_not_go_together)
{
    spec.title = tc_bytes_of("report");
    assert_breaks("/title", "both");
}
END_TEST

START_TEST(a_title_has_1_to_255_characters) /* _i: two-byte characters */
{
    char title[2 * 300 + 1] = "";

    for (int i = 0; i < _i; i++)
        memcpy(title + 2 * i, "\xC3\xA4", 3);
    set_title(title, "\"\xC3\xA4\"");
    assert_breaks(_i >= 1 && _i <= 255 ? NULL : "/title", "title");
}
END_TEST

static const struct {
    const char *why;
    struct tc_bytes text;
} no_texts[] = {
    { "NUL", { "a\0b", 3 } },
    { "broken UTF-8", { "a\xFF", 2 } },
    { "surrogate", { "\xED\xA0\x80", 3 } },
};

START_TEST(titles_and_tags_are_text)
{
    spec.tags[0] = no_texts[_i].text;
    spec.tag_count = 1;
    assert_breaks("/tags", no_texts[_i].why);
    set_title("", "\"x\"");
    spec.tag_count = 0;
    spec.title = no_texts[_i].text;
    assert_breaks("/title", no_texts[_i].why);
}
END_TEST

START_TEST(a_tag_has_1_to_64_characters) /* _i: three-byte characters */
{
    char tag[3 * 66 + 1] = "";

    for (int i = 0; i < _i; i++)
        memcpy(tag + 3 * i, "\xE2\x82\xAC", 4);
    spec.tags[0] = tc_bytes_of("fine");
    spec.tags[1] = tc_bytes_of(tag);
    spec.tag_count = 2;
    assert_breaks(_i >= 1 && _i <= 64 ? NULL : "/tags", "tag");
}
END_TEST

START_TEST(a_task_has_up_to_16_tags) /* _i: how many */
{
    for (int i = 0; i < TC_TAG_COUNT_MAX; i++)
        spec.tags[i] = tc_bytes_of("tag");
    spec.tag_count = (size_t)_i;
    assert_breaks(_i <= 16 ? NULL : "/tags", "tags");
}
END_TEST

START_TEST(run_at_and_delay_do_not_go_together)
{
    spec.run_at_ms = NOW;
    spec.delay_ms = 0;
    assert_breaks("/delay_ms", "both");
}
END_TEST

START_TEST(a_time_is_refused_in_words_of_dates)
{
    spec.run_at_ms = TC_TIME_MAX_MS + 1;
    validate();
    ck_assert_str_eq(violations.items[0].detail, "must lie in the years 0 to 9999, UTC");
}
END_TEST

START_TEST(every_broken_rule_is_named_under_the_given_pointer)
{
    spec.payload = (struct tc_content){ 0 };
    spec.priority = 11;
    spec.timeout_ms = 0;
    tc_task_spec_validate(&spec, &policy, "/tasks/3", &violations);
    ck_assert_uint_eq(violations.total, 3);
    ck_assert_str_eq(violations.items[0].pointer, "/tasks/3/payload");
    ck_assert_str_eq(violations.items[1].pointer, "/tasks/3/priority");
    ck_assert_str_eq(violations.items[1].detail, "must be 0..10");
    ck_assert_str_eq(violations.items[2].pointer, "/tasks/3/timeout_ms");
}
END_TEST

static void add_rules(Suite *suite)
{
    TCase *tcase = tcase_create("rules");

    tcase_add_checked_fixture(tcase, setup, NULL);
    tcase_add_loop_test(tcase, a_number_is_taken_within_its_limits_only, 0, COUNT_OF(numbers));
    tcase_add_loop_test(tcase, queue_and_type_are_names, 0, COUNT_OF(names));
    tcase_add_test(tcase, a_nul_is_in_no_name);
    tcase_add_loop_test(tcase, an_owner_is_1_to_128_of_its_alphabet, 0, COUNT_OF(owners));
    tcase_add_loop_test(tcase, an_idempotency_key_is_1_to_255_visible_characters, 0,
                        COUNT_OF(keys));
    tcase_add_loop_test(tcase, a_payload_is_anything_but_empty, 0, COUNT_OF(payloads));
    tcase_add_test(tcase, a_payload_may_fill_its_limit_but_not_pass_it);
    tcase_add_test(tcase, a_title_is_measured_as_it_is_written);
    tcase_add_test(tcase, payload_and_title_do_not_go_together);
    tcase_add_loop_test(tcase, a_title_has_1_to_255_characters, 0, 2);
    tcase_add_loop_test(tcase, a_title_has_1_to_255_characters, 254, 257);
    tcase_add_loop_test(tcase, titles_and_tags_are_text, 0, COUNT_OF(no_texts));
    tcase_add_loop_test(tcase, a_tag_has_1_to_64_characters, 0, 2);
    tcase_add_loop_test(tcase, a_tag_has_1_to_64_characters, 63, 66);
    tcase_add_loop_test(tcase, a_task_has_up_to_16_tags, 15, 18);
    tcase_add_test(tcase, run_at_and_delay_do_not_go_together);
    tcase_add_test(tcase, a_time_is_refused_in_words_of_dates);
    tcase_add_test(tcase, every_broken_rule_is_named_under_the_given_pointer);
    suite_add_tcase(suite, tcase);
}

int main(void)
{
    Suite *suite = suite_create("task_spec");

    add_rules(suite);
    return run_suite(suite);
}
