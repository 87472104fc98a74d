#include "tests/adapters/http_site.h"
#include "tests/support/run_suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

/* The exact text of the payload member of the last answer. */
static void assert_payload_is(const char *expected)
{
    char wanted[512];

    snprintf(wanted, sizeof(wanted), "\"payload\":%s,\"", expected);
    ck_assert_msg(strstr(site_body(&site), wanted) != NULL, "no %s in %s", wanted,
                  site_body(&site));
}

static int create_with_header(const char *name, const char *value)
{
    site_header(&site, name, value);
    return create("{\"payload\":1}");
}

START_TEST(answers_201_with_the_whole_task)
{
    ck_assert_int_eq(create("{\"payload\":\"test task\"}"), 201);
    ck_assert_str_eq(
        site_body(&site),
        "{\"id\":\"01a20038-0100-75a5-8000-000000000001\","
        "\"task_id\":\"01a20038-0100-75a5-8000-000000000001\","
        "\"queue\":\"default\",\"type\":\"demo.process\",\"payload\":\"test task\","
        "\"status\":\"new\",\"priority\":0,\"attempt\":0,\"max_attempts\":3,\"crashes\":0,"
        "\"max_crashes\":3,\"epoch\":0,\"run_at\":\"" SITE_NOW_TEXT "\","
        "\"timeout_ms\":300000,\"tags\":[],\"result\":null,\"error\":null,\"progress\":null,"
        "\"lease\":null,\"created_at\":\"" SITE_NOW_TEXT "\",\"updated_at\":\"" SITE_NOW_TEXT
        "\",\"started_at\":null,\"finished_at\":null}");
    ck_assert_str_eq(site.response.content_type, "application/json");
}
END_TEST

START_TEST(the_location_names_the_task)
{
    char expected[80];

    snprintf(expected, sizeof(expected), "/api/v1/tasks/%s",
             site_create(&site, "{\"payload\":1}"));
    ck_assert_str_eq(site_answer_header(&site, "Location"), expected);
}
END_TEST

START_TEST(the_answer_without_prefix_points_to_the_canonical_path)
{
    ck_assert_int_eq(site_post(&site, "/tasks/", "{\"payload\":1}"), 201);
    ck_assert_ptr_nonnull(strstr(site_answer_header(&site, "Location"), "/api/v1/tasks/"));
}
END_TEST

START_TEST(tells_the_glue_the_route_and_the_task)
{
    const char *id = site_create(&site, "{\"payload\":1}");
    char text[TC_ID_TEXT_SIZE];

    ck_assert(site.response.has_task_id);
    tc_id_format(&site.response.task_id, text);
    ck_assert_str_eq(text, id);
    ck_assert_str_eq(site.response.route, SITE_TASKS);
}
END_TEST

START_TEST(stores_what_it_answers)
{
    char *answer;
    char target[80];

    snprintf(target, sizeof(target), SITE_TASKS "/%s",
             site_create(&site,
                         "{\"payload\":{\"a\":[1]},\"queue\":\"mail\",\"type\":\"email\","
                         "\"priority\":7,\"max_attempts\":9,\"max_crashes\":0,"
                         "\"timeout_ms\":5,\"tags\":[\"a\",\"\xC3\xA9\"]}"));
    answer = strdup(site_body(&site));
    ck_assert_int_eq(site_get(&site, target), 200);
    /* Only task_id is told once and not kept. */
    memmove(strstr(answer, "\"task_id\""), strstr(answer, "\"queue\""),
            strlen(strstr(answer, "\"queue\"")) + 1);
    ck_assert_str_eq(site_body(&site), answer);
    free(answer);
}
END_TEST

START_TEST(announces_the_task_to_the_queue)
{
    create("{\"payload\":1,\"queue\":\"mail\"}");
    ck_assert_uint_eq(site.queue.count, 1);
    ck_assert_str_eq(site.queue.hints[0].queue, "mail");
}
END_TEST

START_TEST(answers_201_when_the_queue_is_away)
{
    site.queue.answer = TC_UNAVAILABLE;
    ck_assert_int_eq(create("{\"payload\":1}"), 201);
}
END_TEST

static const char *const payloads[] = {
    "null",
    "true",
    "false",
    "0",
    "-0",
    "1e2",
    "1.0",
    "0.10",
    "1E+5",
    "123456789012345678901234567890",
    "\"a\\/b\"",
    "\"\\u00e9\"",
    "\"\xC3\xA9\"",
    "\"\\ud83d\\ude00\"",
    "\" \"",
    "{}",
    "[]",
    "{ }",
    "[ 1 ,\t2 ]",
    "{\"b\":1,\"a\":2}",
    "{\"a\":{\"b\":[{\"c\":null}]}}",
    "\"\x7F\"",
    "{\n  \"z\": 1.50\n}",
    "\"\\u000A\\n\"",
};

