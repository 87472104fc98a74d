#include "tests/adapters/lease_site.h"
#include "tests/support/run_suite.h"

#include <stdio.h>
#include <string.h>

/* Heartbeats, and what holds for every report of a pull worker on its task. */

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

static void cancel(void)
{
    ck_assert_int_eq(lease_site_report(&leased, "cancel", NULL), 200);
}

static void take_over(void)
{
    struct tc_lease_repo *leases = memory_store_lease_repo(site->store);
    struct tc_task task;
    size_t count = 0;

    fake_clock_advance(&site->clock, site->policy.lease_ms + 1);
    ck_assert_int_eq(leases->ops->take_ended(leases, "rescue", 1, 1000, &task, &count, NULL),
                     TC_OK);
    ck_assert_uint_eq(count, 1);
    tc_task_release(&task);
}

/* The verbs with a body that each takes for epoch 1, and for another. */
static const struct {
    const char *verb;
    const char *body;
    const char *of_epoch_2;
    const char *of_epoch_0;
    const char *without;
    const char *unknown;
} verbs[] = {
    { "heartbeat", "{\"epoch\":1}", "{\"epoch\":2}", "{\"epoch\":0}", "{}",
      "{\"epoch\":1,\"x\":1}" },
    { "complete", "{\"epoch\":1,\"result\":7}", "{\"epoch\":2}", "{\"epoch\":0}",
      "{\"result\":7}", "{\"epoch\":1,\"x\":1}" },
    { "fail", "{\"epoch\":1,\"error\":\"e\"}", "{\"epoch\":2,\"error\":\"e\"}",
      "{\"epoch\":0,\"error\":\"e\"}", "{\"error\":\"e\"}",
      "{\"epoch\":1,\"error\":\"e\",\"x\":1}" },
    { "release", "{\"epoch\":1}", "{\"epoch\":2}", "{\"epoch\":0}", "{}",
      "{\"epoch\":1,\"x\":1}" },
};

START_TEST(an_epoch_that_was_taken_over_is_superseded) /* loop over verbs */
{
    take_over();
    lease_site_assert_stale(&leased, verbs[_i].verb, verbs[_i].body, "superseded");
}
END_TEST

START_TEST(a_cancelled_task_refuses_its_holder) /* loop over verbs */
{
    cancel();
    lease_site_assert_stale(&leased, verbs[_i].verb, verbs[_i].body, "cancelled");
}
END_TEST

START_TEST(a_finished_task_refuses_its_holder) /* loop over verbs */
{
    lease_site_assert_becomes(&leased, "complete", "{\"epoch\":1,\"result\":8}", "done");
    lease_site_assert_stale(&leased, verbs[_i].verb, verbs[_i].body, "finished");
}
END_TEST

START_TEST(a_task_that_waits_again_refuses_its_holder) /* loop over verbs */
{
    if (strcmp(verbs[_i].verb, "release") == 0)
        lease_site_assert_becomes(&leased, "fail", "{\"epoch\":1,\"error\":\"x\"}",
                                  "scheduled");
    else
        lease_site_assert_becomes(&leased, "release", "{\"epoch\":1}", "new");
    lease_site_assert_stale(&leased, verbs[_i].verb, verbs[_i].body, "released");
}
END_TEST

START_TEST(an_epoch_that_was_never_given_is_not_leased) /* loop over verbs */
{
    lease_site_assert_stale(&leased, verbs[_i].verb, verbs[_i].of_epoch_2, "not_leased");
    ck_assert_int_eq(lease_site_report(&leased, "heartbeat", "{\"epoch\":1}"), 200);
}
END_TEST

START_TEST(a_lease_that_ran_out_counts_until_it_is_taken_over) /* loop over verbs */
{
    fake_clock_advance(&site->clock, 10 * site->policy.lease_ms);
    ck_assert_int_eq(lease_site_report(&leased, verbs[_i].verb, verbs[_i].body), 200);
}
END_TEST

