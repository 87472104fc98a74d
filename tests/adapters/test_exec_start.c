/* How programs are started: what they inherit, what bounds them, what may fail. */

#include "tests/adapters/exec_site.h"
#include "tests/support/run_suite.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* ls has its own fourth. */
static const char *const list_descriptors[] = { "/bin/ls", "/proc/self/fd", NULL };
static const char four_descriptors[] = "0\n1\n2\n3\n4";

START_TEST(no_descriptor_of_the_worker_is_inherited)
{
    int low = open("/dev/null", O_RDONLY); /* without O_CLOEXEC, as a library may do it */
    int high = fcntl(low, F_DUPFD, 500);

    site_run_argv(list_descriptors);
    assert_done(TC_CONTENT_TEXT, four_descriptors);
    close(low);
    close(high);
}
END_TEST

/* A worker whose first descriptors are closed gets its pipes there. */
START_TEST(descriptors_are_right_without_stdio_in_the_worker)
{
    int saved[4];

    site.task.payload = (struct tc_content){ TC_CONTENT_TEXT, tc_bytes_of("in ") };
    for (int i = 0; i < 4; i++) {
        saved[i] = fcntl(i, F_DUPFD_CLOEXEC, 100);
        close(i);
    }
    site_run("cat; echo err >&2; echo '{}' >&3");
    for (int i = 0; i < 4; i++)
        if (saved[i] >= 0) {
            dup2(saved[i], i);
            close(saved[i]);
        }
    assert_done(TC_CONTENT_TEXT, "in ");
    ck_assert(site_logged("stderr: err"));
    ck_assert_uint_eq(site.run.progress_count, 1);
}
END_TEST

START_TEST(the_program_has_a_session_of_its_own)
{
    site_run("read pid comm state ppid pgrp session tty rest </proc/self/stat\n"
             "[ $$ = $pgrp ] && [ $$ = $session ] && echo own $tty");
    assert_done(TC_CONTENT_TEXT, "own 0");
}
END_TEST

/* Blocked, ignored and pending bits of a worker's thread, as the kernel shows them. */
START_TEST(signals_are_as_after_a_login)
{
    const char *const argv[] = { "/bin/sed", "-nE", "/^Sig(Blk|Ign|Cgt):/p",
                                 "/proc/self/status", NULL };
    sigset_t every;

    sigfillset(&every);
    pthread_sigmask(SIG_SETMASK, &every, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGINT, SIG_IGN);
    site_run_argv(argv);
    assert_done(TC_CONTENT_TEXT, "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n"
                                 "SigCgt:\t0000000000000000");
}
END_TEST

static volatile sig_atomic_t seen;

static void note(int number)
{
    (void)number;
    seen++;
}

START_TEST(the_workers_own_signals_stay_as_they_are)
{
    sigset_t before;
    sigset_t after;

    signal(SIGUSR1, note);
    pthread_sigmask(SIG_SETMASK, NULL, &before);
    site_run("kill -USR1 $$");
    assert_failed(true, "killed by signal SIGUSR1");
    pthread_sigmask(SIG_SETMASK, NULL, &after);
    ck_assert_int_eq(sigismember(&after, SIGUSR1), sigismember(&before, SIGUSR1));
    raise(SIGUSR1);
    ck_assert_int_eq(seen, 1);
}
END_TEST

static const struct {
    struct exec_limits limits;
    const char *body;
    bool retryable;
    const char *message;
} limited[] = {
    { { .memory_bytes = 100000000 },
      "head -c 500000000 /dev/zero | tail -n 1 >/dev/null",
      false,
      "memory exhausted" },
    { { .cpu_seconds = 1 }, "while :; do :; done", true, "killed by signal SIGXCPU" },
    { { .cpu_seconds = 1 },
      "trap '' XCPU; while :; do :; done",
      true,
      "killed by signal SIGKILL" },
    { { .open_files = 12 },
      "p=program; paste $p $p $p $p $p $p $p $p $p",
      false,
      "Too many open files" },
    { { .file_bytes = 1000 },
      "trap '' XFSZ; head -c 2000 /dev/zero >large",
      false,
      "File too large" },
};

START_TEST(limits_hold)
{
    site.config.limits = limited[_i].limits;
    site_run(limited[_i].body);
    assert_failed_with(limited[_i].retryable, limited[_i].message);
}
END_TEST

