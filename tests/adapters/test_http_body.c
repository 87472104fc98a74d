#include "tests/adapters/http_site.h"
#include "tests/support/run_suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is checked of a create request's body before its fields: media type, JSON, sizes. */

static struct site site;

static void setup(void)
{
    site_open(&site);
}

static void teardown(void)
{
    site_close(&site);
}

static int create(const char *body)
{
    return site_post(&site, SITE_TASKS, body);
}

static int create_with_header(const char *name, const char *value)
{
    site_header(&site, name, value);
    return create("{\"payload\":1}");
}

/* {"FIELD":"uuu…"} with `count` times `unit`. */
static char *body_with(const char *start, const char *unit, size_t count, const char *end)
{
    char *body = malloc(strlen(start) + strlen(unit) * count + strlen(end) + 1);
    char *at = body;

    at += snprintf(at, strlen(start) + 1, "%s", start);
    for (size_t i = 0; i < count; i++)
        at += snprintf(at, strlen(unit) + 1, "%s", unit);
    snprintf(at, strlen(end) + 1, "%s", end);
    return body;
}

static int create_with(const char *start, const char *unit, size_t count, const char *end)
{
    char *body = body_with(start, unit, count, end);
    int status = create(body);

    free(body);
    return status;
}

static const struct {
    const char *start;
    const char *unit;
    size_t most;
    const char *end;
    const char *pointer;
} lengths[] = {
    { "{\"title\":\"", "x", 255, "\"}", "/title" },
    { "{\"title\":\"", "\xC3\xA9", 255, "\"}", "/title" },
    { "{\"title\":\"", "\\ud83d\\ude00", 255, "\"}", "/title" },
    { "{\"payload\":1,\"type\":\"", "x", 64, "\"}", "/type" },
    { "{\"payload\":1,\"queue\":\"", "x", 64, "\"}", "/queue" },
    { "{\"payload\":1,\"tags\":[\"", "x", 64, "\"]}", "/tags" },
    { "{\"payload\":1,\"tags\":[\"", "\xC3\xA9", 64, "\"]}", "/tags" },
    { "{\"payload\":1,\"tags\":[\"t\"", ",\"t\"", 15, "]}", "/tags" },
};

START_TEST(a_length_is_taken_up_to_its_limit)
{
    ck_assert_int_eq(
        create_with(lengths[_i].start, lengths[_i].unit, lengths[_i].most - 1, lengths[_i].end),
        201);
    ck_assert_int_eq(
        create_with(lengths[_i].start, lengths[_i].unit, lengths[_i].most, lengths[_i].end),
        201);
    site_assert_invalid(
        &site,
        create_with(lengths[_i].start, lengths[_i].unit, lengths[_i].most + 1, lengths[_i].end),
        lengths[_i].pointer);
}
END_TEST

START_TEST(a_payload_is_taken_up_to_its_limit_quotes_included)
{
    site.policy.payload_max = 100;
    ck_assert_int_eq(create_with("{\"payload\":\"", "x", 97, "\"}"), 201);
    ck_assert_int_eq(create_with("{\"payload\":\"", "x", 98, "\"}"), 201);
    site_assert_problem(&site, create_with("{\"payload\":\"", "x", 99, "\"}"), 413,
                        "payload_too_large");
}
END_TEST

START_TEST(white_space_around_a_payload_does_not_count)
{
    site.policy.payload_max = 4;
    ck_assert_int_eq(create_with("{\"payload\": \t\r\n", " ", 500, "1234 }"), 201);
}
END_TEST

START_TEST(a_large_payload_comes_back_whole)
{
    size_t most = site.policy.payload_max;

    ck_assert_int_eq(create_with("{\"payload\":\"", "y", most - 2, "\"}"), 201);
    ck_assert_uint_eq(strlen(site_text(&site, "payload")), most - 2);
}
END_TEST

