#include "tests/adapters/http_site.h"
#include "tests/support/run_suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One task: GET, its status, the wait, and how each of its members is written. */

#define PAYLOAD "{\"payload\":\"p\"}"

static struct site site;

static void setup(void)
{
    site_open(&site);
}

static void teardown(void)
{
    site_close(&site);
}

static int get(const char *id, const char *suffix)
{
    char target[256];

    snprintf(target, sizeof(target), SITE_TASKS "/%s%s", id, suffix);
    return site_get(&site, target);
}

/* The task whose run has ended so. */
static void read_after(const struct tc_outcome *outcome)
{
    const char *id = site_create(&site, PAYLOAD);

    site_finish(&site, outcome);
    ck_assert_int_eq(get(id, ""), 200);
}

static void assert_body_has(const char *text)
{
    ck_assert_msg(strstr(site_body(&site), text) != NULL, "no %s in %s", text,
                  site_body(&site));
}

START_TEST(reads_a_task)
{
    const char *id = site_create(&site, PAYLOAD);

    ck_assert_int_eq(get(id, ""), 200);
    ck_assert_str_eq(site_text(&site, "id"), id);
    ck_assert_str_eq(site.response.route, SITE_TASKS "/{id}");
    ck_assert(site.response.has_task_id);
}
END_TEST

START_TEST(reads_an_id_in_upper_case_and_writes_it_in_lower)
{
    const char *id = site_create(&site, PAYLOAD);
    char upper[TC_ID_TEXT_SIZE];

    for (size_t i = 0; i < sizeof(upper); i++)
        upper[i] = id[i] >= 'a' && id[i] <= 'f' ? (char)(id[i] - 'a' + 'A') : id[i];
    ck_assert_int_eq(get(upper, ""), 200);
    ck_assert_str_eq(site_text(&site, "id"), id);
}
END_TEST

static const char *const unknown[] = {
    SITE_NO_TASK,
    SITE_NO_TASK "?wait_ms=1000",
    SITE_NO_TASK "/status",
    "1",
    "x/status",
    "%20",
    "%2e%2e",
    SITE_NO_TASK "0",
    "0000000000007000800000000000000",
    "{00000000-0000-7000-8000-00000000000}",
    "00000000-0000-7000-8000-00000000000g",
};

START_TEST(an_unknown_task_is_404)
{
    site_assert_problem(&site, get(unknown[_i], ""), 404, "not_found");
    ck_assert_uint_eq(site.events.waits, 0);
}
END_TEST

START_TEST(reads_the_status_alone)
{
    const char *id = site_create(&site, PAYLOAD);
    char expected[128];

    ck_assert_int_eq(get(id, "/status"), 200);
    snprintf(expected, sizeof(expected), "{\"id\":\"%s\",\"status\":\"new\"}", id);
    ck_assert_str_eq(site_body(&site), expected);
    ck_assert_str_eq(site.response.route, SITE_TASKS "/{id}/status");
}
END_TEST

static void finish_it(void *ctx)
{
    struct site *where = ctx;

    where->events.during = NULL;
    site_finish(where, &(struct tc_outcome){ .kind = TC_OUTCOME_DONE, .next = TC_STATUS_DONE });
}

START_TEST(a_wait_answers_when_the_task_ends)
{
    const char *id = site_create(&site, PAYLOAD);

    site.events.during = finish_it;
    site.events.during_ctx = &site;
    ck_assert_int_eq(get(id, "?wait_ms=20000"), 200);
    ck_assert_str_eq(site_text(&site, "status"), "done");
}
END_TEST

START_TEST(a_wait_ends_with_what_the_task_is)
{
    int64_t began_ms = site.clock.tick_ms;

    ck_assert_int_eq(get(site_create(&site, PAYLOAD), "?wait_ms=1500"), 200);
    ck_assert_str_eq(site_text(&site, "status"), "new");
    ck_assert_int_eq(site.clock.tick_ms - began_ms, 1500);
}
END_TEST

START_TEST(a_wait_of_zero_is_none)
{
    ck_assert_int_eq(get(site_create(&site, PAYLOAD), "?wait_ms=0"), 200);
    ck_assert_uint_eq(site.events.waits, 0);
}
END_TEST

START_TEST(a_wait_for_an_ended_task_answers_at_once)
{
    const char *id = site_create(&site, PAYLOAD);

    site_finish(&site, &(struct tc_outcome){ .kind = TC_OUTCOME_DONE, .next = TC_STATUS_DONE });
    ck_assert_int_eq(get(id, "?wait_ms=20000"), 200);
    ck_assert_uint_eq(site.events.waits, 0);
}
END_TEST

START_TEST(without_a_thread_to_spare_a_wait_answers_at_once)
{
    site.may_wait = false;
    ck_assert_int_eq(get(site_create(&site, PAYLOAD), "?wait_ms=20000"), 200);
    ck_assert_uint_eq(site.events.waits, 0);
}
END_TEST