START_TEST(reports_are_taken_while_the_process_is_being_stopped) /* loop over verbs */
{
    site->services.draining = true;
    ck_assert_int_eq(lease_site_report(&leased, verbs[_i].verb, verbs[_i].body), 200);
}
END_TEST

START_TEST(an_epoch_is_required_and_at_least_1) /* loop over verbs */
{
    site_assert_invalid(site, lease_site_report(&leased, verbs[_i].verb, verbs[_i].of_epoch_0),
                        "/epoch");
    site_assert_invalid(site, lease_site_report(&leased, verbs[_i].verb, verbs[_i].without),
                        "/epoch");
}
END_TEST

START_TEST(an_unknown_field_is_named) /* loop over verbs */
{
    site_assert_invalid(site, lease_site_report(&leased, verbs[_i].verb, verbs[_i].unknown),
                        "/x");
    site_assert_invalid(site, lease_site_report(&leased, verbs[_i].verb, "[]"), "");
}
END_TEST

START_TEST(an_unknown_task_is_not_found) /* loop over verbs */
{
    site_assert_problem(
        site, lease_site_report_on(&leased, SITE_NO_TASK, verbs[_i].verb, verbs[_i].body), 404,
        "not_found");
    site_assert_problem(
        site, lease_site_report_on(&leased, "nonsense", verbs[_i].verb, verbs[_i].body), 404,
        "not_found");
    site_assert_invalid(
        site, lease_site_report_on(&leased, "nonsense", verbs[_i].verb, verbs[_i].of_epoch_0),
        "/epoch");
}
END_TEST

START_TEST(a_body_must_be_json) /* loop over verbs */
{
    site_assert_problem(site, lease_site_report(&leased, verbs[_i].verb, ""), 400,
                        "malformed_json");
    site_header(site, "Content-Type", "text/plain");
    site_assert_problem(site, lease_site_report(&leased, verbs[_i].verb, verbs[_i].body), 415,
                        "unsupported_media_type");
}
END_TEST

START_TEST(a_query_is_refused) /* loop over verbs */
{
    char verb[32];

    snprintf(verb, sizeof(verb), "%s?epoch=1", verbs[_i].verb);
    site_assert_invalid(site, lease_site_report(&leased, verb, verbs[_i].body), "/epoch");
}
END_TEST

START_TEST(what_is_repeated_is_answered_the_same) /* loop over verbs but the heartbeat */
{
    char first[2048];

    ck_assert_int_eq(lease_site_report(&leased, verbs[_i].verb, verbs[_i].body), 200);
    snprintf(first, sizeof(first), "%s", site_body(site));
    fake_clock_advance(&site->clock, 5);
    ck_assert_int_eq(lease_site_report(&leased, verbs[_i].verb, verbs[_i].body), 200);
    ck_assert_str_eq(site_body(site), first);
}
END_TEST

START_TEST(what_is_repeated_after_another_took_the_task_is_superseded) /* loop: fail, release */
{
    ck_assert_int_eq(lease_site_report(&leased, verbs[_i].verb, verbs[_i].body), 200);
    ck_assert_int_eq(lease_site_report(&leased, "cancel", NULL), 200);
    ck_assert_int_eq(lease_site_report(&leased, "retry", NULL), 200);
    lease_site_lease(&leased, "w2");
    lease_site_assert_stale(&leased, verbs[_i].verb, verbs[_i].body, "superseded");
}
END_TEST

/* A store that fails every call in turn: nothing that is answered may be untrue. */
START_TEST(a_report_that_the_store_did_not_take_can_be_sent_again) /* loop over verbs */
{
    site->leases.plan = (struct fault_plan){ .code = TC_UNAVAILABLE };
    site_assert_problem(site, lease_site_report(&leased, verbs[_i].verb, verbs[_i].body), 503,
                        "unavailable");
    ck_assert_int_eq(lease_site_report(&leased, verbs[_i].verb, verbs[_i].body), 200);
}
END_TEST

