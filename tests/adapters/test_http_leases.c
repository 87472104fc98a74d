#include "tests/adapters/lease_site.h"
#include "tests/support/run_suite.h"

#include <stdio.h>
#include <string.h>

/* POST /leases. */

static struct site site;

static void setup(void)
{
    site_open(&site);
}

static void teardown(void)
{
    site_close(&site);
}

static void create(const char *queue, const char *type)
{
    char body[160];

    snprintf(body, sizeof(body), "{\"payload\":1,\"queue\":\"%s\",\"type\":\"%s\"}", queue,
             type);
    site_create(&site, body);
}

/* How many tasks this request got. */
static size_t lease(const char *body)
{
    int status = site_post(&site, LEASES, body);

    ck_assert_msg(status == 200, "%d: %s", status, site_body(&site));
    return site_count(&site, "tasks");
}

static const char *lease_one(void)
{
    static char id[TC_ID_TEXT_SIZE];

    create("default", "email");
    ck_assert_uint_eq(lease("{\"worker\":\"w1\"}"), 1);
    snprintf(id, sizeof(id), "%s", site_text(&site, "tasks/0/id"));
    return id;
}

START_TEST(a_waiting_task_is_leased)
{
    create("default", "email");
    ck_assert_uint_eq(lease("{\"worker\":\"w1@host:7\"}"), 1);
    ck_assert_str_eq(site_text(&site, "tasks/0/status"), "processing");
    ck_assert_str_eq(site_text(&site, "tasks/0/lease/owner"), "w1@host:7");
    ck_assert(site_number(&site, "tasks/0/epoch") == 1);
    ck_assert(site_number(&site, "tasks/0/lease/epoch") == 1);
    ck_assert(site_number(&site, "tasks/0/attempt") == 1);
    ck_assert(site_number(&site, "tasks/0/payload") == 1);
}
END_TEST

START_TEST(a_leased_task_is_not_leased_again)
{
    lease_one();
    ck_assert_uint_eq(lease("{\"worker\":\"w2\"}"), 0);
}
END_TEST

START_TEST(without_a_task_the_answer_is_empty)
{
    ck_assert_uint_eq(lease("{\"worker\":\"w1\",\"max\":100}"), 0);
    ck_assert_str_eq(site_body(&site), "{\"tasks\":[]}");
}
END_TEST

START_TEST(one_task_of_any_type_in_the_default_queue_is_the_default)
{
    create("other", "email");
    create("default", "email");
    create("default", "sms");
    ck_assert_uint_eq(lease("{\"worker\":\"w1\"}"), 1);
    ck_assert_uint_eq(lease("{\"worker\":\"w1\",\"max\":9}"), 1);
    ck_assert_str_eq(site_text(&site, "tasks/0/type"), "sms");
}
END_TEST

START_TEST(a_field_that_is_null_is_one_left_out)
{
    create("default", "email");
    ck_assert_uint_eq(lease("{\"worker\":\"w1\",\"queues\":null,\"types\":null,\"max\":null,"
                            "\"lease_ms\":null,\"wait_ms\":null}"),
                      1);
}
END_TEST

START_TEST(only_the_queues_and_types_asked_for_are_leased)
{
    create("mail", "email");
    create("mail", "sms");
    create("default", "email");
    ck_assert_uint_eq(lease("{\"worker\":\"w1\",\"queues\":[\"mail\",\"x\",\"mail\"],"
                            "\"types\":[\"push\",\"email\",\"push\"],\"max\":100}"),
                      1);
    ck_assert_str_eq(site_text(&site, "tasks/0/queue"), "mail");
    ck_assert_str_eq(site_text(&site, "tasks/0/type"), "email");
}
END_TEST

START_TEST(names_may_be_written_with_escapes)
{
    create("default", "email");
    ck_assert_uint_eq(lease("{\"w\\u006frker\":\"w\\u0031\",\"types\":[\"\\u0065mail\"]}"), 1);
    ck_assert_str_eq(site_text(&site, "tasks/0/lease/owner"), "w1");
}
END_TEST

START_TEST(no_more_than_max_are_leased)
{
    for (int i = 0; i < 5; i++)
        create("default", "email");
    ck_assert_uint_eq(lease("{\"worker\":\"w1\",\"max\":3}"), 3);
    ck_assert_uint_eq(lease("{\"worker\":\"w1\",\"max\":3}"), 2);
}
END_TEST

