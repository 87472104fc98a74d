#include "adapters/http/json_check.h"
#include "adapters/http/json_pointer.h"
#include "adapters/http/json_scan.h"
#include "adapters/http/json_writer.h"
#include "tests/adapters/json_corpus.h"
#include "tests/support/run_suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The JSON reader and writer. CORPUS is the folder of the corpus. */

static struct json_corpus accept;
static struct json_corpus reject;

START_TEST(takes_good_json)
{
    const struct json_case *one = &accept.cases[_i];
    const char *problem = json_check((struct tc_bytes){ one->data, one->len });

    ck_assert_msg(problem == NULL, "%s: %.*s: %s", one->why, (int)one->len, one->data, problem);
}
END_TEST

START_TEST(refuses_bad_json)
{
    const struct json_case *one = &reject.cases[_i];

    ck_assert_msg(json_check((struct tc_bytes){ one->data, one->len }) != NULL, "%s: %.*s",
                  one->why, (int)one->len, one->data);
}
END_TEST

/* What is good at the top is good in a payload and the reverse, but for the depth. */
START_TEST(judges_a_nested_value_alike)
{
    const struct json_case *one = &accept.cases[_i];
    char *body = malloc(one->len + 16);
    size_t len = (size_t)snprintf(body, 16, "{\"a\":[0,");

    memcpy(body + len, one->data, one->len);
    memcpy(body + len + one->len, "]}", 2);

    struct json_reader reader;
    struct json_value value;

    json_reader_init(&reader, (struct tc_bytes){ body, len + one->len + 2 });
    ck_assert(json_enter(&reader));
    ck_assert(json_next_member(&reader, &value));
    ck_assert(json_enter(&reader));
    ck_assert(json_next_element(&reader));
    ck_assert(json_take(&reader, &value));
    ck_assert(json_next_element(&reader));
    ck_assert_msg(json_take_payload(&reader, &value), "%s: %s", one->why, reader.problem);
    ck_assert(!json_next_element(&reader));
    ck_assert(!json_next_member(&reader, &value));
    ck_assert(json_finish(&reader));
    json_reader_release(&reader);
    free(body);
}
END_TEST

/* Every proper beginning of a good document that is a container is bad. */
START_TEST(refuses_every_beginning_of_a_document)
{
    static const char text[] = "{\"a\":[1.5e3,true,{\"\\u00e9\":\"\xC3\xA9\"}],\"b\":null}";

    for (size_t len = 0; len < sizeof(text) - 1; len++) {
        char *beginning = malloc(len);

        if (len > 0)
            memcpy(beginning, text, len);
        ck_assert(json_check((struct tc_bytes){ beginning, len }) != NULL);
        free(beginning);
    }
    ck_assert_ptr_null(json_check((struct tc_bytes){ text, sizeof(text) - 1 }));
}
END_TEST

START_TEST(steps_through_members_and_gives_exact_ranges)
{
    static const char text[] = " { \"a\" : [ 1 , 2 ] , \"\\u0062\" : -3 , \"c\":\"x\\n\" } ";
    static const char *const keys[] = { "a", "\\u0062", "c" };
    static const char *const values[] = { "[ 1 , 2 ]", "-3", "\"x\\n\"" };
    static const enum json_kind kinds[] = { JSON_ARRAY, JSON_NUMBER, JSON_STRING };
    struct json_reader reader;
    struct json_value key;
    struct json_value value;

    json_reader_init(&reader, tc_bytes_of(text));
    ck_assert_int_eq(json_peek(&reader), JSON_OBJECT);
    ck_assert(json_enter(&reader));
    for (int i = 0; i < 3; i++) {
        ck_assert(json_next_member(&reader, &key));
        ck_assert(tc_bytes_equals(key.text, tc_bytes_of(keys[i])));
        ck_assert_int_eq(key.has_escapes, i == 1);
        ck_assert(json_take(&reader, &value));
        ck_assert(tc_bytes_equals(value.text, tc_bytes_of(values[i])));
        ck_assert_int_eq(value.kind, kinds[i]);
    }
    ck_assert(value.has_escapes);
    ck_assert(!json_next_member(&reader, &key));
    ck_assert(json_finish(&reader));
    json_reader_release(&reader);
}
END_TEST