START_TEST(a_draining_process_keeps_nobody_waiting)
{
    const char *id = site_create(&site, PAYLOAD);

    site.services.draining = true;
    ck_assert_int_eq(get(id, "?wait_ms=20000"), 200);
    ck_assert_uint_eq(site.events.waits, 0);
}
END_TEST

static const char *const bad_queries[] = {
    "?wait_ms=-1",  "?wait_ms=20001",       "?wait_ms=x",   "?wait_ms=",
    "?wait_ms",     "?wait_ms=1.0",         "?wait_ms=1e3", "?wait_ms=%31%00",
    "?wait_ms=01",  "?wait_ms=1&wait_ms=1", "?wait_ms=+1",  "?wait_ms=99999999999999999999",
    "?wait_ms=%zz", "?wait_ms=%f",          "?wait_ms=%ff",
};

START_TEST(a_bad_wait_is_refused)
{
    site_assert_invalid(&site, get(SITE_NO_TASK, bad_queries[_i]), "/wait_ms");
}
END_TEST

START_TEST(waits_at_the_limits_are_taken)
{
    const char *id = site_create(&site, PAYLOAD);

    ck_assert_int_eq(get(id, "?wait_ms=20000"), 200);
    ck_assert_int_eq(get(id, "/?wait_ms=1"), 200);
    ck_assert_int_eq(get(id, "?%77ait_ms=%31"), 200);
}
END_TEST

START_TEST(a_running_task_has_a_lease)
{
    const char *id = site_create(&site, PAYLOAD);
    struct tc_task task = site_claim(&site);

    tc_task_release(&task);
    ck_assert_int_eq(get(id, ""), 200);
    assert_body_has("\"status\":\"processing\"");
    assert_body_has("\"attempt\":1");
    assert_body_has("\"lease\":{\"owner\":\"w1\",\"epoch\":1,"
                    "\"expires_at\":\"2026-11-21T22:27:10.000Z\"}");
    assert_body_has("\"started_at\":\"" SITE_NOW_TEXT "\",\"finished_at\":null");
}
END_TEST

START_TEST(a_done_task_has_no_lease_and_an_end)
{
    read_after(&(struct tc_outcome){ .kind = TC_OUTCOME_DONE, .next = TC_STATUS_DONE });
    assert_body_has("\"status\":\"done\"");
    assert_body_has("\"result\":null,\"error\":null,\"progress\":null,\"lease\":null");
    assert_body_has("\"finished_at\":\"" SITE_NOW_TEXT "\"");
}
END_TEST

static const struct {
    enum tc_content_kind kind;
    struct tc_bytes bytes;
    const char *text;
} results[] = {
    { TC_CONTENT_JSON, { "{\"a\": 1.50}", 11 }, "\"result\":{\"a\": 1.50},\"error\"" },
    { TC_CONTENT_JSON, { "null", 4 }, "\"result\":null,\"error\"" },
    { TC_CONTENT_TEXT,
      { "a \"b\"\n\x01\xC3\xA9", 9 },
      "\"result\":\"a \\\"b\\\"\\n\\u0001\xC3\xA9\",\"error\"" },
    { TC_CONTENT_TEXT, { "", 0 }, "\"result\":\"\",\"error\"" },
    { TC_CONTENT_BYTES,
      { "\xFF\0\x01", 3 },
      "\"result\":null,\"result_b64\":\"/wAB\",\"error\"" },
    { TC_CONTENT_BYTES, { "\xFF\0", 2 }, "\"result\":null,\"result_b64\":\"/wA=\",\"error\"" },
    { TC_CONTENT_BYTES, { "\xFF", 1 }, "\"result\":null,\"result_b64\":\"/w==\",\"error\"" },
};

START_TEST(a_result_is_written_by_its_kind)
{
    read_after(&(struct tc_outcome){ .kind = TC_OUTCOME_DONE,
                                     .next = TC_STATUS_DONE,
                                     .result = { results[_i].kind, results[_i].bytes } });
    assert_body_has(results[_i].text);
}
END_TEST

START_TEST(a_failed_task_says_why)
{
    read_after(&(struct tc_outcome){
        .kind = TC_OUTCOME_FAILED,
        .next = TC_STATUS_FAILED,
        .error = { TC_REASON_TIMEOUT, 1, SITE_NOW, { "too \"slow\"", 10 } } });
    assert_body_has("\"error\":{\"message\":\"too \\\"slow\\\"\",\"reason\":\"timeout\","
                    "\"attempt\":1,\"at\":\"" SITE_NOW_TEXT "\"}");
    assert_body_has("\"status\":\"failed\"");
}
END_TEST

START_TEST(a_failed_task_may_carry_a_result)
{
    read_after(&(struct tc_outcome){
        .kind = TC_OUTCOME_FAILED,
        .next = TC_STATUS_FAILED,
        .result = { TC_CONTENT_TEXT, { "error", 5 } },
        .error = { TC_REASON_NOT_RETRYABLE, 1, SITE_NOW, { "odd", 3 } } });
    assert_body_has("\"result\":\"error\",\"error\":{\"message\":\"odd\",");
}
END_TEST

