#include "adapters/demo/demo_handlers.h"
#include "core/domain/container_of.h"
#include "ports/ids.h"
#include "tests/support/fakes.h"
#include "tests/support/run_suite.h"

#include <signal.h>
#include <string.h>

/* A worker that runs a handler on this thread: it keeps the time slept, and may say stop. */
struct fake_run {
    struct tc_run base;
    int64_t slept_ms;
    enum tc_stop_reason stop;
};

static struct fake_clock clock_;
static struct fake_ids ids;
static struct demo_handlers *handlers;
static struct fake_run run;
static struct tc_task task;
static struct tc_report report;
static struct tc_error err;

static enum tc_stop_reason should_stop(struct tc_run *base)
{
    return TC_CONTAINER_OF(base, struct fake_run, base)->stop;
}

static void sleep_ms(struct tc_run *base, int64_t ms)
{
    TC_CONTAINER_OF(base, struct fake_run, base)->slept_ms += ms;
}

static bool progress(struct tc_run *base, struct tc_bytes json)
{
    (void)base;
    (void)json;
    return true;
}

static void log_line(struct tc_run *base, const char *message)
{
    (void)base;
    (void)message;
}

static const struct tc_run_ops run_ops = { should_stop, sleep_ms, progress, log_line };

static void open_with(int64_t min_ms, int64_t max_ms)
{
    struct demo_config config = { min_ms, max_ms, &ids.base };

    demo_handlers_close(handlers);
    handlers = NULL;
    ck_assert_int_eq(demo_handlers_open(&config, &handlers, &err), TC_OK);
}

static void setup(void)
{
    fake_clock_init(&clock_, 1000);
    fake_ids_init(&ids, &clock_.base);
    run = (struct fake_run){ .base = { .ops = &run_ops, .task = &task } };
    task = (struct tc_task){ 0 };
    report = tc_report_done();
    handlers = NULL;
    open_with(0, 0);
}

static void teardown(void)
{
    tc_report_release(&report);
    demo_handlers_close(handlers);
}

static struct tc_handler *find(const char *type)
{
    size_t count;
    const struct tc_handler_entry *entries = demo_handlers_entries(handlers, &count);

    for (size_t i = 0; i < count; i++)
        if (strcmp(entries[i].type, type) == 0)
            return entries[i].handler;
    ck_abort_msg("no handler '%s'", type);
}

static void run_it(const char *type, enum tc_content_kind kind, const char *payload)
{
    struct tc_handler *handler = find(type);

    task.payload = (struct tc_content){ kind, tc_bytes_of(payload) };
    handler->ops->run(handler, &run.base, &report);
}

static void assert_result(const char *text)
{
    struct tc_content wanted = { TC_CONTENT_TEXT, tc_bytes_of(text) };

    ck_assert_msg(tc_content_equals(&report.result, &wanted), "'%.*s' is not '%s'",
                  (int)report.result.bytes.len, (const char *)report.result.bytes.data, text);
}

static const struct {
    const char *why;
    enum tc_content_kind kind;
    const char *payload;
    const char *result;
} processed[] = {
    { "a string's value", TC_CONTENT_JSON, "\"test task\"", "processed: test task (0sec)" },
    { "an object's text", TC_CONTENT_JSON, "{\"a\": 1}", "processed: {\"a\": 1} (0sec)" },
    { "a number's text", TC_CONTENT_JSON, "1.50", "processed: 1.50 (0sec)" },
    { "null", TC_CONTENT_JSON, "null", "processed: null (0sec)" },
    { "short escapes", TC_CONTENT_JSON, "\"a\\n\\t\\\"\\\\\\/\\b\\f\\r\"",
      "processed: a\n\t\"\\/\b\f\r (0sec)" },
    { "an escaped character", TC_CONTENT_JSON, "\"\\u00fC\\u20ac\"",
      "processed: \xc3\xbc\xe2\x82\xac (0sec)" },
    { "a surrogate pair", TC_CONTENT_JSON, "\"\\uD83D\\uDE00!\"",
      "processed: \xf0\x9f\x98\x80! (0sec)" },
    { "text", TC_CONTENT_TEXT, "\"plain\"", "processed: \"plain\" (0sec)" },
    { "bytes", TC_CONTENT_BYTES, "\xff\xfe", "processed: (bytes) (0sec)" },
    { "a broken escape stays as it is", TC_CONTENT_JSON, "\"\\q\"",
      "processed: \"\\q\" (0sec)" },
    { "a lone surrogate stays as it is", TC_CONTENT_JSON, "\"\\ud83d\"",
      "processed: \"\\ud83d\" (0sec)" },
    { "no payload", TC_CONTENT_NONE, "", "processed:  (0sec)" },
};

