#include "tests/adapters/http_site.h"
#include "tests/support/run_suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BATCH SITE_TASKS "/batch"

static struct site site;

static void setup(void)
{
    site_open(&site);
}

static void teardown(void)
{
    site_close(&site);
}

static int post(const char *body)
{
    return site_post(&site, BATCH, body);
}

/* {"tasks":[ELEMENT,ELEMENT,…]} */
static int post_many(const char *element, size_t count)
{
    size_t size = count * (strlen(element) + 1) + 32;
    char *body = malloc(size);
    size_t len = (size_t)snprintf(body, size, "{\"tasks\":[");

    for (size_t i = 0; i < count; i++)
        len += (size_t)snprintf(body + len, size - len, "%s%s", i ? "," : "", element);
    snprintf(body + len, size - len, "]}");

    int status = post(body);

    free(body);
    return status;
}

START_TEST(answers_the_ids_in_order)
{
    ck_assert_int_eq(post("{\"tasks\":[{\"payload\":1},{\"payload\":2}]}"), 201);
    ck_assert_str_eq(site_body(&site),
                     "{\"items\":[{\"id\":\"01a20038-0100-75a5-8000-000000000001\"},"
                     "{\"id\":\"01a20038-0100-75a5-8000-000000000002\"}]}");
    ck_assert_ptr_null(site_answer_header(&site, "Location"));
}
END_TEST

START_TEST(stores_each_task_as_it_was_sent)
{
    char target[80];

    post("{\"tasks\":[{\"payload\":1e2},{\"title\":\"t\\u0061\",\"queue\":\"q\"}]}");
    snprintf(target, sizeof(target), SITE_TASKS "/%s", site_text(&site, "items/1/id"));
    ck_assert_int_eq(site_get(&site, target), 200);
    ck_assert_ptr_nonnull(strstr(site_body(&site), "\"payload\":\"t\\u0061\""));
    ck_assert_str_eq(site_text(&site, "title"), "ta");
    ck_assert_str_eq(site_text(&site, "queue"), "q");
}
END_TEST

START_TEST(tells_the_glue_the_first_task)
{
    char text[TC_ID_TEXT_SIZE];

    post("{\"tasks\":[{\"payload\":1},{\"payload\":2}]}");
    tc_id_format(&site.response.task_id, text);
    ck_assert_str_eq(text, site_text(&site, "items/0/id"));
    ck_assert_str_eq(site.response.route, BATCH);
}
END_TEST

static const struct {
    const char *body;
    const char *pointer;
} refused[] = {
    { "{}", "/tasks" },
    { "{\"tasks\":null}", "/tasks" },
    { "{\"tasks\":[]}", "/tasks" },
    { "{\"tasks\":{}}", "/tasks" },
    { "{\"tasks\":\"x\"}", "/tasks" },
    { "{\"tasks\":[{\"payload\":1}],\"x\":1}", "/x" },
    { "{\"x\":[{\"payload\":1}],\"tasks\":[{\"payload\":1}]}", "/x" },
    { "{\"tasks\":[{\"payload\":1},5]}", "/tasks/1" },
    { "{\"tasks\":[null]}", "/tasks/0" },
    { "{\"tasks\":[[{\"payload\":1}]]}", "/tasks/0" },
    { "{\"tasks\":[{\"payload\":1},{}]}", "/tasks/1/payload" },
    { "{\"tasks\":[{\"payload\":1},{\"payload\":1},{\"payload\":1},"
      "{\"payload\":1,\"priority\":99}]}",
      "/tasks/3/priority" },
    { "{\"tasks\":[{\"payload\":1,\"queue\":5}]}", "/tasks/0/queue" },
    { "{\"tasks\":[{\"payload\":1,\"a/b\":5}]}", "/tasks/0/a~1b" },
    { "{\"tasks\":[{\"payload\":1,\"\":5}]}", "/tasks/0/" },
    { "[]", "" },
    { "7", "" },
};

START_TEST(a_bad_one_is_named_and_nothing_is_stored)
{
    site_assert_invalid(&site, post(refused[_i].body), refused[_i].pointer);
    ck_assert_uint_eq(site_stored(&site), 0);
}
END_TEST

START_TEST(the_number_of_tasks_is_bounded)
{
    ck_assert_int_eq(post_many("{\"payload\":1}", 999), 201);
    ck_assert_int_eq(post_many("{\"payload\":1}", 1000), 201);
    ck_assert_uint_eq(site_count(&site, "items"), 1000);
    site_assert_invalid(&site, post_many("{\"payload\":1}", 1001), "/tasks");
    site_assert_invalid(&site, post_many("{\"payload\":1}", 5000), "/tasks");
}
END_TEST

START_TEST(only_the_first_violations_are_told)
{
    site_assert_problem(&site, post_many("0", 2000), 422, "validation_failed");
    ck_assert_uint_eq(site_count(&site, "errors"), TC_VIOLATIONS_MAX);
}
END_TEST

static const char *const malformed[] = {
    "",
    "{\"tasks\":[{\"payload\":1},]}",
    "{\"tasks\":[{\"payload\":1}],\"tasks\":[]}",
    "{\"tasks\":[{\"payload\":1,\"payload\":1}]}",
    "{\"tasks\":[{\"payload\":{\"a\":1,\"a\":2}}]}",
    "{\"tasks\":[{\"payload\":1}]",
    "{\"tasks\":[{\"payload\":1}]}]",
    "{\"tasks\":[{\"payload\":\"\\u0000\"}]}",
};

