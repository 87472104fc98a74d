#include "tests/adapters/lease_site.h"
#include "tests/support/run_suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How pull workers say that a run has ended: complete, fail, release. */

static struct lease_site leased;
static struct site *const site = &leased.site;

static void setup(void)
{
    lease_site_begin(&leased);
}

static void teardown(void)
{
    lease_site_end(&leased);
}

/* --- complete */

START_TEST(a_task_is_completed_with_any_result)
{
    static const char *const results[] = { "{\"a\":[1, 2.50]}", "\"text\"", "1e2", "false" };
    char body[80];
    char expected[80];

    snprintf(body, sizeof(body), "{\"result\":%s,\"epoch\":1}", results[_i]);
    snprintf(expected, sizeof(expected), "\"result\":%s,\"error\"", results[_i]);
    lease_site_assert_becomes(&leased, "complete", body, "done");
    ck_assert_ptr_nonnull(strstr(site_body(site), expected));
    ck_assert(cJSON_IsNull(site_at(site, "lease")));
    ck_assert_str_eq(site_text(site, "finished_at"), SITE_NOW_TEXT);
}
END_TEST

START_TEST(a_result_of_null_is_none)
{
    lease_site_assert_becomes(&leased, "complete", "{\"epoch\":1,\"result\":null}", "done");
    ck_assert(cJSON_IsNull(site_at(site, "result")));
    lease_site_assert_becomes(&leased, "complete", "{\"epoch\":1}", "done");
}
END_TEST

START_TEST(who_waits_for_the_end_is_told)
{
    struct tc_id parsed;

    ck_assert(tc_id_parse(leased.id, strlen(leased.id), &parsed));
    lease_site_assert_becomes(&leased, "complete", "{\"epoch\":1}", "done");
    ck_assert(fake_events_saw(&site->events, &parsed));
}
END_TEST

START_TEST(a_result_over_the_limit_is_refused)
{
    site->policy.result_max = 10;
    site_assert_problem(
        site, lease_site_report(&leased, "complete", "{\"epoch\":1,\"result\":\"123456789\"}"),
        413, "payload_too_large");
    site_assert_problem(
        site, lease_site_report(&leased, "complete", "{\"result\":\"123456789\",\"x\":1}"), 413,
        "payload_too_large");
    lease_site_assert_becomes(&leased, "complete", "{\"epoch\":1,\"result\":\"12345678\"}",
                              "done");
}
END_TEST

START_TEST(a_body_may_be_as_long_as_its_result)
{
    size_t len = site->policy.result_max;
    char *body = malloc(len + 64);
    int begin = snprintf(body, 64, "{\"epoch\":1,\"result\":\"");

    memset(body + begin, 'x', len - 2);
    snprintf(body + begin + len - 2, 16, "\"}");
    lease_site_assert_becomes(&leased, "complete", body, "done");
    free(body);
}
END_TEST

/* {"epoch":1,"result":[[[...]]]} */
static const char *nested(int levels)
{
    static char body[256];
    int len = snprintf(body, sizeof(body), "{\"epoch\":1,\"result\":");

    for (int i = 0; i < levels; i++)
        body[len++] = '[';
    for (int i = 0; i < levels; i++)
        body[len++] = ']';
    snprintf(body + len, sizeof(body) - (size_t)len, "}");
    return body;
}

START_TEST(a_result_may_nest_32_levels_of_its_own)
{
    site_assert_problem(site, lease_site_report(&leased, "complete", nested(33)), 400,
                        "malformed_json");
    lease_site_assert_becomes(&leased, "complete", nested(32), "done");
}
END_TEST

START_TEST(an_applied_report_whose_task_cannot_be_read_says_so)
{
    site->repo.plan = (struct fault_plan){ .code = TC_UNAVAILABLE };
    site_assert_problem(site, lease_site_report(&leased, "complete", "{\"epoch\":1}"), 503,
                        "unavailable");
    ck_assert_ptr_nonnull(strstr(site_text(site, "detail"), "has been applied"));
    lease_site_assert_becomes(&leased, "complete", "{\"epoch\":1}", "done");
}
END_TEST

/* --- fail */