START_TEST(a_lease_holds_as_long_as_was_asked)
{
    create("default", "email");
    lease("{\"worker\":\"w1\",\"lease_ms\":1000}");
    ck_assert_int_eq(lease_site_end_of(&site, site_text(&site, "tasks/0/id")), SITE_NOW + 1000);
}
END_TEST

START_TEST(a_lease_holds_as_long_as_the_policy_says)
{
    site.policy.lease_ms = 7000;
    ck_assert_int_eq(lease_site_end_of(&site, lease_one()), SITE_NOW + 7000);
}
END_TEST

START_TEST(a_lease_over_http_does_not_end_with_the_process)
{
    struct tc_lease_repo *leases = memory_store_lease_repo(site.store);
    struct tc_task task;
    size_t count = 1;

    lease_one();
    fake_clock_advance(&site.clock, site.policy.lease_ms - 1);
    ck_assert_int_eq(leases->ops->take_ended(leases, "w2", 1, 1000, &task, &count, NULL),
                     TC_OK);
    ck_assert_uint_eq(count, 0);
}
END_TEST

START_TEST(without_a_room_to_wait_in_the_answer_comes_at_once)
{
    ck_assert_uint_eq(lease("{\"worker\":\"w1\",\"wait_ms\":20000}"), 0);
}
END_TEST

static const struct {
    const char *body;
    const char *pointer;
} bad_wishes[] = {
    { "{}", "/worker" },
    { "{\"worker\":null}", "/worker" },
    { "{\"worker\":7}", "/worker" },
    { "{\"worker\":\"\"}", "/worker" },
    { "{\"worker\":\"a b\"}", "/worker" },
    { "{\"worker\":\"w\",\"queues\":[]}", "/queues" },
    { "{\"worker\":\"w\",\"queues\":\"default\"}", "/queues" },
    { "{\"worker\":\"w\",\"queues\":{}}", "/queues" },
    { "{\"worker\":\"w\",\"queues\":[\"ok\",\"Not\"]}", "/queues/1" },
    { "{\"worker\":\"w\",\"queues\":[null]}", "/queues/0" },
    { "{\"worker\":\"w\",\"types\":[]}", "/types" },
    { "{\"worker\":\"w\",\"types\":[\"\"]}", "/types/0" },
    { "{\"worker\":\"w\",\"max\":0}", "/max" },
    { "{\"worker\":\"w\",\"max\":101}", "/max" },
    { "{\"worker\":\"w\",\"max\":1.0}", "/max" },
    { "{\"worker\":\"w\",\"max\":\"1\"}", "/max" },
    { "{\"worker\":\"w\",\"lease_ms\":999}", "/lease_ms" },
    { "{\"worker\":\"w\",\"lease_ms\":3600001}", "/lease_ms" },
    { "{\"worker\":\"w\",\"wait_ms\":-1}", "/wait_ms" },
    { "{\"worker\":\"w\",\"wait_ms\":20001}", "/wait_ms" },
    { "{\"worker\":\"w\",\"task\":1}", "/task" },
    { "{\"worker\":\"w\",\"a/b\":[{}]}", "/a~1b" },
    { "{\"worker\":\"w\",\"\":1}", "/" },
    { "[]", "" },
    { "7", "" },
};

START_TEST(a_bad_field_is_named) /* loop over bad_wishes */
{
    create("default", "email");
    site_assert_invalid(&site, site_post(&site, LEASES, bad_wishes[_i].body),
                        bad_wishes[_i].pointer);
    ck_assert_uint_eq(lease("{\"worker\":\"w1\"}"), 1);
}
END_TEST

/* {"worker":"w","NAME":["n0","n1",...]} */
static const char *wish_of_names(const char *name, int count)
{
    static char body[2048];
    int len = snprintf(body, sizeof(body), "{\"worker\":\"w\",\"%s\":[", name);

    for (int i = 0; i < count; i++)
        len += snprintf(body + len, sizeof(body) - (size_t)len, "%s\"n%d\"", i ? "," : "", i);
    snprintf(body + len, sizeof(body) - (size_t)len, "]}");
    return body;
}

START_TEST(lists_of_names_have_a_length)
{
    ck_assert_uint_eq(lease(wish_of_names("queues", 32)), 0);
    ck_assert_uint_eq(lease(wish_of_names("types", 64)), 0);
    site_assert_invalid(&site, site_post(&site, LEASES, wish_of_names("queues", 33)),
                        "/queues");
    site_assert_invalid(&site, site_post(&site, LEASES, wish_of_names("types", 65)), "/types");
}
END_TEST