START_TEST(keeps_the_payload_byte_for_byte)
{
    char body[256];

    snprintf(body, sizeof(body), "{ \"payload\" : %s , \"priority\" : 1 }", payloads[_i]);
    ck_assert_int_eq(create(body), 201);
    assert_payload_is(payloads[_i]);
}
END_TEST

static const struct {
    const char *body;
    const char *member;
    const char *text; /* expected */
} taken[] = {
    { "{\"payload\":1,\"type\":\"a.b_c-9\"}", "type", "a.b_c-9" },
    { "{\"payload\":1,\"queue\":\"q\"}", "queue", "q" },
    { "{\"payload\":1,\"type\":\"\\u0061\"}", "type", "a" },
    { "{\"p\\u0061yload\":1,\"queue\":\"\\u0071\"}", "queue", "q" },
    { "{\"payload\":1,\"delay_ms\":0}", "status", "new" },
    { "{\"payload\":1,\"delay_ms\":1}", "status", "scheduled" },
    { "{\"payload\":1,\"delay_ms\":1}", "run_at", "2026-11-21T22:26:40.001Z" },
    { "{\"payload\":1,\"delay_ms\":315360000000}", "run_at", "2036-11-18T22:26:40.000Z" },
    { "{\"payload\":1,\"run_at\":\"2020-01-01T00:00:00Z\"}", "status", "new" },
    { "{\"payload\":1,\"run_at\":\"2020-01-01T00:00:00Z\"}", "run_at",
      "2020-01-01T00:00:00.000Z" },
    { "{\"payload\":1,\"run_at\":\"2035-06-01T12:30:00.25+05:30\"}", "run_at",
      "2035-06-01T07:00:00.250Z" },
    { "{\"payload\":1,\"run_at\":\"2035-06-01T12:30:00.25+05:30\"}", "status", "scheduled" },
    { "{\"payload\":1,\"run_at\":\"1970-01-01T00:00:00Z\"}", "run_at",
      "1970-01-01T00:00:00.000Z" },
    { "{\"payload\":1,\"tags\":[\"a\\u0062\",\"c\"]}", "tags/0", "ab" },
    { "{\"title\":\"Process report\"}", "title", "Process report" },
    { "{\"title\":\"Process report\"}", "payload", "Process report" },
    { "{\"title\":\"Process report\"}", "type", "demo.parity" },
    { "{\"title\":\"t\",\"type\":\"x\"}", "type", "x" },
    { "{\"title\":\"\\u00e9\\n\"}", "title", "\xC3\xA9\n" },
    { "{\"title\":\"t\",\"queue\":null,\"type\":null,\"tags\":null}", "type", "demo.parity" },
    { "{\"payload\":\"p\",\"title\":null}", "payload", "p" },
};

START_TEST(takes_the_field)
{
    ck_assert_msg(create(taken[_i].body) == 201, "%s: %s", taken[_i].body, site_body(&site));
    ck_assert_str_eq(site_text(&site, taken[_i].member), taken[_i].text);
}
END_TEST

static const struct {
    const char *field;
    const char *value;
    double number;
} numbers[] = {
    { "priority", "0", 0 },           { "priority", "10", 10 },
    { "priority", "-0", 0 },          { "priority", "null", 0 },
    { "max_attempts", "1", 1 },       { "max_attempts", "100", 100 },
    { "max_attempts", "null", 3 },    { "max_crashes", "0", 0 },
    { "max_crashes", "100", 100 },    { "max_crashes", "null", 3 },
    { "timeout_ms", "1", 1 },         { "timeout_ms", "604800000", 604800000 },
    { "timeout_ms", "null", 300000 },
};

START_TEST(takes_the_number)
{
    char body[128];

    snprintf(body, sizeof(body), "{\"%s\":%s,\"payload\":1}", numbers[_i].field,
             numbers[_i].value);
    ck_assert_int_eq(create(body), 201);
    ck_assert(site_number(&site, numbers[_i].field) == numbers[_i].number);
}
END_TEST

