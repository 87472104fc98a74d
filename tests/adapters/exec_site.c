#define _DEFAULT_SOURCE /* mkdtemp(), usleep() */

#include "tests/adapters/exec_site.h"

#include "adapters/http/json_check.h"
#include "core/domain/container_of.h"

#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct exec_site site;

static bool is_json(struct tc_bytes text)
{
    return json_check(text) == NULL;
}

static int count_descriptors(void)
{
    DIR *dir = opendir("/proc/self/fd");
    int count = 0;

    ck_assert_ptr_nonnull(dir);
    while (readdir(dir))
        count++;
    closedir(dir);
    return count;
}

void site_setup(void)
{
    memset(&site, 0, sizeof(site));
    strncpy(site.folder, "/tmp/taskcore-exec-XXXXXX", sizeof(site.folder) - 1);
    ck_assert_ptr_nonnull(mkdtemp(site.folder));
    fake_clock_init(&site.clock, 1700000000000);
    site.config = (struct exec_config){ .dir = site.folder,
                                        .is_json = is_json,
                                        .clock = &site.clock.base };
    site.task = (struct tc_task){ .id = tc_id_make(1700000000000, 7, 1),
                                  .queue = "mail",
                                  .type = "email.send",
                                  .attempt = 2,
                                  .epoch = 5 };
    site.fd_count = count_descriptors();
}

static void remove_folder(void)
{
    DIR *dir = opendir(site.folder);

    for (struct dirent *entry; dir && (entry = readdir(dir));)
        unlinkat(dirfd(dir), entry->d_name, 0);
    if (dir)
        closedir(dir);
    rmdir(site.folder);
}

void site_teardown(void)
{
    tc_report_release(&site.run.report);
    exec_handler_close(site.handler);
    remove_folder();
    ck_assert_int_eq(count_descriptors(), site.fd_count);
    ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
    ck_assert_int_eq(errno, ECHILD);
}

const char *site_path(const char *name)
{
    static _Thread_local char paths[4][64];
    static _Thread_local unsigned next;
    char *path = paths[next++ % 4];

    snprintf(path, sizeof(paths[0]), "%s/%s", site.folder, name);
    return path;
}

const char *site_script(const char *name, const char *body)
{
    const char *path = site_path(name);
    FILE *file = fopen(path, "we");

    ck_assert_ptr_nonnull(file);
    fprintf(file, "#!/bin/sh\n%s\n", body);
    fclose(file);
    ck_assert_int_eq(chmod(path, 0755), 0);
    return path;
}

long site_number(const char *name)
{
    FILE *file = fopen(site_path(name), "re");
    char text[32] = "";

    if (!file)
        return 0;
    if (!fgets(text, sizeof(text), file))
        text[0] = '\0';
    fclose(file);
    return strtol(text, NULL, 10);
}

static struct site_run *run_of(struct tc_run *base)
{
    return TC_CONTAINER_OF(base, struct site_run, base);
}

static enum tc_stop_reason should_stop(struct tc_run *base)
{
    const struct site_run *run = run_of(base);

    if (run->stop == TC_STOP_NONE || !run->stop_when)
        return run->stop;
    return access(site_path(run->stop_when), F_OK) == 0 ? run->stop : TC_STOP_NONE;
}

static void sleep_ms(struct tc_run *base, int64_t ms)
{
    (void)base;
    usleep((useconds_t)(ms * 1000));
}

/* No assertions of Check in what a run calls: they allocate, and know one thread only. */
static bool progress(struct tc_run *base, struct tc_bytes json)
{
    struct site_run *run = run_of(base);

    if (json.len > TC_PROGRESS_MAX)
        abort();
    memcpy(run->progress, json.data, json.len);
    run->progress[json.len] = '\0';
    run->progress_count++;
    return true;
}

static void log_line(struct tc_run *base, const char *message)
{
    struct site_run *run = run_of(base);

    if (run->log_count == SITE_LINES_MAX)
        abort();
    snprintf(run->log[run->log_count++], sizeof(run->log[0]), "%s", message);
}