START_TEST(a_body_is_taken_up_to_its_limit)
{
    size_t most = site.policy.payload_max + (size_t)64 * 1024;
    const char *start = "{\"payload\":1";
    size_t room = most - strlen(start) - 1;

    ck_assert_uint_eq(http_body_limit(&site.services, "POST", "/tasks/"), most);
    ck_assert_int_eq(create_with(start, " ", room - 1, "}"), 201);
    ck_assert_int_eq(create_with(start, " ", room, "}"), 201);
    site_assert_problem(&site, create_with(start, " ", room + 1, "}"), 413,
                        "payload_too_large");
}
END_TEST

START_TEST(a_payload_nests_up_to_32_levels_of_its_own)
{
    char *end = body_with("]", "]", 31, "}");

    ck_assert_int_eq(create_with("{\"payload\":", "[", 32, end), 201);
    free(end);
    end = body_with("]", "]", 32, "}");
    site_assert_problem(&site, create_with("{\"payload\":", "[", 33, end), 400,
                        "malformed_json");
    free(end);
}
END_TEST

START_TEST(other_fields_nest_up_to_32_levels_in_all)
{
    char *end = body_with("]", "]", 30, "}");

    site_assert_invalid(&site, create_with("{\"payload\":1,\"x\":", "[", 31, end), "/x");
    free(end);
    end = body_with("]", "]", 31, "}");
    site_assert_problem(&site, create_with("{\"payload\":1,\"x\":", "[", 32, end), 400,
                        "malformed_json");
    free(end);
}
END_TEST

START_TEST(json_comes_before_size_and_size_before_fields)
{
    site.policy.payload_max = 3;
    site_assert_problem(&site, create("{\"payload\":12345,\"priority\":99"), 400,
                        "malformed_json");
    site_assert_problem(&site, create("{\"payload\":12345,\"priority\":99}"), 413,
                        "payload_too_large");
    site_assert_invalid(&site, create("{\"payload\":123,\"priority\":99}"), "/priority");
}
END_TEST

static const struct {
    const char *why;
    const char *body;
} malformed[] = {
    { "nothing", "" },
    { "unfinished", "{" },
    { "trailing bytes", "{\"payload\":1}x" },
    { "NaN", "{\"payload\":NaN}" },
    { "trailing comma", "{\"payload\":1,}" },
    { "NUL escape", "{\"payload\":\"\\u0000\"}" },
    { "NUL escape in a key", "{\"a\\u0000\":1,\"payload\":1}" },
    { "no UTF-8", "{\"payload\":\"\xFF\"}" },
    { "no UTF-8 in a field", "{\"payload\":1,\"queue\":\"\xC3\"}" },
    { "lone surrogate", "{\"payload\":{\"a\":[\"\\ud800\"]}}" },
    { "lone surrogate in a field", "{\"title\":\"\\udc00\"}" },
    { "field twice", "{\"payload\":1,\"payload\":2}" },
    { "unknown field twice", "{\"payload\":1,\"x\":2,\"x\":2}" },
    { "field twice by escape", "{\"payload\":1,\"p\\u0061yload\":2}" },
    { "key twice in a payload", "{\"payload\":{\"a\":1,\"a\":2}}" },
    { "key twice deep in a payload", "{\"payload\":[[{\"a\":{\"b\":1,\"\\u0062\":2}}]]}" },
    { "key twice in an unknown field", "{\"payload\":1,\"x\":{\"a\":1,\"a\":2}}" },
    { "single quotes", "{'payload':1}" },
    { "leading zero", "{\"payload\":01}" },
    { "control character", "{\"payload\":\"\x01\"}" },
    { "byte order mark", "\xEF\xBB\xBF{\"payload\":1}" },
    { "a second document", "{\"payload\":1}{\"payload\":1}" },
    { "deep", "{\"payload\":1,\"tags\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]" },
    { "form data", "payload=1" },
};

START_TEST(refuses_what_is_no_json)
{
    int status = create(malformed[_i].body);

    ck_assert_msg(status == 400, "%s: %d %s", malformed[_i].why, status, site_body(&site));
    site_assert_problem(&site, status, 400, "malformed_json");
    ck_assert_uint_eq(site_stored(&site), 0);
}
END_TEST

