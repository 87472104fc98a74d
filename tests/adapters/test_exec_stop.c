/* Programs that have to be ended, and what they leave behind. */

#define _DEFAULT_SOURCE /* usleep() */

#include "tests/adapters/exec_site.h"
#include "tests/support/run_suite.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Stopped once the program has made its file `ready`. */
static void stop(enum tc_stop_reason reason, int64_t grace_ms, const char *body)
{
    site.run.stop = reason;
    site.run.stop_when = "ready";
    site.config.grace_ms = grace_ms;
    site_run(body);
}

static const enum tc_stop_reason reasons[] = { TC_STOP_CANCELLED, TC_STOP_LOST, TC_STOP_TIMEOUT,
                                               TC_STOP_SHUTDOWN };

START_TEST(a_stopped_program_gets_a_signal_to_end)
{
    stop(reasons[_i], 20000,
         "trap 'echo term >told; exit 0' TERM; touch ready; sleep 30 & wait");
    assert_given_back();
    ck_assert_int_eq(access(site_path("told"), F_OK), 0);
    ck_assert_int_lt(site.run.took_ms, 10000);
}
END_TEST

START_TEST(a_program_that_ignores_the_signal_is_killed_after_its_grace)
{
    stop(TC_STOP_CANCELLED, 200, "trap '' TERM; touch ready; while :; do sleep 0.05; done");
    assert_given_back();
    ck_assert_int_ge(site.run.took_ms, 200);
    ck_assert_int_lt(site.run.took_ms, 10000);
}
END_TEST

START_TEST(the_grace_is_short_when_the_worker_ends)
{
    stop(TC_STOP_SHUTDOWN, 20000, "trap '' TERM; touch ready; while :; do sleep 0.05; done");
    assert_given_back();
    ck_assert_int_ge(site.run.took_ms, EXEC_SHUTDOWN_GRACE_MS);
    ck_assert_int_lt(site.run.took_ms, 10000);
}
END_TEST

START_TEST(a_program_that_is_stopped_by_a_signal_can_still_end)
{
    stop(TC_STOP_CANCELLED, 20000, "touch ready; kill -STOP $$; sleep 30");
    assert_given_back();
    ck_assert_int_lt(site.run.took_ms, 10000);
}
END_TEST

START_TEST(nothing_is_started_for_a_task_that_was_stopped_before)
{
    site.run.stop = TC_STOP_CANCELLED;
    site_run("touch started");
    assert_given_back();
    ck_assert_int_ne(access(site_path("started"), F_OK), 0);
}
END_TEST

START_TEST(a_stop_reaches_the_whole_group)
{
    stop(TC_STOP_CANCELLED, 100,
         "trap '' TERM; sh -c 'echo $$ >child; sleep 30 & echo $! >grandchild; touch ready; "
         "wait' & wait; wait");
    assert_given_back();
    assert_ends(site_number("child"));
    assert_ends(site_number("grandchild"));
}
END_TEST

#define AWAIT_LEFT "until [ -s left ]; do sleep 0.01; done"

static const char *const leavers[] = {
    "sleep 30 & echo $! >left",
    ("(trap '' TERM; sleep 30 & echo $! >left; wait) & " AWAIT_LEFT),
    "sh -c 'sleep 30 & echo $! >left' & wait", /* a double fork: nobody's child any more */
};

START_TEST(what_a_program_leaves_in_its_group_is_killed)
{
    site_run(leavers[_i]);
    assert_done(TC_CONTENT_NONE, "");
    assert_ends(site_number("left"));
}
END_TEST

START_TEST(a_descendant_that_left_the_group_keeps_the_pipes_and_delays_nothing)
{
    site_run("setsid sh -c 'echo $$ >left; yes >&3' & " AWAIT_LEFT "; exit 3");
    assert_failed(false, "exit status 3");
    ck_assert_int_lt(site.run.took_ms, 10000);
    kill(-(pid_t)site_number("left"), SIGKILL);
    assert_ends(site_number("left"));
}
END_TEST

START_TEST(what_was_written_before_the_end_is_not_lost)
{
    site_run("sleep 30 & head -c 60000 /dev/zero | tr '\\0' x; echo last words >&2");
    ck_assert_int_eq(site.run.report.kind, TC_REPORT_DONE);
    ck_assert_uint_eq(site.run.report.result.bytes.len, 60000);
    ck_assert(site_logged("last words"));
    ck_assert_int_lt(site.run.took_ms, 10000);
}
END_TEST