START_TEST(all_bad_fields_are_named)
{
    ck_assert_int_eq(site_post(&site, LEASES, "{\"max\":0,\"wait_ms\":true,\"x\":1}"), 422);
    ck_assert_uint_eq(site_count(&site, "errors"), 4);
}
END_TEST

static const char *const targets[] = { LEASES, HEARTBEATS };

START_TEST(a_body_that_is_no_json_is_refused) /* loop over targets */
{
    site_assert_problem(&site, site_post(&site, targets[_i], ""), 400, "malformed_json");
    site_assert_problem(&site, site_post(&site, targets[_i], "{\"worker\":\"w\""), 400,
                        "malformed_json");
    site_assert_problem(&site,
                        site_post(&site, targets[_i], "{\"worker\":\"w\",\"worker\":\"w\"}"),
                        400, "malformed_json");
}
END_TEST

START_TEST(another_media_type_is_refused) /* loop over targets */
{
    site_header(&site, "Content-Type", "text/plain");
    site_assert_problem(&site, site_post(&site, targets[_i], "{}"), 415,
                        "unsupported_media_type");
}
END_TEST

START_TEST(a_query_is_refused) /* loop over targets */
{
    char target[64];

    snprintf(target, sizeof(target), "%s?worker=w", targets[_i]);
    ck_assert_int_eq(site_post(&site, target, "{\"worker\":\"w1\",\"leases\":[]}"), 422);
}
END_TEST

START_TEST(a_process_that_is_being_stopped_leases_nothing)
{
    create("default", "email");
    site.services.draining = true;
    site_assert_problem(&site, site_post(&site, LEASES, "{\"worker\":\"w1\"}"), 503,
                        "unavailable");
}
END_TEST

START_TEST(a_store_that_is_away_leases_nothing)
{
    site.leases.plan = (struct fault_plan){ .code = TC_UNAVAILABLE };
    site_assert_problem(&site, site_post(&site, LEASES, "{\"worker\":\"w1\"}"), 503,
                        "unavailable");
}
END_TEST

START_TEST(a_lost_answer_says_that_tasks_may_be_leased)
{
    site.leases.plan = (struct fault_plan){ .code = TC_UNKNOWN };
    site_assert_problem(&site, site_post(&site, LEASES, "{\"worker\":\"w1\"}"), 503,
                        "unavailable");
    ck_assert_ptr_nonnull(strstr(site_text(&site, "detail"), "may have been leased"));
}
END_TEST

#define COUNT_OF(array) ((int)(sizeof(array) / sizeof((array)[0])))

static TCase *leases_tcase(void)
{
    TCase *tcase = tcase_create("leases");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, a_waiting_task_is_leased);
    tcase_add_test(tcase, a_leased_task_is_not_leased_again);
    tcase_add_test(tcase, without_a_task_the_answer_is_empty);
    tcase_add_test(tcase, one_task_of_any_type_in_the_default_queue_is_the_default);
    tcase_add_test(tcase, a_field_that_is_null_is_one_left_out);
    tcase_add_test(tcase, only_the_queues_and_types_asked_for_are_leased);
    tcase_add_test(tcase, names_may_be_written_with_escapes);
    tcase_add_test(tcase, no_more_than_max_are_leased);
    tcase_add_test(tcase, a_lease_holds_as_long_as_was_asked);
    tcase_add_test(tcase, a_lease_holds_as_long_as_the_policy_says);
    tcase_add_test(tcase, a_lease_over_http_does_not_end_with_the_process);
    tcase_add_test(tcase, without_a_room_to_wait_in_the_answer_comes_at_once);
    tcase_add_loop_test(tcase, a_bad_field_is_named, 0, COUNT_OF(bad_wishes));
    tcase_add_test(tcase, lists_of_names_have_a_length);
    tcase_add_test(tcase, all_bad_fields_are_named);
    tcase_add_loop_test(tcase, a_body_that_is_no_json_is_refused, 0, COUNT_OF(targets));
    tcase_add_loop_test(tcase, another_media_type_is_refused, 0, COUNT_OF(targets));
    tcase_add_loop_test(tcase, a_query_is_refused, 0, COUNT_OF(targets));
    tcase_add_test(tcase, a_process_that_is_being_stopped_leases_nothing);
    tcase_add_test(tcase, a_store_that_is_away_leases_nothing);
    tcase_add_test(tcase, a_lost_answer_says_that_tasks_may_be_leased);
    return tcase;
}

static Suite *leases_suite(void)
{
    Suite *suite = suite_create("http_leases");

    suite_add_tcase(suite, leases_tcase());
    return suite;
}

int main(void)
{
    return run_suite(leases_suite());
}
