#include "tests/adapters/http_site.h"
#include "tests/support/run_suite.h"

#include <stdio.h>
#include <string.h>

/* Cancel and retry. */

static struct site site;

static void setup(void)
{
    site_open(&site);
}

static void teardown(void)
{
    site_close(&site);
}

static const struct {
    const char *method;
    const char *suffix;
} ways[] = {
    { "DELETE", "" }, { "DELETE", "/" }, { "POST", "/cancel" }, { "POST", "/cancel/" }
};

static int change(const char *method, const char *id, const char *suffix, const char *body)
{
    char target[128];

    snprintf(target, sizeof(target), SITE_TASKS "/%s%s", id, suffix);
    return site_send(&site, method, target, body);
}

static int cancel(const char *id, int way)
{
    return change(ways[way].method, id, ways[way].suffix, NULL);
}

static int retry(const char *id)
{
    return change("POST", id, "/retry", NULL);
}

static const char *create(void)
{
    return site_create(&site, "{\"payload\":1}");
}

static const char *create_failed(void)
{
    const char *id = create();

    site_finish(
        &site, &(struct tc_outcome){ .kind = TC_OUTCOME_FAILED,
                                     .next = TC_STATUS_FAILED,
                                     .error = { TC_REASON_HANDLER, 1, SITE_NOW, { "x", 1 } } });
    return id;
}

static const char *create_done(void)
{
    const char *id = create();

    site_finish(&site, &(struct tc_outcome){ .kind = TC_OUTCOME_DONE, .next = TC_STATUS_DONE });
    return id;
}

START_TEST(a_waiting_task_is_cancelled)
{
    ck_assert_int_eq(cancel(create(), _i), 200);
    ck_assert_str_eq(site_text(&site, "status"), "cancelled");
    ck_assert_str_eq(site_text(&site, "finished_at"), SITE_NOW_TEXT);
}
END_TEST

START_TEST(a_cancelled_task_is_cancelled_again)
{
    const char *id = create();

    ck_assert_int_eq(cancel(id, _i), 200);
    ck_assert_int_eq(cancel(id, _i), 200);
    ck_assert_str_eq(site_text(&site, "status"), "cancelled");
}
END_TEST

START_TEST(a_running_task_is_cancelled_at_once)
{
    const char *id = create();
    struct tc_task task = site_claim(&site);

    ck_assert_int_eq(cancel(id, _i), 200);
    ck_assert_str_eq(site_text(&site, "status"), "cancelled");
    ck_assert(cJSON_IsNull(site_at(&site, "lease")));
    ck_assert(fake_events_saw(&site.events, &task.id));
    tc_task_release(&task);
}
END_TEST

START_TEST(a_scheduled_task_is_cancelled)
{
    ck_assert_int_eq(cancel(site_create(&site, "{\"payload\":1,\"delay_ms\":9}"), _i), 200);
}
END_TEST

START_TEST(a_done_task_cannot_be_cancelled)
{
    site_assert_problem(&site, cancel(create_done(), _i), 409, "invalid_transition");
    ck_assert_str_eq(site_text(&site, "detail"), "a task that is done cannot be cancelled");
}
END_TEST

START_TEST(a_failed_task_cannot_be_cancelled)
{
    site_assert_problem(&site, cancel(create_failed(), _i), 409, "invalid_transition");
}
END_TEST

START_TEST(an_unknown_task_cannot_be_cancelled)
{
    site_assert_problem(&site, cancel(SITE_NO_TASK, _i), 404, "not_found");
    site_assert_problem(&site, cancel("nonsense", _i), 404, "not_found");
}
END_TEST

START_TEST(a_failed_task_runs_anew)
{
    const char *id = create_failed();

    ck_assert_int_eq(retry(id), 200);
    ck_assert_str_eq(site_text(&site, "status"), "new");
    ck_assert(site_number(&site, "attempt") == 0);
    ck_assert(site_number(&site, "epoch") == 1);
    ck_assert(cJSON_IsNull(site_at(&site, "error")));
    ck_assert(cJSON_IsNull(site_at(&site, "finished_at")));
    ck_assert_uint_eq(site.queue.count, 2);
}
END_TEST

START_TEST(a_cancelled_task_runs_anew)
{
    const char *id = create();

    cancel(id, 0);
    ck_assert_int_eq(change("POST", id, "/retry/", NULL), 200);
    ck_assert_str_eq(site_text(&site, "status"), "new");
}
END_TEST

START_TEST(only_failed_and_cancelled_tasks_run_anew)
{
    const char *id = create();

    site_assert_problem(&site, retry(id), 409, "invalid_transition");

    struct tc_task task = site_claim(&site);

    site_assert_problem(&site, retry(id), 409, "invalid_transition");
    tc_task_release(&task);
    site_assert_problem(&site, retry(create_done()), 409, "invalid_transition");
    ck_assert_str_eq(site_text(&site, "detail"), "a task that is done cannot be retried");
}
END_TEST