START_TEST(refuses_what_is_no_json)
{
    site_assert_problem(&site, post(malformed[_i]), 400, "malformed_json");
    ck_assert_uint_eq(site_stored(&site), 0);
}
END_TEST

/* {"tasks":[{"NAME":[[…]]}]} with `depth` brackets. */
static int post_nested(const char *name, int depth)
{
    char body[256];
    int len = snprintf(body, sizeof(body), "{\"tasks\":[{\"%s\":", name);

    for (int i = 0; i < depth; i++)
        body[len++] = '[';
    for (int i = 0; i < depth; i++)
        body[len++] = ']';
    snprintf(body + len, sizeof(body) - (size_t)len, "}]}");
    return post(body);
}

START_TEST(payloads_nest_32_levels_of_their_own)
{
    ck_assert_int_eq(post_nested("payload", 32), 201);
    site_assert_problem(&site, post_nested("payload", 33), 400, "malformed_json");
}
END_TEST

START_TEST(everything_else_nests_32_levels_in_all)
{
    ck_assert_int_eq(post_nested("x", 29), 422);
    site_assert_problem(&site, post_nested("x", 30), 400, "malformed_json");
}
END_TEST

START_TEST(a_payload_over_its_limit_is_413)
{
    site.policy.payload_max = 3;
    ck_assert_int_eq(post("{\"tasks\":[{\"payload\":123},{\"payload\":123}]}"), 201);
    site_assert_problem(&site,
                        post("{\"tasks\":[{\"payload\":1,\"priority\":99},"
                             "{\"payload\":1234}]}"),
                        413, "payload_too_large");
}
END_TEST

START_TEST(a_batch_of_16_mib_is_taken)
{
    size_t limit = http_body_limit(&site.services, "POST", BATCH);
    char *element = malloc(16400);
    size_t start = (size_t)snprintf(element, 16400, "{\"payload\":\"");

    memset(element + start, 'x', 16000);
    memcpy(element + start + 16000, "\"}", 3);
    ck_assert_uint_eq(limit, (size_t)16 * 1024 * 1024);
    ck_assert_int_eq(post_many(element, 1000), 201);
    free(element);
}
END_TEST

START_TEST(a_body_over_16_mib_is_413)
{
    size_t limit = http_body_limit(&site.services, "POST", BATCH);
    char *body = malloc(limit + 2);

    memset(body, ' ', limit + 1);
    memcpy(body, "{\"tasks\":[{\"payload\":1}]}", 25);
    body[limit + 1] = '\0';
    site_assert_problem(&site, post(body), 413, "payload_too_large");
    body[limit] = '\0';
    ck_assert_int_eq(post(body), 201);
    free(body);
}
END_TEST

START_TEST(an_object_with_very_many_keys_is_checked_in_time)
{
    size_t size = (size_t)1 << 20;
    char *body = malloc(size);
    size_t len = (size_t)snprintf(body, size, "{\"payload\":{");

    for (unsigned i = 0; len < size - 64; i++)
        len += (size_t)snprintf(body + len, size - len, "%s\"%x\":0", i ? "," : "", i);
    snprintf(body + len, size - len, ",\"1\":0}}");
    site_assert_problem(&site, site_post(&site, SITE_TASKS, body), 400, "malformed_json");
    snprintf(body + len, size - len, "}}");
    ck_assert_int_eq(site_post(&site, SITE_TASKS, body), 201);
    free(body);
}
END_TEST

START_TEST(other_media_types_are_refused)
{
    site_header(&site, "Content-Type", "text/csv");
    site_assert_problem(&site, post("{\"tasks\":[{\"payload\":1}]}"), 415,
                        "unsupported_media_type");
}
END_TEST

#define COUNT_OF(array) ((int)(sizeof(array) / sizeof((array)[0])))

static Suite *batch_suite(void)
{
    Suite *suite = suite_create("http_batch");
    TCase *tcase = tcase_create("batch");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 30);
    tcase_add_test(tcase, answers_the_ids_in_order);
    tcase_add_test(tcase, stores_each_task_as_it_was_sent);
    tcase_add_test(tcase, tells_the_glue_the_first_task);
    tcase_add_loop_test(tcase, a_bad_one_is_named_and_nothing_is_stored, 0, COUNT_OF(refused));
    tcase_add_test(tcase, the_number_of_tasks_is_bounded);
    tcase_add_test(tcase, only_the_first_violations_are_told);
    tcase_add_loop_test(tcase, refuses_what_is_no_json, 0, COUNT_OF(malformed));
    tcase_add_test(tcase, payloads_nest_32_levels_of_their_own);
    tcase_add_test(tcase, everything_else_nests_32_levels_in_all);
    tcase_add_test(tcase, a_payload_over_its_limit_is_413);
    tcase_add_test(tcase, a_batch_of_16_mib_is_taken);
    tcase_add_test(tcase, a_body_over_16_mib_is_413);
    tcase_add_test(tcase, an_object_with_very_many_keys_is_checked_in_time);
    tcase_add_test(tcase, other_media_types_are_refused);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(batch_suite());
}