START_TEST(limits_are_set_for_the_program_alone)
{
    struct rlimit before;
    struct rlimit after;

    site.config.limits = (struct exec_limits){ 1000000000, 100, 50, 1024000, 4000 };
    getrlimit(RLIMIT_NOFILE, &before);
    site_run("echo $(ulimit -v) $(ulimit -t) $(ulimit -n) $(ulimit -f) $(ulimit -p)");
    assert_done(TC_CONTENT_TEXT, "976562 100 50 2000 4000");
    getrlimit(RLIMIT_NOFILE, &after);
    ck_assert_uint_eq(after.rlim_cur, before.rlim_cur);
}
END_TEST

START_TEST(a_limit_never_gives_more_than_the_worker_has)
{
    struct rlimit few = { 64, 64 };

    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
    site.config.limits.open_files = 1000000;
    site_run("ulimit -Hn");
    assert_done(TC_CONTENT_JSON, "64");
}
END_TEST

START_TEST(a_program_that_is_not_there_is_a_failure_to_try_again)
{
    const char *const argv[] = { "/nowhere/send-mail", NULL };

    site_run_argv(argv);
    assert_failed(true, "cannot start '/nowhere/send-mail': No such file or directory");
}
END_TEST

START_TEST(a_program_that_may_not_run_is_a_failure_to_try_again)
{
    const char *const argv[] = { "/etc/passwd", NULL };

    site_run_argv(argv);
    assert_failed(true, "cannot start '/etc/passwd': Permission denied");
}
END_TEST

START_TEST(a_directory_that_is_not_there_is_a_failure_to_try_again)
{
    site.config.dir = "/nowhere";
    site_run(":");
    assert_failed(true, "cannot enter the directory '/nowhere': No such file or directory");
}
END_TEST

#define FULL 64

static void close_taken(bool *taken, int fd)
{
    if (taken[fd])
        close(fd);
    taken[fd] = false;
}

/* Each of the four pipes fails in turn, then the process, which takes the ninth. */
START_TEST(a_worker_without_descriptors_fails_the_run)
{
    const char *const argv[] = { "/bin/true", NULL };
    static const char payload[100000]; /* more than a pipe holds: its end stays open */
    bool taken[FULL] = { false };
    struct rlimit limit;

    site.task.payload = (struct tc_content){ TC_CONTENT_BYTES, { payload, sizeof(payload) } };
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = FULL;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    for (int fd; (fd = fcntl(1, F_DUPFD_CLOEXEC, 0)) >= 0;)
        taken[fd] = true;
    for (int fd = FULL - 1, left = _i; left > 0; fd--, left--)
        close_taken(taken, fd);
    site_run_argv(argv);
    if (_i < 9)
        assert_failed_with(true, "Too many open files");
    else
        assert_done(TC_CONTENT_NONE, "");
    for (int fd = 0; fd < FULL; fd++)
        close_taken(taken, fd);
}
END_TEST

START_TEST(an_end_that_nobody_could_see_is_said)
{
    signal(SIGCHLD, SIG_IGN);
    site_run("exit 0");
    assert_failed_with(true, "SIGCHLD is ignored");
}
END_TEST

#define THREADS 8
#define ROUNDS  12

/* A pipe of one run in the program of another would show as a fifth descriptor. */
static void *run_many(void *arg)
{
    struct site_run *run = arg;

    for (int i = 0; i < ROUNDS; i++) {
        tc_report_release(&run->report);
        memset(run, 0, sizeof(*run));
        site_run_into(run);
        if (run->report.kind != TC_REPORT_DONE ||
            !tc_bytes_equals(run->report.result.bytes, tc_bytes_of(four_descriptors)))
            return run;
    }
    return NULL;
}

START_TEST(runs_at_the_same_time_share_nothing)
{
    static struct site_run runs[THREADS];
    pthread_t threads[THREADS];

    site.config.argv = list_descriptors;
    site_open();
    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, run_many, &runs[i]), 0);
    for (int i = 0; i < THREADS; i++) {
        void *fault;

        pthread_join(threads[i], &fault);
        ck_assert_msg(!fault, "thread %d: %.*s", i, (int)runs[i].report.result.bytes.len,
                      (const char *)runs[i].report.result.bytes.data);
        tc_report_release(&runs[i].report);
    }
}
END_TEST