START_TEST(an_unknown_task_cannot_run_anew)
{
    site_assert_problem(&site, retry(SITE_NO_TASK), 404, "not_found");
    site_assert_problem(&site, retry("x"), 404, "not_found");
}
END_TEST

static const char *const bodies[] = { "{}", "{", "not json", "{\"payload\":1}" };

START_TEST(a_body_is_ignored)
{
    const char *id = create();

    site_header(&site, "Content-Type", "text/plain");
    ck_assert_int_eq(change("POST", id, "/cancel", bodies[_i]), 200);
    site_header(&site, "Content-Type", "text/plain");
    ck_assert_int_eq(change("POST", id, "/retry", bodies[_i]), 200);
    ck_assert_int_eq(change("DELETE", id, "", bodies[_i]), 200);
}
END_TEST

START_TEST(an_ignored_body_is_bounded)
{
    static char body[64 * 1024 + 2];
    const char *id = create();

    memset(body, 'x', sizeof(body) - 1);
    ck_assert_uint_eq(http_body_limit(&site.services, "POST", SITE_TASKS "/x/cancel"),
                      sizeof(body) - 2);
    site_assert_problem(&site, change("POST", id, "/cancel", body), 413, "payload_too_large");
    ck_assert_int_eq(change("POST", id, "/cancel", body + 1), 200);
}
END_TEST

START_TEST(a_query_is_refused_and_changes_nothing)
{
    const char *id = create();

    site_assert_invalid(&site, change("DELETE", id, "?x=1", NULL), "/x");
    site_assert_invalid(&site, change("POST", id, "/cancel?force=1", NULL), "/force");
    site_assert_invalid(&site, change("POST", id, "/retry?x", NULL), "/x");
    ck_assert_int_eq(change("GET", id, "", NULL), 200);
    ck_assert_str_eq(site_text(&site, "status"), "new");
}
END_TEST

START_TEST(changes_go_on_while_draining)
{
    const char *id = create();

    site.services.draining = true;
    ck_assert_int_eq(cancel(id, 0), 200);
    ck_assert_int_eq(retry(id), 200);
}
END_TEST

START_TEST(a_lost_answer_of_a_cancel_says_that_again_is_safe)
{
    const char *id = create();

    site.repo.plan = (struct fault_plan){ .code = TC_UNKNOWN, .kind = FAULT_AFTER };
    site_assert_problem(&site, cancel(id, 0), 503, "unavailable");
    ck_assert_ptr_nonnull(strstr(site_text(&site, "detail"), "may be cancelled"));
    ck_assert_int_eq(cancel(id, 0), 200);
}
END_TEST

START_TEST(a_lost_answer_of_a_retry_says_to_look)
{
    const char *id = create_failed();

    site.repo.plan = (struct fault_plan){ .code = TC_UNKNOWN, .kind = FAULT_AFTER };
    site_assert_problem(&site, retry(id), 503, "unavailable");
    ck_assert_ptr_nonnull(strstr(site_text(&site, "detail"), "look"));
}
END_TEST

#define COUNT_OF(array) ((int)(sizeof(array) / sizeof((array)[0])))

static Suite *change_suite(void)
{
    Suite *suite = suite_create("http_change");
    TCase *tcase = tcase_create("change");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, a_waiting_task_is_cancelled, 0, COUNT_OF(ways));
    tcase_add_loop_test(tcase, a_cancelled_task_is_cancelled_again, 0, COUNT_OF(ways));
    tcase_add_loop_test(tcase, a_running_task_is_cancelled_at_once, 0, COUNT_OF(ways));
    tcase_add_loop_test(tcase, a_scheduled_task_is_cancelled, 0, COUNT_OF(ways));
    tcase_add_loop_test(tcase, a_done_task_cannot_be_cancelled, 0, COUNT_OF(ways));
    tcase_add_loop_test(tcase, a_failed_task_cannot_be_cancelled, 0, COUNT_OF(ways));
    tcase_add_loop_test(tcase, an_unknown_task_cannot_be_cancelled, 0, COUNT_OF(ways));
    tcase_add_test(tcase, a_failed_task_runs_anew);
    tcase_add_test(tcase, a_cancelled_task_runs_anew);
    tcase_add_test(tcase, only_failed_and_cancelled_tasks_run_anew);
    tcase_add_test(tcase, an_unknown_task_cannot_run_anew);
    tcase_add_loop_test(tcase, a_body_is_ignored, 0, COUNT_OF(bodies));
    tcase_add_test(tcase, an_ignored_body_is_bounded);
    tcase_add_test(tcase, a_query_is_refused_and_changes_nothing);
    tcase_add_test(tcase, changes_go_on_while_draining);
    tcase_add_test(tcase, a_lost_answer_of_a_cancel_says_that_again_is_safe);
    tcase_add_test(tcase, a_lost_answer_of_a_retry_says_to_look);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(change_suite());
}