START_TEST(after_a_failure_nothing_more_is_read)
{
    struct json_reader reader;
    struct json_value value;

    json_reader_init(&reader, tc_bytes_of("[1,}"));
    ck_assert(json_enter(&reader));
    ck_assert(json_next_element(&reader));
    ck_assert(json_take(&reader, &value));
    ck_assert(json_next_element(&reader));
    ck_assert(!json_take(&reader, &value));
    ck_assert_ptr_nonnull(reader.problem);
    ck_assert_int_eq(json_peek(&reader), JSON_NONE);
    ck_assert(!json_enter(&reader));
    ck_assert(!json_next_element(&reader));
    ck_assert(!json_next_member(&reader, &value));
    ck_assert(!json_take(&reader, &value));
    ck_assert(!json_finish(&reader));
    json_reader_release(&reader);
}
END_TEST

static const struct {
    const char *text;
    bool is_integer;
    int64_t value;
} integers[] = {
    { "0", true, 0 },
    { "-0", true, 0 },
    { "7", true, 7 },
    { "-7", true, -7 },
    { "9223372036854775806", true, INT64_MAX - 1 },
    { "9223372036854775807", true, INT64_MAX },
    { "9223372036854775808", true, INT64_MAX },
    { "92233720368547758070", true, INT64_MAX },
    { "-9223372036854775807", true, -INT64_MAX },
    { "-9223372036854775808", true, -INT64_MAX },
    { "-99999999999999999999999", true, -INT64_MAX },
    { "1.0", false, 0 },
    { "1e1", false, 0 },
    { "1E1", false, 0 },
    { "0.0", false, 0 },
};

START_TEST(an_integer_is_written_as_one)
{
    struct json_reader reader;
    struct json_value value;

    json_reader_init(&reader, tc_bytes_of(integers[_i].text));
    ck_assert(json_take(&reader, &value));
    ck_assert_int_eq(value.is_integer, integers[_i].is_integer);
    if (value.is_integer)
        ck_assert_int_eq(json_integer(value.text), integers[_i].value);
    json_reader_release(&reader);
}
END_TEST

static const struct {
    const char *json;
    const char *text;
} strings[] = {
    { "\"\"", "" },
    { "\"a\"", "a" },
    { "plain", "plain" },
    { "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t" },
    { "\"\\u0041\"", "A" },
    { "\"\\u007f\\u0080\"", "\x7F\xC2\x80" },
    { "\"\\u07ff\\u0800\"", "\xDF\xBF\xE0\xA0\x80" },
    { "\"\\uffff\"", "\xEF\xBF\xBF" },
    { "\"\\ud800\\udc00\"", "\xF0\x90\x80\x80" },
    { "\"\\uDBFF\\uDFFF\"", "\xF4\x8F\xBF\xBF" },
    { "\"\xC3\xA9\\u00e9\"", "\xC3\xA9\xC3\xA9" },
    { "\"\\\\u0041\"", "\\u0041" },
};

START_TEST(a_string_is_unescaped)
{
    char text[64];
    size_t len = json_unescape(tc_bytes_of(strings[_i].json), text);

    ck_assert(tc_bytes_equals((struct tc_bytes){ text, len }, tc_bytes_of(strings[_i].text)));
}
END_TEST

/* {"0":0,"1":0,…} with `count` keys behind `prefix`, and one more. */
static const char *check_many(size_t count, const char *prefix, const char *last)
{
    size_t size = count * (strlen(prefix) + 16) + 64;
    char *text = malloc(size);
    size_t len = (size_t)snprintf(text, size, "{");

    for (size_t i = 0; i < count; i++)
        len += (size_t)snprintf(text + len, size - len, "\"%s%zu\":0,", prefix, i);
    len += (size_t)snprintf(text + len, size - len, "\"%s\":0}", last);

    const char *problem = json_check((struct tc_bytes){ text, len });

    free(text);
    return problem;
}

