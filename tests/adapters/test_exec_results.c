/* What a program is given, and what becomes of how it ends. */

#include "tests/adapters/exec_site.h"
#include "tests/support/run_suite.h"

#include <stdlib.h>
#include <string.h>

static void give(enum tc_content_kind kind, const char *payload)
{
    site.task.payload = (struct tc_content){ kind, tc_bytes_of(payload) };
}

START_TEST(the_payload_comes_on_stdin)
{
    give(TC_CONTENT_JSON, "{\"to\": \"you\"}");
    site_run("cat");
    assert_done(TC_CONTENT_JSON, "{\"to\": \"you\"}");
}
END_TEST

START_TEST(bytes_come_back_as_they_were)
{
    site.task.payload = (struct tc_content){ TC_CONTENT_BYTES, { "a\0\xff\n", 4 } };
    site_run("cat");
    ck_assert_int_eq(site.run.report.result.kind, TC_CONTENT_BYTES);
    ck_assert(tc_bytes_equals(site.run.report.result.bytes, site.task.payload.bytes));
}
END_TEST

static char *large_text(size_t len)
{
    char *text = malloc(len + 1);

    ck_assert_ptr_nonnull(text);
    memset(text, 'x', len);
    text[len] = '\0';
    return text;
}

/* Around what a pipe holds, and far over it. */
static const size_t sizes[] = { 1, 65535, 65536, 65537, 1000000 };

START_TEST(a_payload_of_any_size_is_written_whole)
{
    char *text = large_text(sizes[_i]);

    give(TC_CONTENT_TEXT, text);
    site_run("cat");
    assert_done(TC_CONTENT_TEXT, text);
    free(text);
}
END_TEST

static const char *const deaf[] = {
    "exec <&-; echo heard nothing",
    "echo heard nothing",
    "exec <&-; sleep 0.1; echo heard nothing",
    "head -c 100000 >/dev/null; echo heard nothing",
};

START_TEST(a_program_need_not_read_its_payload)
{
    char *text = large_text(1000000);

    give(TC_CONTENT_TEXT, text);
    site_run(deaf[_i]);
    assert_done(TC_CONTENT_TEXT, "heard nothing");
    free(text);
}
END_TEST

static const struct {
    const char *why;
    const char *body;
    enum tc_content_kind kind;
    const char *result;
} results[] = {
    { "nothing", ":", TC_CONTENT_NONE, "" },
    { "a newline alone", "echo", TC_CONTENT_NONE, "" },
    { "one newline is cut", "printf 'a b\\n\\n'", TC_CONTENT_TEXT, "a b\n" },
    { "text without newline", "printf 'a b'", TC_CONTENT_TEXT, "a b" },
    { "text in UTF-8", "printf '\\303\\274\\n'", TC_CONTENT_TEXT, "\xc3\xbc" },
    { "JSON", "echo ' {\"a\": [1, 2]} '", TC_CONTENT_JSON, "{\"a\": [1, 2]}" },
    { "a number is JSON", "echo 42", TC_CONTENT_JSON, "42" },
    { "two documents are text", "echo 42; echo 43", TC_CONTENT_TEXT, "42\n43" },
    { "no UTF-8", "printf '\\377\\n'", TC_CONTENT_BYTES, "\xff\n" },
    { "stderr is no failure", "echo oops >&2; echo fine", TC_CONTENT_TEXT, "fine" },
};

START_TEST(stdout_becomes_the_result)
{
    site_run(results[_i].body);
    assert_done(results[_i].kind, results[_i].result);
}
END_TEST

START_TEST(without_a_checker_a_result_is_text)
{
    site.config.is_json = NULL;
    site_run("echo 42");
    assert_done(TC_CONTENT_TEXT, "42");
}
END_TEST

START_TEST(text_with_a_nul_is_bytes)
{
    site_run("printf 'a\\000b'");
    ck_assert_int_eq(site.run.report.result.kind, TC_CONTENT_BYTES);
    ck_assert_uint_eq(site.run.report.result.bytes.len, 3);
}
END_TEST

static const struct {
    const char *body;
    bool retryable;
    const char *message;
} failures[] = {
    { "exit 1", false, "exit status 1" },
    { "exit 75", true, "exit status 75" },
    { "exit 255", false, "exit status 255" },
    { "kill -SEGV $$", true, "killed by signal SIGSEGV" },
    { "kill -KILL $$", true, "killed by signal SIGKILL" },
    { "kill -40 $$", true, "killed by signal 40" },
    { "echo no such mailbox >&2; exit 3", false, "no such mailbox" },
    { "echo later >&2; exit 75", true, "later" },
    { "printf 'first\\nsecond\\n\\n' >&2; exit 1", false, "first\nsecond" },
    { "echo 'half a result'; exit 1", false, "exit status 1" },
    { "echo last words >&2; kill -ABRT $$", true, "last words" },
    { "printf '\\377' >&2; exit 1", false, "?" },
};