static const struct {
    const char *body;
    const char *pointer;
} refused[] = {
    { "{}", "/payload" },
    { "{\"queue\":\"q\"}", "/payload" },
    { "{\"title\":null}", "/payload" },
    { "{\"payload\":\"\"}", "/payload" },
    { "{\"payload\":1,\"title\":\"t\"}", "/title" },
    { "{\"payload\":null,\"title\":\"t\"}", "/title" },
    { "{\"title\":\"\"}", "/title" },
    { "{\"title\":5}", "/title" },
    { "{\"title\":[]}", "/title" },
    { "{\"payload\":1,\"type\":\"\"}", "/type" },
    { "{\"payload\":1,\"type\":\"A\"}", "/type" },
    { "{\"payload\":1,\"type\":\"a b\"}", "/type" },
    { "{\"payload\":1,\"type\":1}", "/type" },
    { "{\"payload\":1,\"queue\":\"Q\"}", "/queue" },
    { "{\"payload\":1,\"queue\":\"\xC3\xA4\"}", "/queue" },
    { "{\"payload\":1,\"queue\":{}}", "/queue" },
    { "{\"payload\":1,\"priority\":-1}", "/priority" },
    { "{\"payload\":1,\"priority\":11}", "/priority" },
    { "{\"payload\":1,\"priority\":1.0}", "/priority" },
    { "{\"payload\":1,\"priority\":1e1}", "/priority" },
    { "{\"payload\":1,\"priority\":1E0}", "/priority" },
    { "{\"payload\":1,\"delay_ms\":1.0}", "/delay_ms" },
    { "{\"payload\":1,\"delay_ms\":0.0}", "/delay_ms" },
    { "{\"payload\":1,\"delay_ms\":1e3}", "/delay_ms" },
    { "{\"payload\":1,\"timeout_ms\":1E+3}", "/timeout_ms" },
    { "{\"payload\":1,\"priority\":\"5\"}", "/priority" },
    { "{\"payload\":1,\"priority\":true}", "/priority" },
    { "{\"payload\":1,\"priority\":[]}", "/priority" },
    { "{\"payload\":1,\"priority\":9223372036854775808}", "/priority" },
    { "{\"payload\":1,\"priority\":-9223372036854775808}", "/priority" },
    { "{\"payload\":1,\"priority\":99999999999999999999999999}", "/priority" },
    { "{\"payload\":1,\"priority\":18446744073709551617}", "/priority" },
    { "{\"payload\":1,\"delay_ms\":-1}", "/delay_ms" },
    { "{\"payload\":1,\"delay_ms\":315360000001}", "/delay_ms" },
    { "{\"payload\":1,\"delay_ms\":1,\"run_at\":\"2030-01-01T00:00:00Z\"}", "/delay_ms" },
    { "{\"payload\":1,\"run_at\":5}", "/run_at" },
    { "{\"payload\":1,\"run_at\":\"\"}", "/run_at" },
    { "{\"payload\":1,\"run_at\":\"tomorrow\"}", "/run_at" },
    { "{\"payload\":1,\"run_at\":\"2026-11-21T10:00:00\"}", "/run_at" },
    { "{\"payload\":1,\"run_at\":\"2026-02-30T00:00:00Z\"}", "/run_at" },
    { "{\"payload\":1,\"max_attempts\":0}", "/max_attempts" },
    { "{\"payload\":1,\"max_attempts\":101}", "/max_attempts" },
    { "{\"payload\":1,\"max_crashes\":-1}", "/max_crashes" },
    { "{\"payload\":1,\"max_crashes\":101}", "/max_crashes" },
    { "{\"payload\":1,\"timeout_ms\":0}", "/timeout_ms" },
    { "{\"payload\":1,\"timeout_ms\":604800001}", "/timeout_ms" },
    { "{\"payload\":1,\"tags\":\"x\"}", "/tags" },
    { "{\"payload\":1,\"tags\":{}}", "/tags" },
    { "{\"payload\":1,\"tags\":[1]}", "/tags" },
    { "{\"payload\":1,\"tags\":[null]}", "/tags" },
    { "{\"payload\":1,\"tags\":[\"\"]}", "/tags" },
    { "{\"payload\":1,\"tags\":[\"a\",[\"b\"]]}", "/tags" },
    { "{\"payload\":1,\"colour\":1}", "/colour" },
    { "{\"payload\":1,\"colour\":null}", "/colour" },
    { "{\"payload\":1,\"status\":\"done\"}", "/status" },
    { "{\"payload\":1,\"Priority\":1}", "/Priority" },
    { "{\"payload\":1,\"priorit\":1}", "/priorit" },
    { "{\"payload\":1,\"id\":\"x\"}", "/id" },
    { "{\"payload\":1,\"\":1}", "/" },
    { "{\"payload\":1,\"a/b~c\":1}", "/a~1b~0c" },
    { "{\"payload\":1,\"\\u0061\\n\":1}", "/a\n" },
    { "{\"payload\":1,\"tasks\":[]}", "/tasks" },
    { "[]", "" },
    { "[{\"payload\":1}]", "" },
    { "\"x\"", "" },
    { "5", "" },
    { "null", "" },
    { " true ", "" },
};