START_TEST(a_hundred_thousand_keys_are_compared_in_time)
{
    ck_assert_ptr_null(check_many(100000, "", "x"));
    ck_assert_ptr_nonnull(check_many(100000, "", "0"));
    ck_assert_ptr_nonnull(check_many(100000, "", "99999"));
    ck_assert_ptr_nonnull(check_many(100000, "", "\\u00399999"));
    ck_assert_ptr_null(check_many(20000, "a-long-prefix-that-all-keys-share-and-more-", "x"));
}
END_TEST

START_TEST(many_objects_of_many_keys_need_little_memory)
{
    size_t count = 20000;
    char *text = malloc(count * 128);
    size_t len = 0;

    text[len++] = '[';
    for (size_t i = 0; i < count; i++)
        len += (size_t)snprintf(text + len, 128,
                                "%s{\"\\u0061\":0,\"b\":0,\"c\":0,\"d\":0,\"e\":0,\"f\":0,"
                                "\"g\":0,\"h\":0,\"i\":0,\"j\":0,\"k\":0,\"l\":0,\"m\":0}",
                                i ? "," : "");
    text[len++] = ']';

    struct json_reader reader;
    struct json_value value;

    json_reader_init(&reader, (struct tc_bytes){ text, len });
    ck_assert(json_take(&reader, &value));
    ck_assert_uint_lt(reader.keys.size, 64);
    ck_assert_uint_lt(reader.keys.plain_size, 64);
    json_reader_release(&reader);
    free(text);
}
END_TEST

static struct http_buffer out;
static struct json_writer writer;

static void setup_writer(void)
{
    out = (struct http_buffer){ 0 };
    writer = (struct json_writer){ .out = &out };
}

static void teardown_writer(void)
{
    http_buffer_release(&out);
}

static void assert_written(const char *expected)
{
    ck_assert(!out.failed);
    ck_assert_str_eq(out.data, expected);
    ck_assert_uint_eq(out.len, strlen(expected));
    ck_assert_ptr_null(json_check((struct tc_bytes){ out.data, out.len }));
}

START_TEST(puts_the_commas)
{
    json_open_object(&writer);
    json_member_int(&writer, "a", -1);
    json_key(&writer, "b");
    json_open_array(&writer);
    json_null(&writer);
    json_open_object(&writer);
    json_close_object(&writer);
    json_raw(&writer, tc_bytes_of("[ 1 ]"));
    json_close_array(&writer);
    json_member(&writer, "c", "d");
    json_key(&writer, "t");
    json_time(&writer, 0);
    json_close_object(&writer);
    assert_written("{\"a\":-1,\"b\":[null,{},[ 1 ]],\"c\":\"d\","
                   "\"t\":\"1970-01-01T00:00:00.000Z\"}");
}
END_TEST

START_TEST(writes_every_byte_so_that_it_can_be_read)
{
    char all[256];
    char back[1024];

    for (int i = 0; i < 128; i++)
        all[i] = (char)i;
    json_string(&writer, (struct tc_bytes){ all + 1, 127 });

    size_t len = json_unescape((struct tc_bytes){ out.data, out.len }, back);

    ck_assert_ptr_null(json_check((struct tc_bytes){ out.data, out.len }));
    ck_assert(
        tc_bytes_equals((struct tc_bytes){ back, len }, (struct tc_bytes){ all + 1, 127 }));
}
END_TEST

START_TEST(text_that_is_no_utf8_is_repaired)
{
    json_string(&writer, tc_bytes_of("a\xFF\"\xC3"));
    assert_written("\"a\xEF\xBF\xBD\\\"\xEF\xBF\xBD\"");
}
END_TEST