START_TEST(a_report_whose_answer_was_lost_can_be_sent_again) /* loop over verbs */
{
    site->leases.plan = (struct fault_plan){ .code = TC_UNKNOWN, .kind = FAULT_AFTER };
    site_assert_problem(site, lease_site_report(&leased, verbs[_i].verb, verbs[_i].body), 503,
                        "unavailable");
    ck_assert_ptr_nonnull(strstr(site_text(site, "detail"), "again is safe"));
    ck_assert_int_eq(lease_site_report(&leased, verbs[_i].verb, verbs[_i].body), 200);
}
END_TEST

/* --- heartbeat */

static void assert_ends(const char *body, const char *end)
{
    ck_assert_int_eq(lease_site_report(&leased, "heartbeat", body), 200);
    ck_assert_str_eq(site_text(site, "lease_expires_at"), end);
}

START_TEST(a_heartbeat_renews_the_lease)
{
    fake_clock_advance(&site->clock, 10000);
    assert_ends("{\"epoch\":1}", "2026-11-21T22:27:20.000Z");
    assert_ends("{\"epoch\":1,\"lease_ms\":1000}", "2026-11-21T22:26:51.000Z");
    assert_ends("{\"epoch\":1,\"lease_ms\":null}", "2026-11-21T22:27:20.000Z");
}
END_TEST

static const char *progress_of_task(void)
{
    char target[80];
    static char expected[64];

    snprintf(target, sizeof(target), SITE_TASKS "/%s", leased.id);
    ck_assert_int_eq(site_get(site, target), 200);

    const char *found = strstr(site_body(site), "\"progress\":");

    snprintf(expected, sizeof(expected), "%s", found);
    *strstr(expected, ",\"lease\"") = '\0';
    return expected;
}

START_TEST(progress_is_kept_as_it_was_written)
{
    ck_assert_int_eq(lease_site_report(&leased, "heartbeat",
                                       "{\"epoch\":1,\"progress\":{\"percent\": 4e1}}"),
                     200);
    ck_assert_int_eq(lease_site_report(&leased, "heartbeat", "{\"epoch\":1}"), 200);
    ck_assert_str_eq(progress_of_task(), "\"progress\":{\"percent\": 4e1}");
}
END_TEST

static const char *const good_progress[] = {
    "{}",
    "{\"percent\":0}",
    "{\"percent\":100}",
    "{\"percent\":99.999}",
    "{\"percent\":1e2}",
    "{\"percent\":null}",
    "{\"step\":{\"percent\":101}}",
    "{\"message\":\"percent\",\"percent\":-0}",
};

START_TEST(progress_is_any_object) /* loop over good_progress */
{
    char body[128];

    snprintf(body, sizeof(body), "{\"epoch\":1,\"progress\":%s}", good_progress[_i]);
    ck_assert_int_eq(lease_site_report(&leased, "heartbeat", body), 200);
}
END_TEST

static const struct {
    const char *progress;
    const char *pointer;
} bad_progress[] = {
    { "7", "/progress" },
    { "[]", "/progress" },
    { "{\"percent\":-1}", "/progress/percent" },
    { "{\"percent\":100.001}", "/progress/percent" },
    { "{\"percent\":1e999}", "/progress/percent" },
    { "{\"percent\":\"40\"}", "/progress/percent" },
    { "{\"percent\":{}}", "/progress/percent" },
    { "{\"a\":1,\"perc\\u0065nt\":true}", "/progress/percent" },
};

START_TEST(a_percentage_is_a_number_0_to_100) /* loop over bad_progress */
{
    char body[128];

    snprintf(body, sizeof(body), "{\"epoch\":1,\"progress\":%s}", bad_progress[_i].progress);
    site_assert_invalid(site, lease_site_report(&leased, "heartbeat", body),
                        bad_progress[_i].pointer);
    ck_assert_str_eq(progress_of_task(), "\"progress\":null");
}
END_TEST