static const char *const no_program[] = { NULL };
static const char *const relative[] = { "bin/true", NULL };
static const char *const good[] = { "/bin/true", NULL };
static const char *const no_value[] = { "PATH", NULL };
static const char *const no_name[] = { "=1", NULL };
static const char *const taken_name[] = { "A=1", "TASK_ID=1", NULL };

static const struct {
    struct exec_config config;
    const char *part;
} refused[] = {
    { { .argv = NULL }, "absolute path" },
    { { .argv = no_program }, "absolute path" },
    { { .argv = relative }, "absolute path" },
    { { .argv = good, .dir = "tmp" }, "directory" },
    { { .argv = good, .grace_ms = -1 }, "grace" },
    { { .argv = good, .output_max = EXEC_OUTPUT_MAX_MAX + 1 }, "output" },
    { { .argv = good, .limits.memory_bytes = -1 }, "limit" },
    { { .argv = good, .limits.cpu_seconds = -1 }, "limit" },
    { { .argv = good, .limits.file_bytes = -1 }, "limit" },
    { { .argv = good, .limits.processes = -1 }, "limit" },
    { { .argv = good, .limits.open_files = 4 }, "open files" },
    { { .argv = good, .env = no_value }, "NAME=VALUE" },
    { { .argv = good, .env = no_name }, "NAME=VALUE" },
    { { .argv = good, .env = taken_name }, "'TASK_ID'" },
};

static void assert_refused(const struct exec_config *config, const char *part)
{
    struct tc_handler *handler = NULL;
    struct tc_error err;

    ck_assert_int_eq(exec_handler_open(config, &handler, &err), TC_INVALID);
    ck_assert_msg(strstr(err.message, part) != NULL, "no '%s' in: %s", part, err.message);
    ck_assert_ptr_null(handler);
}

START_TEST(a_config_that_breaks_its_rules_is_refused)
{
    assert_refused(&refused[_i].config, refused[_i].part);
}
END_TEST

START_TEST(the_environment_is_bounded)
{
    const char *env[EXEC_ENV_MAX + 2] = { NULL };
    struct exec_config config = { .argv = good, .env = env };

    for (int i = 0; i <= EXEC_ENV_MAX; i++)
        env[i] = "A=1";
    assert_refused(&config, "more than 64");
    env[EXEC_ENV_MAX] = NULL;
    site.config.env = env;
    site_run("env | wc -l");
    ck_assert_int_eq(site.run.report.kind, TC_REPORT_DONE);
}
END_TEST

START_TEST(nothing_is_closed_without_a_fault)
{
    exec_handler_close(NULL);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("exec_start");
    TCase *tcase = tcase_create("start");

    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, site_setup, site_teardown);
    tcase_add_test(tcase, no_descriptor_of_the_worker_is_inherited);
    tcase_add_test(tcase, descriptors_are_right_without_stdio_in_the_worker);
    tcase_add_test(tcase, the_program_has_a_session_of_its_own);
    tcase_add_test(tcase, signals_are_as_after_a_login);
    tcase_add_test(tcase, the_workers_own_signals_stay_as_they_are);
    tcase_add_loop_test(tcase, limits_hold, 0, sizeof(limited) / sizeof(limited[0]));
    tcase_add_test(tcase, limits_are_set_for_the_program_alone);
    tcase_add_test(tcase, a_limit_never_gives_more_than_the_worker_has);
    tcase_add_test(tcase, a_program_that_is_not_there_is_a_failure_to_try_again);
    tcase_add_test(tcase, a_program_that_may_not_run_is_a_failure_to_try_again);
    tcase_add_test(tcase, a_directory_that_is_not_there_is_a_failure_to_try_again);
    tcase_add_loop_test(tcase, a_worker_without_descriptors_fails_the_run, 0, 11);
    tcase_add_test(tcase, an_end_that_nobody_could_see_is_said);
    tcase_add_test(tcase, runs_at_the_same_time_share_nothing);
    tcase_add_loop_test(tcase, a_config_that_breaks_its_rules_is_refused, 0,
                        sizeof(refused) / sizeof(refused[0]));
    tcase_add_test(tcase, the_environment_is_bounded);
    tcase_add_test(tcase, nothing_is_closed_without_a_fault);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