START_TEST(how_it_ends_decides)
{
    site_run(failures[_i].body);
    assert_failed(failures[_i].retryable, failures[_i].message);
}
END_TEST

START_TEST(the_last_whole_lines_of_stderr_are_the_message)
{
    site_run("for i in $(seq 1000); do echo line $i; done >&2; exit 1");
    assert_failed_with(false, "line 1000");

    const char *text = site.run.report.message.data;
    size_t len = site.run.report.message.len;

    ck_assert_uint_le(len, EXEC_MESSAGE_MAX);
    ck_assert_uint_gt(len, EXEC_MESSAGE_MAX - 16);
    ck_assert(memcmp(text, "line ", 5) == 0);
}
END_TEST

START_TEST(a_long_last_line_is_cut_between_characters)
{
    site_run("for i in $(seq 2000); do printf '\\303\\274'; done >&2; printf x >&2; exit 1");
    ck_assert_uint_eq(site.run.report.message.len, EXEC_MESSAGE_MAX - 1);
    ck_assert(memcmp(site.run.report.message.data, "\xc3\xbc", 2) == 0);
}
END_TEST

START_TEST(the_environment_holds_the_task_and_nothing_else)
{
    const char *const argv[] = { "/usr/bin/env", NULL };

    setenv("SECRET", "of the worker", 1);
    site_run_argv(argv);
    assert_done(TC_CONTENT_TEXT, "TASK_ID=018bcfe5-6800-7007-8000-000000000001\n"
                                 "TASK_TYPE=email.send\n"
                                 "TASK_QUEUE=mail\n"
                                 "TASK_ATTEMPT=2\n"
                                 "TASK_EPOCH=5\n"
                                 "TASK_DEADLINE_MS=1700000060000\n"
                                 "PATH=/usr/local/bin:/usr/bin:/bin");
}
END_TEST

START_TEST(the_environment_takes_what_the_config_gives)
{
    static const char *const env[] = { "PATH=/opt/bin", "MODE=a=b", "EMPTY=", NULL };
    const char *const argv[] = { "/usr/bin/env", NULL };

    site.config.env = env;
    site.config.clock = NULL;
    strncpy(site.task.traceparent, "00-11-22-01", sizeof(site.task.traceparent) - 1);
    site_run_argv(argv);
    assert_done(TC_CONTENT_TEXT, "TASK_ID=018bcfe5-6800-7007-8000-000000000001\n"
                                 "TASK_TYPE=email.send\n"
                                 "TASK_QUEUE=mail\n"
                                 "TASK_ATTEMPT=2\n"
                                 "TASK_EPOCH=5\n"
                                 "TRACEPARENT=00-11-22-01\n"
                                 "PATH=/opt/bin\nMODE=a=b\nEMPTY=");
}
END_TEST

START_TEST(the_longest_names_fit_the_environment)
{
    memset(site.task.type, 't', TC_NAME_MAX);
    memset(site.task.queue, 'q', TC_NAME_MAX);
    memset(site.task.traceparent, '0', TC_TRACEPARENT_LEN);
    site.task.attempt = -2147483647;
    site.task.epoch = INT64_MIN;
    site.clock.now_ms = INT64_MIN + 60000;
    site_run("env | grep -c '^[TP]A*[TRS]'");
    assert_done(TC_CONTENT_JSON, "8");
}
END_TEST

START_TEST(arguments_pass_no_shell)
{
    const char *const argv[] = { "/usr/bin/printf", "%s|", "a b", "$(id)", "*", "", NULL };

    site_run_argv(argv);
    assert_done(TC_CONTENT_TEXT, "a b|$(id)|*||");
}
END_TEST

START_TEST(the_program_runs_in_its_directory)
{
    const char *const argv[] = { "/bin/pwd", NULL };

    site_run_argv(argv);
    assert_done(TC_CONTENT_TEXT, site.folder);
    site.config.dir = NULL;
    site_run_argv(argv);
    assert_done(TC_CONTENT_TEXT, "/");
}
END_TEST