START_TEST(process_answers_with_its_payload)
{
    run_it("demo.process", processed[_i].kind, processed[_i].payload);
    ck_assert_int_eq(report.kind, TC_REPORT_DONE);
    assert_result(processed[_i].result);
    ck_assert_int_eq(run.slept_ms, 0);
}
END_TEST

START_TEST(process_waits_whole_seconds_within_the_bounds)
{
    static const uint64_t script[] = { 0, 1, 2, 3, UINT64_MAX };
    static const int64_t slept[] = { 2000, 3000, 4000, 5000, 5000 };

    ids.script = &script[_i];
    ids.script_len = 1;
    open_with(2000, 5000);
    run_it("demo.process", TC_CONTENT_JSON, "\"x\"");
    ck_assert_int_eq(run.slept_ms, slept[_i]);
}
END_TEST

START_TEST(process_tells_the_seconds_it_took)
{
    open_with(1000, 1000);
    run_it("demo.process", TC_CONTENT_JSON, "\"test task\"");
    assert_result("processed: test task (1sec)");
}
END_TEST

START_TEST(a_stopped_process_gives_the_task_back)
{
    run.stop = TC_STOP_SHUTDOWN;
    run_it("demo.process", TC_CONTENT_JSON, "\"x\"");
    ck_assert_int_eq(report.kind, TC_REPORT_RELEASED);
}
END_TEST

START_TEST(an_even_number_of_characters_succeeds)
{
    run_it("demo.parity", TC_CONTENT_JSON, "\"\\u00fc\xc3\xbc\"");
    ck_assert_int_eq(report.kind, TC_REPORT_DONE);
    assert_result("success");
}
END_TEST

START_TEST(an_odd_number_of_characters_fails_for_good)
{
    run_it("demo.parity", TC_CONTENT_JSON, "\"abc\"");
    ck_assert_int_eq(report.kind, TC_REPORT_FAILED);
    ck_assert(!report.retryable);
    assert_result("error");
}
END_TEST

START_TEST(noop_succeeds_without_a_result)
{
    run_it("demo.noop", TC_CONTENT_JSON, "\"x\"");
    ck_assert_int_eq(report.kind, TC_REPORT_DONE);
    ck_assert_int_eq(report.result.kind, TC_CONTENT_NONE);
}
END_TEST

START_TEST(fail_fails_and_may_be_tried_again)
{
    run_it("demo.fail", TC_CONTENT_JSON, "\"x\"");
    ck_assert_int_eq(report.kind, TC_REPORT_FAILED);
    ck_assert(report.retryable);
    ck_assert_int_eq(report.reason, TC_REASON_HANDLER);
}
END_TEST

START_TEST(crash_kills_its_process)
{
    run_it("demo.crash", TC_CONTENT_JSON, "\"x\"");
}
END_TEST

static const struct demo_config bad[] = {
    { -1000, 1000, NULL }, { 2000, 1000, NULL }, { 0, 1500, NULL }, { 500, 1000, NULL }
};

START_TEST(bounds_that_are_no_whole_seconds_are_refused)
{
    struct demo_handlers *none;

    ck_assert_int_eq(demo_handlers_open(&bad[_i], &none, &err), TC_INVALID);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("demo_handlers");
    TCase *tcase = tcase_create("handlers");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, process_answers_with_its_payload, 0,
                        sizeof(processed) / sizeof(processed[0]));
    tcase_add_loop_test(tcase, process_waits_whole_seconds_within_the_bounds, 0, 5);
    tcase_add_test(tcase, process_tells_the_seconds_it_took);
    tcase_add_test(tcase, a_stopped_process_gives_the_task_back);
    tcase_add_test(tcase, an_even_number_of_characters_succeeds);
    tcase_add_test(tcase, an_odd_number_of_characters_fails_for_good);
    tcase_add_test(tcase, noop_succeeds_without_a_result);
    tcase_add_test(tcase, fail_fails_and_may_be_tried_again);
    tcase_add_test_raise_signal(tcase, crash_kills_its_process, SIGKILL);
    tcase_add_loop_test(tcase, bounds_that_are_no_whole_seconds_are_refused, 0, 4);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