START_TEST(a_waiting_task_keeps_its_last_error)
{
    read_after(&(struct tc_outcome){ .kind = TC_OUTCOME_AGAIN,
                                     .next = TC_STATUS_SCHEDULED,
                                     .run_at_ms = SITE_NOW + 4000,
                                     .error = { TC_REASON_HANDLER, 1, SITE_NOW, { "x", 1 } } });
    assert_body_has("\"status\":\"scheduled\"");
    assert_body_has("\"run_at\":\"2026-11-21T22:26:44.000Z\"");
    assert_body_has("\"error\":{\"message\":\"x\",\"reason\":\"handler\"");
}
END_TEST

START_TEST(progress_is_written_as_it_was_told)
{
    const char *id = site_create(&site, PAYLOAD);
    struct tc_task task = site_claim(&site);
    struct tc_lease_repo *leases = memory_store_lease_repo(site.store);
    const struct tc_renewal renewal = { .id = task.id,
                                        .epoch = task.epoch,
                                        .progress = tc_bytes_of("{\"percent\": 40}") };
    struct tc_renewed renewed;

    ck_assert_int_eq(leases->ops->extend(leases, &renewal, 1, &renewed, NULL), TC_OK);
    tc_task_release(&task);
    get(id, "");
    assert_body_has("\"progress\":{\"percent\": 40},\"lease\":{");
}
END_TEST

START_TEST(a_payload_that_is_no_json_is_written_by_its_kind)
{
    struct tc_task_repo *repo = memory_store_task_repo(site.store);
    struct tc_task task = { .id = tc_id_make(SITE_NOW, 0, 1),
                            .status = TC_STATUS_NEW,
                            .queue = "q",
                            .type = "t",
                            .payload = { TC_CONTENT_BYTES, { "\0\xFF", 2 } },
                            .created_at_ms = SITE_NOW };
    const struct tc_creation creation = { .tasks = &task, .task_count = 1 };
    struct tc_inserted inserted = { 0 };
    char id[TC_ID_TEXT_SIZE];

    ck_assert_int_eq(repo->ops->insert(repo, &creation, 1, &inserted, NULL), TC_OK);
    tc_inserted_release(&inserted);
    tc_id_format(&task.id, id);
    get(id, "");
    assert_body_has("\"payload\":null,\"payload_b64\":\"AP8=\",\"status\"");
}
END_TEST

START_TEST(a_store_that_is_away_is_503)
{
    site.repo.plan = (struct fault_plan){ .code = TC_UNAVAILABLE };
    site_assert_problem(&site, get(SITE_NO_TASK, ""), 503, "unavailable");
}
END_TEST

START_TEST(reading_goes_on_while_draining)
{
    const char *id = site_create(&site, PAYLOAD);

    site.services.draining = true;
    ck_assert_int_eq(get(id, ""), 200);
    ck_assert_int_eq(get(id, "/status"), 200);
}
END_TEST

#define COUNT_OF(array) ((int)(sizeof(array) / sizeof((array)[0])))

static Suite *read_suite(void)
{
    Suite *suite = suite_create("http_read");
    TCase *tcase = tcase_create("read");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, reads_a_task);
    tcase_add_test(tcase, reads_an_id_in_upper_case_and_writes_it_in_lower);
    tcase_add_loop_test(tcase, an_unknown_task_is_404, 0, COUNT_OF(unknown));
    tcase_add_test(tcase, reads_the_status_alone);
    tcase_add_test(tcase, a_wait_answers_when_the_task_ends);
    tcase_add_test(tcase, a_wait_ends_with_what_the_task_is);
    tcase_add_test(tcase, a_wait_of_zero_is_none);
    tcase_add_test(tcase, a_wait_for_an_ended_task_answers_at_once);
    tcase_add_test(tcase, without_a_thread_to_spare_a_wait_answers_at_once);
    tcase_add_test(tcase, a_draining_process_keeps_nobody_waiting);
    tcase_add_loop_test(tcase, a_bad_wait_is_refused, 0, COUNT_OF(bad_queries));
    tcase_add_test(tcase, waits_at_the_limits_are_taken);
    tcase_add_test(tcase, a_running_task_has_a_lease);
    tcase_add_test(tcase, a_done_task_has_no_lease_and_an_end);
    tcase_add_loop_test(tcase, a_result_is_written_by_its_kind, 0, COUNT_OF(results));
    tcase_add_test(tcase, a_failed_task_says_why);
    tcase_add_test(tcase, a_failed_task_may_carry_a_result);
    tcase_add_test(tcase, a_waiting_task_keeps_its_last_error);
    tcase_add_test(tcase, progress_is_written_as_it_was_told);
    tcase_add_test(tcase, a_payload_that_is_no_json_is_written_by_its_kind);
    tcase_add_test(tcase, a_store_that_is_away_is_503);
    tcase_add_test(tcase, reading_goes_on_while_draining);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(read_suite());
}
