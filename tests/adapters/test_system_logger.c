#include "adapters/system/system_logger.h"
#include "tests/support/fakes.h"
#include "tests/support/run_suite.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define NOW_MS INT64_C(1767225600042) /* 2026-01-01T00:00:00.042Z */

static struct fake_clock clock_;
static struct tc_logger *logger;
static struct tc_error err;
static int pipe_ends[2];
static char line[8192];
static const struct tc_id task_id = { { 1, 2, 3 } };

static void open_logger(enum system_log_format format, const char *name)
{
    struct system_logger_config config = { .fd = pipe_ends[1],
                                           .format = format,
                                           .threshold = TC_LOG_INFO,
                                           .clock = &clock_.base,
                                           .name = name };

    ck_assert_int_eq(system_logger_open(&config, &logger, &err), TC_OK);
}

static void setup(void)
{
    fake_clock_init(&clock_, NOW_MS);
    ck_assert_int_eq(pipe(pipe_ends), 0);
    fcntl(pipe_ends[0], F_SETFL, O_NONBLOCK);
}

static void teardown(void)
{
    system_logger_close(logger);
    close(pipe_ends[0]);
    close(pipe_ends[1]);
}

/* What one write() put into the pipe; empty: nothing. */
static const char *written(void)
{
    ssize_t len = read(pipe_ends[0], line, sizeof(line) - 1);

    line[len > 0 ? len : 0] = '\0';
    return line;
}

static const char *message_as(enum system_log_format format, const char *message)
{
    open_logger(format, NULL);
    logger->ops->write(logger, TC_LOG_INFO, NULL, message);
    return written();
}

START_TEST(a_text_line_has_time_level_name_message_and_subject)
{
    struct tc_log_subject subject = { .request_id = "r-1", .task_id = &task_id };

    open_logger(SYSTEM_LOG_TEXT, "taskapi");
    tc_log(logger, TC_LOG_WARN, &subject, "disk at %d %%", 90);
    ck_assert_str_eq(written(),
                     "2026-01-01T00:00:00.042Z WARN taskapi: disk at 90 % "
                     "request_id=r-1 task_id=01020300-0000-0000-0000-000000000000\n");
}
END_TEST

START_TEST(a_text_line_without_subject_ends_with_the_message)
{
    ck_assert_str_eq(message_as(SYSTEM_LOG_TEXT, "started"),
                     "2026-01-01T00:00:00.042Z INFO started\n");
}
END_TEST

START_TEST(a_json_line_is_one_object)
{
    struct tc_log_subject subject = { .request_id = "r-1", .task_id = &task_id };

    open_logger(SYSTEM_LOG_JSON, "taskapi");
    tc_log(logger, TC_LOG_ERROR, &subject, "no");
    ck_assert_str_eq(written(),
                     "{\"time\":\"2026-01-01T00:00:00.042Z\",\"level\":\"error\","
                     "\"name\":\"taskapi\",\"message\":\"no\",\"request_id\":\"r-1\","
                     "\"task_id\":\"01020300-0000-0000-0000-000000000000\"}\n");
}
END_TEST

static const struct {
    const char *why;
    const char *message;
    const char *text;
    const char *json;
} escapes[] = {
    { "a line end would forge a line", "a\nb", "a\\u000ab", "a\\u000ab" },
    { "an escape sequence would act on a terminal", "\x1b[2J", "\\u001b[2J", "\\u001b[2J" },
    { "DEL", "\x7f", "\\u007f", "\\u007f" },
    { "C1 control", "\xc2\x9b", "\\u009b", "\\u009b" },
    { "right-to-left override", "\xe2\x80\xae", "\\u202e", "\\u202e" },
    { "isolate", "\xe2\x81\xa6", "\\u2066", "\\u2066" },
    { "line separator", "\xe2\x80\xa8", "\\u2028", "\\u2028" },
    { "a quote would end the string", "\"", "\"", "\\\"" },
    { "a backslash would start an escape", "\\", "\\\\", "\\\\" },
    { "a lone byte is no UTF-8", "\xff", "\\ufffd", "\\ufffd" },
    { "a cut character is no UTF-8", "\xe2\x82", "\\ufffd\\ufffd", "\\ufffd\\ufffd" },
    { "an overlong form is no UTF-8", "\xc0\xaf", "\\ufffd\\ufffd", "\\ufffd\\ufffd" },
    { "a surrogate is no UTF-8", "\xed\xa0\x80", "\\ufffd\\ufffd\\ufffd",
      "\\ufffd\\ufffd\\ufffd" },
    { "other characters stay", "gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80",
      "gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80", "gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80" },
};

START_TEST(nothing_hostile_gets_into_a_text_line)
{
    char wanted[200];

    snprintf(wanted, sizeof(wanted), "2026-01-01T00:00:00.042Z INFO %s\n", escapes[_i].text);
    ck_assert_str_eq(message_as(SYSTEM_LOG_TEXT, escapes[_i].message), wanted);
}
END_TEST

START_TEST(nothing_hostile_gets_into_a_json_line)
{
    char wanted[200];

    snprintf(wanted, sizeof(wanted),
             "{\"time\":\"2026-01-01T00:00:00.042Z\",\"level\":\"info\",\"message\":\"%s\"}\n",
             escapes[_i].json);
    ck_assert_str_eq(message_as(SYSTEM_LOG_JSON, escapes[_i].message), wanted);
}
END_TEST

START_TEST(a_long_message_is_cut_and_the_line_stays_whole)
{
    struct tc_log_subject subject = { .request_id = "r-1", .task_id = &task_id };
    char message[1001];

    memset(message, 1, sizeof(message) - 1); /* each becomes six bytes */
    message[sizeof(message) - 1] = '\0';
    open_logger(SYSTEM_LOG_JSON, "taskapi");
    tc_log(logger, TC_LOG_INFO, &subject, "%s", message);

    const char *got = written();

    ck_assert_uint_le(strlen(got), 4096);
    ck_assert_ptr_nonnull(strstr(got, "...\",\"request_id\":\"r-1\""));
    ck_assert_str_eq(got + strlen(got) - 3, "\"}\n");
}
END_TEST

START_TEST(lines_below_the_threshold_are_dropped)
{
    open_logger(SYSTEM_LOG_TEXT, NULL);
    tc_log(logger, TC_LOG_DEBUG, NULL, "detail");
    ck_assert_str_eq(written(), "");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("system_logger");
    TCase *tcase = tcase_create("logger");
    int escape_count = (int)(sizeof(escapes) / sizeof(escapes[0]));

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, a_text_line_has_time_level_name_message_and_subject);
    tcase_add_test(tcase, a_text_line_without_subject_ends_with_the_message);
    tcase_add_test(tcase, a_json_line_is_one_object);
    tcase_add_loop_test(tcase, nothing_hostile_gets_into_a_text_line, 0, escape_count);
    tcase_add_loop_test(tcase, nothing_hostile_gets_into_a_json_line, 0, escape_count);
    tcase_add_test(tcase, a_long_message_is_cut_and_the_line_stays_whole);
    tcase_add_test(tcase, lines_below_the_threshold_are_dropped);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