START_TEST(writes_the_extreme_integers)
{
    json_open_array(&writer);
    json_int(&writer, INT64_MIN);
    json_int(&writer, INT64_MAX);
    json_int(&writer, 0);
    json_close_array(&writer);
    assert_written("[-9223372036854775808,9223372036854775807,0]");
}
END_TEST

static const struct {
    const char *bytes;
    const char *text;
} base64[] = {
    { "", "\"\"" },
    { "f", "\"Zg==\"" },
    { "fo", "\"Zm8=\"" },
    { "foo", "\"Zm9v\"" },
    { "foob", "\"Zm9vYg==\"" },
    { "fooba", "\"Zm9vYmE=\"" },
    { "foobar", "\"Zm9vYmFy\"" },
    { "\xFB\xFF\xBF", "\"+/+/\"" },
};

START_TEST(writes_base64)
{
    json_base64(&writer, tc_bytes_of(base64[_i].bytes));
    assert_written(base64[_i].text);
}
END_TEST

START_TEST(a_pointer_escapes_and_cuts_between_characters)
{
    char token[JSON_POINTER_TOKEN_SIZE];
    char name[200];

    json_pointer_token(tc_bytes_of("a/b~c"), token);
    ck_assert_str_eq(token, "a~1b~0c");
    json_pointer_token(tc_bytes_of(""), token);
    ck_assert_str_eq(token, "");
    for (size_t start = 0; start < 4; start++) {
        memset(name, 'x', start);
        for (size_t i = start; i + 4 < sizeof(name); i += 3)
            memcpy(name + i, "\xE2\x82\xAC", 4);
        json_pointer_token(tc_bytes_of(name), token);
        ck_assert(tc_utf8_is_valid(tc_bytes_of(token)));
        ck_assert_uint_gt(strlen(token), JSON_POINTER_TOKEN_SIZE - 5);
    }
}
END_TEST

#define COUNT_OF(array) ((int)(sizeof(array) / sizeof((array)[0])))

static Suite *json_suite(void)
{
    Suite *suite = suite_create("http_json");
    TCase *tcase = tcase_create("reader");

    tcase_set_timeout(tcase, 30);
    tcase_add_loop_test(tcase, takes_good_json, 0, (int)accept.count);
    tcase_add_loop_test(tcase, refuses_bad_json, 0, (int)reject.count);
    tcase_add_loop_test(tcase, judges_a_nested_value_alike, 0, (int)accept.count);
    tcase_add_test(tcase, refuses_every_beginning_of_a_document);
    tcase_add_test(tcase, steps_through_members_and_gives_exact_ranges);
    tcase_add_test(tcase, after_a_failure_nothing_more_is_read);
    tcase_add_loop_test(tcase, an_integer_is_written_as_one, 0, COUNT_OF(integers));
    tcase_add_loop_test(tcase, a_string_is_unescaped, 0, COUNT_OF(strings));
    tcase_add_test(tcase, a_hundred_thousand_keys_are_compared_in_time);
    tcase_add_test(tcase, many_objects_of_many_keys_need_little_memory);
    suite_add_tcase(suite, tcase);
    tcase = tcase_create("writer");
    tcase_add_checked_fixture(tcase, setup_writer, teardown_writer);
    tcase_add_test(tcase, puts_the_commas);
    tcase_add_test(tcase, writes_every_byte_so_that_it_can_be_read);
    tcase_add_test(tcase, text_that_is_no_utf8_is_repaired);
    tcase_add_test(tcase, writes_the_extreme_integers);
    tcase_add_loop_test(tcase, writes_base64, 0, COUNT_OF(base64));
    tcase_add_test(tcase, a_pointer_escapes_and_cuts_between_characters);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    accept = json_corpus_read(CORPUS "/accept.txt");
    reject = json_corpus_read(CORPUS "/reject.txt");

    int status = run_suite(json_suite());

    json_corpus_free(&accept);
    json_corpus_free(&reject);
    return status;
}