static const struct tc_run_ops run_ops = { should_stop, sleep_ms, progress, log_line };

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void site_open(void)
{
    struct tc_error err;

    exec_handler_close(site.handler);
    site.handler = NULL;
    ck_assert_msg(exec_handler_open(&site.config, &site.handler, &err) == TC_OK, "%s",
                  err.message);
}

void site_run_into(struct site_run *run)
{
    int64_t start_ms = now_ms();

    run->base = (struct tc_run){
        .ops = &run_ops,
        .task = &site.task,
        .deadline_tick_ms = tc_clock_tick_ms(&site.clock.base) + 60000,
    };
    run->report = tc_report_done();
    site.handler->ops->run(site.handler, &run->base, &run->report);
    run->took_ms = now_ms() - start_ms;
}

const struct tc_report *site_run_argv(const char *const *argv)
{
    site.config.argv = argv;
    site_open();
    tc_report_release(&site.run.report);
    site_run_into(&site.run);
    return &site.run.report;
}

const struct tc_report *site_run(const char *body)
{
    const char *const argv[] = { site_script("program", body), NULL };

    return site_run_argv(argv);
}

void assert_done(enum tc_content_kind kind, const char *result)
{
    const struct tc_report *report = &site.run.report;
    struct tc_content wanted = { kind, tc_bytes_of(result) };

    ck_assert_msg(report->kind == TC_REPORT_DONE, "%d: %.*s", (int)report->kind,
                  (int)report->message.len, (const char *)report->message.data);
    ck_assert_int_eq(report->result.kind, kind);
    ck_assert_msg(tc_content_equals(&report->result, &wanted), "'%.*s' is not '%s'",
                  (int)report->result.bytes.len, (const char *)report->result.bytes.data,
                  result);
}

static char *failure(bool retryable)
{
    static char text[TC_ERROR_TEXT_MAX + 1];
    const struct tc_report *report = &site.run.report;

    ck_assert_int_eq(report->kind, TC_REPORT_FAILED);
    snprintf(text, sizeof(text), "%.*s", (int)report->message.len,
             (const char *)report->message.data);
    ck_assert_msg(report->retryable == retryable, "%s", text);
    ck_assert_int_eq(report->reason, TC_REASON_HANDLER);
    ck_assert_int_eq(report->result.kind, TC_CONTENT_NONE);
    return text;
}

void assert_failed(bool retryable, const char *message)
{
    ck_assert_str_eq(failure(retryable), message);
}

void assert_failed_with(bool retryable, const char *part)
{
    const char *text = failure(retryable);

    ck_assert_msg(strstr(text, part) != NULL, "no '%s' in: %s", part, text);
}

void assert_given_back(void)
{
    ck_assert_int_eq(site.run.report.kind, TC_REPORT_RELEASED);
    ck_assert_int_eq(site.run.report.delay_ms, TC_UNSET);
}

/* A zombie has ended as well: it waits for whoever adopts orphans here. */
static bool has_ended(long pid)
{
    char path[32];
    char text[256] = "";

    snprintf(path, sizeof(path), "/proc/%ld/stat", pid);

    FILE *file = fopen(path, "re");

    if (!file)
        return true;
    if (!fgets(text, sizeof(text), file))
        text[0] = '\0';
    fclose(file);

    const char *state = strrchr(text, ')');

    return !state || state[2] == 'Z' || state[2] == 'X';
}

void assert_ends(long pid)
{
    ck_assert_int_gt(pid, 0);
    for (int i = 0; i < 1000 && !has_ended(pid); i++)
        usleep(10000);
    ck_assert_msg(has_ended(pid), "process %ld is still there", pid);
}

bool site_logged(const char *part)
{
    for (size_t i = 0; i < site.run.log_count; i++)
        if (strstr(site.run.log[i], part))
            return true;
    return false;
}