START_TEST(every_line_of_stderr_is_logged)
{
    site_run("printf 'one\\n\\ntwo\\nthree' >&2");
    ck_assert_uint_eq(site.run.log_count, 3);
    ck_assert_str_eq(site.run.log[0], "stderr: one");
    ck_assert_str_eq(site.run.log[1], "stderr: two");
    ck_assert_str_eq(site.run.log[2], "stderr: three");
}
END_TEST

START_TEST(the_log_is_bounded)
{
    site_run("head -c 2000 /dev/zero | tr '\\0' x >&2; seq 150 >&2");
    ck_assert_uint_eq(site.run.log_count, EXEC_LOG_LINES_MAX + 1);
    ck_assert_uint_eq(strlen(site.run.log[0]), strlen("stderr: ") + EXEC_LOG_LINE_MAX);
    ck_assert_str_eq(site.run.log[EXEC_LOG_LINES_MAX], "50 more lines of stderr are left out");
}
END_TEST

START_TEST(lines_on_descriptor_3_are_progress)
{
    site_run("echo '{\"percent\": 10}' >&3; echo '{\"percent\": 90}' >&3; echo done");
    assert_done(TC_CONTENT_TEXT, "done");
    ck_assert_uint_eq(site.run.progress_count, 2);
    ck_assert_str_eq(site.run.progress, "{\"percent\": 90}");
    ck_assert_uint_eq(site.run.log_count, 0);
}
END_TEST

START_TEST(progress_without_its_newline_counts)
{
    site_run("printf '{\"percent\": 10}' >&3");
    ck_assert_str_eq(site.run.progress, "{\"percent\": 10}");
}
END_TEST

START_TEST(bad_progress_is_left_out_and_said_once)
{
    site_run("echo '{\"percent\": 10}' >&3; echo 50 >&3; echo '{\"percent\":' >&3; echo >&3\n"
             "printf '{\"a\": \"%05000d\"}\\n' 1 >&3; printf '{}%5000s\\n' '' >&3");
    ck_assert_uint_eq(site.run.progress_count, 1);
    ck_assert_uint_eq(site.run.log_count, 1);
    ck_assert(site_logged("5 lines of progress are left out"));
}
END_TEST

START_TEST(progress_of_the_largest_size_is_taken)
{
    site_run("printf '{\"a\": \"%04087d\"}\\n' 1 >&3");
    ck_assert_uint_eq(strlen(site.run.progress), TC_PROGRESS_MAX);
}
END_TEST

START_TEST(without_a_checker_progress_is_left_out)
{
    site.config.is_json = NULL;
    site_run("echo '{}' >&3");
    ck_assert_uint_eq(site.run.progress_count, 0);
    ck_assert(site_logged("1 lines of progress are left out"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("exec_results");
    TCase *tcase = tcase_create("results");

    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, site_setup, site_teardown);
    tcase_add_test(tcase, the_payload_comes_on_stdin);
    tcase_add_test(tcase, bytes_come_back_as_they_were);
    tcase_add_loop_test(tcase, a_payload_of_any_size_is_written_whole, 0, 5);
    tcase_add_loop_test(tcase, a_program_need_not_read_its_payload, 0, 4);
    tcase_add_loop_test(tcase, stdout_becomes_the_result, 0,
                        sizeof(results) / sizeof(results[0]));
    tcase_add_test(tcase, without_a_checker_a_result_is_text);
    tcase_add_test(tcase, text_with_a_nul_is_bytes);
    tcase_add_loop_test(tcase, how_it_ends_decides, 0, sizeof(failures) / sizeof(failures[0]));
    tcase_add_test(tcase, the_last_whole_lines_of_stderr_are_the_message);
    tcase_add_test(tcase, a_long_last_line_is_cut_between_characters);
    tcase_add_test(tcase, the_environment_holds_the_task_and_nothing_else);
    tcase_add_test(tcase, the_environment_takes_what_the_config_gives);
    tcase_add_test(tcase, the_longest_names_fit_the_environment);
    tcase_add_test(tcase, arguments_pass_no_shell);
    tcase_add_test(tcase, the_program_runs_in_its_directory);
    tcase_add_test(tcase, every_line_of_stderr_is_logged);
    tcase_add_test(tcase, the_log_is_bounded);
    tcase_add_test(tcase, lines_on_descriptor_3_are_progress);
    tcase_add_test(tcase, progress_without_its_newline_counts);
    tcase_add_test(tcase, bad_progress_is_left_out_and_said_once);
    tcase_add_test(tcase, progress_of_the_largest_size_is_taken);
    tcase_add_test(tcase, without_a_checker_progress_is_left_out);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