START_TEST(a_failed_attempt_is_made_again_after_the_time_asked_for)
{
    lease_site_assert_becomes(&leased, "fail",
                              "{\"epoch\":1,\"error\":\"no mail\",\"retry_after_ms\":5000}",
                              "scheduled");
    ck_assert_str_eq(site_text(site, "run_at"), "2026-11-21T22:26:45.000Z");
    ck_assert_str_eq(site_text(site, "error/message"), "no mail");
    ck_assert_str_eq(site_text(site, "error/reason"), "handler");
    ck_assert(site_number(site, "attempt") == 1);
}
END_TEST

START_TEST(a_failed_attempt_is_made_again_by_the_policy)
{
    lease_site_assert_becomes(&leased, "fail", "{\"epoch\":1,\"error\":\"e\"}", "scheduled");
    ck_assert_str_eq(site_text(site, "run_at"), "2026-11-21T22:26:44.000Z");
}
END_TEST

START_TEST(a_failed_attempt_that_is_due_at_once_waits_as_new)
{
    size_t before = site->queue.count;

    lease_site_assert_becomes(&leased, "fail",
                              "{\"epoch\":1,\"error\":\"e\",\"retry_after_ms\":0}", "new");
    ck_assert_uint_eq(site->queue.count, before + 1);
    ck_assert_str_eq(site->queue.hints[before].type, "email");
}
END_TEST

START_TEST(a_failure_that_is_not_retryable_is_the_last)
{
    lease_site_assert_becomes(&leased, "fail",
                              "{\"epoch\":1,\"error\":\"e\",\"retryable\":false}", "failed");
    ck_assert_str_eq(site_text(site, "error/reason"), "not_retryable");
}
END_TEST

START_TEST(the_last_attempt_that_fails_ends_the_task)
{
    lease_site_assert_becomes(&leased, "fail",
                              "{\"epoch\":1,\"error\":\"e\",\"retry_after_ms\":0}", "new");
    lease_site_lease(&leased, "w2");
    lease_site_assert_becomes(&leased, "fail", "{\"epoch\":2,\"error\":\"f\"}", "failed");
    ck_assert(site_number(site, "error/attempt") == 2);
    lease_site_assert_becomes(&leased, "fail", "{\"epoch\":2,\"error\":\"f\"}", "failed");
}
END_TEST

START_TEST(another_failure_is_not_the_same)
{
    lease_site_assert_becomes(&leased, "fail", "{\"epoch\":1,\"error\":\"e\"}", "scheduled");
    lease_site_assert_stale(&leased, "fail", "{\"epoch\":1,\"error\":\"f\"}", "released");
    lease_site_assert_stale(&leased, "fail",
                            "{\"epoch\":1,\"error\":\"e\",\"retryable\":false}", "released");
    lease_site_assert_stale(&leased, "complete", "{\"epoch\":1}", "released");
}
END_TEST

static const struct {
    const char *body;
    const char *pointer;
} bad_failures[] = {
    { "{\"epoch\":1}", "/error" },
    { "{\"epoch\":1,\"error\":null}", "/error" },
    { "{\"epoch\":1,\"error\":\"\"}", "/error" },
    { "{\"epoch\":1,\"error\":{}}", "/error" },
    { "{\"epoch\":1,\"error\":\"e\",\"retryable\":\"no\"}", "/retryable" },
    { "{\"epoch\":1,\"error\":\"e\",\"retryable\":0}", "/retryable" },
    { "{\"epoch\":1,\"error\":\"e\",\"retry_after_ms\":-1}", "/retry_after_ms" },
    { "{\"epoch\":1,\"error\":\"e\",\"retry_after_ms\":604800001}", "/retry_after_ms" },
    { "{\"epoch\":1.0,\"error\":\"e\"}", "/epoch" },
    { "{\"epoch\":\"1\",\"error\":\"e\"}", "/epoch" },
    { "{\"epoch\":1,\"error\":\"e\",\"result\":1}", "/result" },
};

START_TEST(a_bad_field_of_a_failure_is_named) /* loop over bad_failures */
{
    site_assert_invalid(site, lease_site_report(&leased, "fail", bad_failures[_i].body),
                        bad_failures[_i].pointer);
    ck_assert_int_eq(lease_site_report(&leased, "heartbeat", "{\"epoch\":1}"), 200);
}
END_TEST

/* {"epoch":1,"error":"ééé…"} */
static const char *failure_of(int chars)
{
    static char body[5000 * 2];
    int len = snprintf(body, sizeof(body), "{\"epoch\":1,\"error\":\"");

    for (int i = 0; i < chars; i++)
        len += snprintf(body + len, sizeof(body) - (size_t)len, "\xC3\xA9");
    snprintf(body + len, sizeof(body) - (size_t)len, "\"}");
    return body;
}