START_TEST(refuses_a_raw_nul)
{
    site_assert_problem(&site,
                        site_send_bytes(&site, "POST", SITE_TASKS,
                                        (struct tc_bytes){ "{\"payload\":\"a\0b\"}", 17 }),
                        400, "malformed_json");
    site_assert_problem(&site,
                        site_send_bytes(&site, "POST", SITE_TASKS,
                                        (struct tc_bytes){ "{\"payload\":1}\0", 14 }),
                        400, "malformed_json");
}
END_TEST

START_TEST(a_long_unknown_field_is_named_in_part)
{
    site_assert_problem(&site, create_with("{\"payload\":1,\"", "\xC3\xA9", 500, "\":1}"), 422,
                        "validation_failed");
    ck_assert(tc_utf8_is_valid(tc_bytes_of(site_text(&site, "errors/0/pointer"))));
    ck_assert_uint_gt(strlen(site_text(&site, "errors/0/pointer")), 40);
}
END_TEST

static const struct {
    const char *type;
    int status;
} types[] = {
    { "application/json", 201 },
    { "application/json; charset=utf-8", 201 },
    { "application/json;charset=\"UTF-8\"", 201 },
    { "Application/JSON", 201 },
    { "application/json ; x=y", 201 },
    { "application/json;", 201 },
    { "application/json; charset=latin1", 415 },
    { "application/json; charset=utf-80", 415 },
    { "text/json", 415 },
    { "text/plain", 415 },
    { "application/jsonx", 415 },
    { "application/xml", 415 },
    { "application/x-www-form-urlencoded", 415 },
    { "", 415 },
    { "application/problem+json", 415 },
};

START_TEST(the_media_type_decides)
{
    int status = create_with_header("Content-Type", types[_i].type);

    ck_assert_msg(status == types[_i].status, "'%s': %d", types[_i].type, status);
    if (status != 201)
        site_assert_problem(&site, status, 415, "unsupported_media_type");
}
END_TEST

START_TEST(the_media_type_comes_before_the_json)
{
    site_header(&site, "content-type", "text/plain");
    site_assert_problem(&site, create("{"), 415, "unsupported_media_type");
}
END_TEST

START_TEST(two_media_types_are_refused)
{
    site_header(&site, "Content-Type", "application/json");
    site_assert_problem(&site, create_with_header("Content-Type", "application/json"), 415,
                        "unsupported_media_type");
}
END_TEST

START_TEST(a_query_on_create_is_refused_after_the_json)
{
    site_assert_problem(&site, site_post(&site, SITE_TASKS "?x=1", "{"), 400, "malformed_json");
    site_assert_invalid(&site, site_post(&site, SITE_TASKS "?x=1", "{\"payload\":1}"), "/x");
    ck_assert_uint_eq(site_stored(&site), 0);
}
END_TEST

#define COUNT_OF(array) ((int)(sizeof(array) / sizeof((array)[0])))

static Suite *body_suite(void)
{
    Suite *suite = suite_create("http_body");
    TCase *tcase = tcase_create("body");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 30);
    tcase_add_loop_test(tcase, a_length_is_taken_up_to_its_limit, 0, COUNT_OF(lengths));
    tcase_add_test(tcase, a_payload_is_taken_up_to_its_limit_quotes_included);
    tcase_add_test(tcase, white_space_around_a_payload_does_not_count);
    tcase_add_test(tcase, a_large_payload_comes_back_whole);
    tcase_add_test(tcase, a_body_is_taken_up_to_its_limit);
    tcase_add_test(tcase, a_payload_nests_up_to_32_levels_of_its_own);
    tcase_add_test(tcase, other_fields_nest_up_to_32_levels_in_all);
    tcase_add_test(tcase, json_comes_before_size_and_size_before_fields);
    tcase_add_loop_test(tcase, refuses_what_is_no_json, 0, COUNT_OF(malformed));
    tcase_add_test(tcase, refuses_a_raw_nul);
    tcase_add_test(tcase, a_long_unknown_field_is_named_in_part);
    tcase_add_loop_test(tcase, the_media_type_decides, 0, COUNT_OF(types));
    tcase_add_test(tcase, the_media_type_comes_before_the_json);
    tcase_add_test(tcase, two_media_types_are_refused);
    tcase_add_test(tcase, a_query_on_create_is_refused_after_the_json);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(body_suite());
}