START_TEST(output_over_the_limit_ends_the_program)
{
    site_run("yes | head -c 10737418240; touch finished");
    assert_failed(false, "result_too_large: the output is over 1048576 bytes");
    ck_assert_int_ne(access(site_path("finished"), F_OK), 0);
    ck_assert_int_lt(site.run.took_ms, 10000);
}
END_TEST

static const struct {
    size_t max;
    const char *body;
    bool fits;
} outputs[] = {
    { 10, "printf 1234567890", true },
    { 10, "printf 12345678901", false },
    { 4096, "head -c 4096 /dev/zero", true },
    { 4096, "head -c 4097 /dev/zero", false },
    { 100000, "head -c 100000 /dev/zero", true },
    { 100000, "head -c 100001 /dev/zero; exit 1", false },
};

START_TEST(the_limit_of_the_output_is_exact)
{
    site.config.output_max = outputs[_i].max;
    site_run(outputs[_i].body);
    if (outputs[_i].fits)
        ck_assert_uint_eq(site.run.report.result.bytes.len, outputs[_i].max);
    else
        assert_failed_with(false, "result_too_large");
}
END_TEST

START_TEST(a_flood_of_errors_does_not_keep_a_stop_away)
{
    stop(TC_STOP_CANCELLED, 100, "trap '' TERM; touch ready; yes >&2");
    assert_given_back();
    ck_assert_int_lt(site.run.took_ms, 10000);
    ck_assert_uint_eq(site.run.log_count, EXEC_LOG_LINES_MAX + 1);
}
END_TEST

START_TEST(many_processes_in_the_group_all_end)
{
    stop(TC_STOP_TIMEOUT, 50,
         "trap '' TERM; for i in $(seq 50); do (sleep 30; :) & echo $! >left; done; "
         "touch ready; wait");
    assert_given_back();
    assert_ends(site_number("left"));
}
END_TEST

START_TEST(waiting_for_a_program_that_has_closed_everything_costs_nothing)
{
    clock_t before = clock();

    site_run("exec <&- >&- 2>&- 3>&-; sleep 0.6");
    assert_done(TC_CONTENT_NONE, "");
    ck_assert_int_lt(clock() - before, CLOCKS_PER_SEC / 4);
}
END_TEST

/* A worker of its own, that is killed while its program runs. */
START_TEST(a_program_dies_with_its_worker)
{
    pid_t worker = fork();

    ck_assert_int_ge(worker, 0);
    if (worker == 0) {
        site_run("echo $$ >program.new; mv program.new program.pid; sleep 30");
        _exit(0);
    }
    for (int i = 0; i < 1000 && site_number("program.pid") == 0; i++)
        usleep(10000);
    kill(worker, SIGKILL);
    waitpid(worker, NULL, 0);
    assert_ends(site_number("program.pid"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("exec_stop");
    TCase *tcase = tcase_create("stop");

    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, site_setup, site_teardown);
    tcase_add_loop_test(tcase, a_stopped_program_gets_a_signal_to_end, 0, 4);
    tcase_add_test(tcase, a_program_that_ignores_the_signal_is_killed_after_its_grace);
    tcase_add_test(tcase, the_grace_is_short_when_the_worker_ends);
    tcase_add_test(tcase, a_program_that_is_stopped_by_a_signal_can_still_end);
    tcase_add_test(tcase, nothing_is_started_for_a_task_that_was_stopped_before);
    tcase_add_test(tcase, a_stop_reaches_the_whole_group);
    tcase_add_loop_test(tcase, what_a_program_leaves_in_its_group_is_killed, 0, 3);
    tcase_add_test(tcase, a_descendant_that_left_the_group_keeps_the_pipes_and_delays_nothing);
    tcase_add_test(tcase, what_was_written_before_the_end_is_not_lost);
    tcase_add_test(tcase, output_over_the_limit_ends_the_program);
    tcase_add_loop_test(tcase, the_limit_of_the_output_is_exact, 0, 6);
    tcase_add_test(tcase, a_flood_of_errors_does_not_keep_a_stop_away);
    tcase_add_test(tcase, many_processes_in_the_group_all_end);
    tcase_add_test(tcase, waiting_for_a_program_that_has_closed_everything_costs_nothing);
    tcase_add_test(tcase, a_program_dies_with_its_worker);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