START_TEST(an_error_is_up_to_4096_characters)
{
    site_assert_invalid(site, lease_site_report(&leased, "fail", failure_of(4097)), "/error");
    lease_site_assert_becomes(&leased, "fail", failure_of(4096), "scheduled");
    ck_assert_uint_eq(strlen(site_text(site, "error/message")), 4096 * 2);
}
END_TEST

/* --- release */

START_TEST(a_released_task_waits_as_before)
{
    size_t before = site->queue.count;

    lease_site_assert_becomes(&leased, "release", "{\"epoch\":1}", "new");
    ck_assert(site_number(site, "attempt") == 0);
    ck_assert(site_number(site, "epoch") == 1);
    ck_assert_uint_eq(site->queue.count, before + 1);
    lease_site_lease(&leased, "w2");
    ck_assert(site_number(site, "tasks/0/epoch") == 2);
}
END_TEST

START_TEST(a_task_is_released_for_later)
{
    lease_site_assert_becomes(&leased, "release", "{\"epoch\":1,\"delay_ms\":315360000000}",
                              "scheduled");
    lease_site_assert_becomes(&leased, "release", "{\"epoch\":1,\"delay_ms\":9}", "scheduled");
    lease_site_assert_stale(&leased, "complete", "{\"epoch\":1}", "released");
}
END_TEST

START_TEST(a_bad_delay_is_named)
{
    site_assert_invalid(site,
                        lease_site_report(&leased, "release", "{\"epoch\":1,\"delay_ms\":-1}"),
                        "/delay_ms");
    site_assert_invalid(
        site, lease_site_report(&leased, "release", "{\"epoch\":1,\"delay_ms\":315360000001}"),
        "/delay_ms");
}
END_TEST

#define COUNT_OF(array) ((int)(sizeof(array) / sizeof((array)[0])))

static TCase *make_tcase(const char *name)
{
    TCase *tcase = tcase_create(name);

    tcase_add_checked_fixture(tcase, setup, teardown);
    return tcase;
}

static TCase *complete_tcase(void)
{
    TCase *tcase = make_tcase("complete");

    tcase_add_loop_test(tcase, a_task_is_completed_with_any_result, 0, 4);
    tcase_add_test(tcase, a_result_of_null_is_none);
    tcase_add_test(tcase, who_waits_for_the_end_is_told);
    tcase_add_test(tcase, a_result_over_the_limit_is_refused);
    tcase_add_test(tcase, a_body_may_be_as_long_as_its_result);
    tcase_add_test(tcase, a_result_may_nest_32_levels_of_its_own);
    tcase_add_test(tcase, an_applied_report_whose_task_cannot_be_read_says_so);
    return tcase;
}

static TCase *fail_tcase(void)
{
    TCase *tcase = make_tcase("fail");

    tcase_add_test(tcase, a_failed_attempt_is_made_again_after_the_time_asked_for);
    tcase_add_test(tcase, a_failed_attempt_is_made_again_by_the_policy);
    tcase_add_test(tcase, a_failed_attempt_that_is_due_at_once_waits_as_new);
    tcase_add_test(tcase, a_failure_that_is_not_retryable_is_the_last);
    tcase_add_test(tcase, the_last_attempt_that_fails_ends_the_task);
    tcase_add_test(tcase, another_failure_is_not_the_same);
    tcase_add_loop_test(tcase, a_bad_field_of_a_failure_is_named, 0, COUNT_OF(bad_failures));
    tcase_add_test(tcase, an_error_is_up_to_4096_characters);
    return tcase;
}

static TCase *release_tcase(void)
{
    TCase *tcase = make_tcase("release");

    tcase_add_test(tcase, a_released_task_waits_as_before);
    tcase_add_test(tcase, a_task_is_released_for_later);
    tcase_add_test(tcase, a_bad_delay_is_named);
    return tcase;
}

static Suite *finish_suite(void)
{
    Suite *suite = suite_create("http_finish");

    suite_add_tcase(suite, complete_tcase());
    suite_add_tcase(suite, fail_tcase());
    suite_add_tcase(suite, release_tcase());
    return suite;
}

int main(void)
{
    return run_suite(finish_suite());
}