/* A heartbeat whose progress is an object of `len` bytes. */
static const char *beat_of(size_t len)
{
    static char body[8192];
    int begin = snprintf(body, sizeof(body), "{\"epoch\":1,\"progress\":{\"m\":\"");

    memset(body + begin, 'x', len - 8);
    snprintf(body + begin + len - 8, 8, "\"}}");
    return body;
}

START_TEST(progress_is_up_to_4096_bytes)
{
    ck_assert_int_eq(lease_site_report(&leased, "heartbeat", beat_of(4096)), 200);
    site_assert_invalid(site, lease_site_report(&leased, "heartbeat", beat_of(4097)),
                        "/progress");
}
END_TEST

START_TEST(a_heartbeat_needs_a_good_lease_time)
{
    site_assert_invalid(
        site, lease_site_report(&leased, "heartbeat", "{\"epoch\":1,\"lease_ms\":999}"),
        "/lease_ms");
    site_assert_invalid(
        site, lease_site_report(&leased, "heartbeat", "{\"epoch\":1,\"lease_ms\":3600001}"),
        "/lease_ms");
}
END_TEST

#define COUNT_OF(array) ((int)(sizeof(array) / sizeof((array)[0])))

static TCase *make_tcase(const char *name)
{
    TCase *tcase = tcase_create(name);

    tcase_add_checked_fixture(tcase, setup, teardown);
    return tcase;
}

static TCase *all_tcase(void)
{
    TCase *tcase = make_tcase("all");
    const int end = COUNT_OF(verbs);

    tcase_add_loop_test(tcase, an_epoch_that_was_taken_over_is_superseded, 0, end);
    tcase_add_loop_test(tcase, a_cancelled_task_refuses_its_holder, 0, end);
    tcase_add_loop_test(tcase, a_finished_task_refuses_its_holder, 0, end);
    tcase_add_loop_test(tcase, a_task_that_waits_again_refuses_its_holder, 0, end);
    tcase_add_loop_test(tcase, an_epoch_that_was_never_given_is_not_leased, 0, end);
    tcase_add_loop_test(tcase, a_lease_that_ran_out_counts_until_it_is_taken_over, 0, end);
    tcase_add_loop_test(tcase, reports_are_taken_while_the_process_is_being_stopped, 0, end);
    tcase_add_loop_test(tcase, an_epoch_is_required_and_at_least_1, 0, end);
    tcase_add_loop_test(tcase, an_unknown_field_is_named, 0, end);
    tcase_add_loop_test(tcase, an_unknown_task_is_not_found, 0, end);
    tcase_add_loop_test(tcase, a_body_must_be_json, 0, end);
    tcase_add_loop_test(tcase, a_query_is_refused, 0, end);
    tcase_add_loop_test(tcase, what_is_repeated_is_answered_the_same, 1, end);
    tcase_add_loop_test(tcase, what_is_repeated_after_another_took_the_task_is_superseded, 2,
                        end);
    tcase_add_loop_test(tcase, a_report_that_the_store_did_not_take_can_be_sent_again, 0, end);
    tcase_add_loop_test(tcase, a_report_whose_answer_was_lost_can_be_sent_again, 0, end);
    return tcase;
}

static TCase *heartbeat_tcase(void)
{
    TCase *tcase = make_tcase("heartbeat");

    tcase_add_test(tcase, a_heartbeat_renews_the_lease);
    tcase_add_test(tcase, progress_is_kept_as_it_was_written);
    tcase_add_loop_test(tcase, progress_is_any_object, 0, COUNT_OF(good_progress));
    tcase_add_loop_test(tcase, a_percentage_is_a_number_0_to_100, 0, COUNT_OF(bad_progress));
    tcase_add_test(tcase, progress_is_up_to_4096_bytes);
    tcase_add_test(tcase, a_heartbeat_needs_a_good_lease_time);
    return tcase;
}

static Suite *reports_suite(void)
{
    Suite *suite = suite_create("http_reports");

    suite_add_tcase(suite, all_tcase());
    suite_add_tcase(suite, heartbeat_tcase());
    return suite;
}

int main(void)
{
    return run_suite(reports_suite());
}