START_TEST(refuses_the_field_by_name)
{
    site_assert_invalid(&site, create(refused[_i].body), refused[_i].pointer);
    ck_assert_uint_eq(site_stored(&site), 0);
}
END_TEST

START_TEST(names_all_bad_fields_at_once)
{
    site_assert_problem(&site,
                        create("{\"priority\":11,\"queue\":\"Q\",\"x\":1,\"payload\":1}"), 422,
                        "validation_failed");
    ck_assert_uint_eq(site_count(&site, "errors"), 3);
}
END_TEST

START_TEST(says_which_rule_a_field_breaks)
{
    create("{\"payload\":1,\"priority\":11}");
    ck_assert_str_eq(site_text(&site, "errors/0/detail"), "must be 0..10");
}
END_TEST

#define TRACE "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

static const struct {
    const char *sent;
    const char *kept;
} traces[] = {
    { TRACE, TRACE },
    { "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00",
      "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00" },
    { "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", TRACE },
    { "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more", TRACE },
    { TRACE "-more", "" },
    { TRACE "0", "" },
    { "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01more", "" },
    { "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "" },
    { "00-00000000000000000000000000000000-b7ad6b7169203331-01", "" },
    { "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01", "" },
    { "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01", "" },
    { "00-0af7651916cd43dd8448eb211c80319c_b7ad6b7169203331-01", "" },
    { "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331", "" },
    { "nonsense", "" },
    { "", "" },
};

START_TEST(a_valid_traceparent_is_kept)
{
    ck_assert_int_eq(create_with_header("traceparent", traces[_i].sent), 201);

    struct tc_task task = site_claim(&site);

    ck_assert_str_eq(task.traceparent, traces[_i].kept);
    tc_task_release(&task);
}
END_TEST

START_TEST(a_repeated_traceparent_is_ignored)
{
    site_header(&site, "traceparent", TRACE);
    ck_assert_int_eq(create_with_header("traceparent", TRACE), 201);

    struct tc_task task = site_claim(&site);

    ck_assert_str_eq(task.traceparent, "");
    tc_task_release(&task);
}
END_TEST

START_TEST(the_default_type_is_the_policys)
{
    snprintf(site.policy.default_type, sizeof(site.policy.default_type), "other");
    create("{\"payload\":1}");
    ck_assert_str_eq(site_text(&site, "type"), "other");
}
END_TEST

#define COUNT_OF(array) ((int)(sizeof(array) / sizeof((array)[0])))

static Suite *create_suite(void)
{
    Suite *suite = suite_create("http_create");
    TCase *tcase = tcase_create("create");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 30);
    tcase_add_test(tcase, answers_201_with_the_whole_task);
    tcase_add_test(tcase, the_location_names_the_task);
    tcase_add_test(tcase, the_answer_without_prefix_points_to_the_canonical_path);
    tcase_add_test(tcase, tells_the_glue_the_route_and_the_task);
    tcase_add_test(tcase, stores_what_it_answers);
    tcase_add_test(tcase, announces_the_task_to_the_queue);
    tcase_add_test(tcase, answers_201_when_the_queue_is_away);
    tcase_add_loop_test(tcase, keeps_the_payload_byte_for_byte, 0, COUNT_OF(payloads));
    tcase_add_loop_test(tcase, takes_the_field, 0, COUNT_OF(taken));
    tcase_add_loop_test(tcase, takes_the_number, 0, COUNT_OF(numbers));
    tcase_add_loop_test(tcase, refuses_the_field_by_name, 0, COUNT_OF(refused));
    tcase_add_test(tcase, names_all_bad_fields_at_once);
    tcase_add_test(tcase, says_which_rule_a_field_breaks);
    tcase_add_loop_test(tcase, a_valid_traceparent_is_kept, 0, COUNT_OF(traces));
    tcase_add_test(tcase, a_repeated_traceparent_is_ignored);
    tcase_add_test(tcase, the_default_type_is_the_policys);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(create_suite());
}
