#ifndef TESTS_ADAPTERS_EXEC_SITE_H
#define TESTS_ADAPTERS_EXEC_SITE_H

/**
 * @file exec_site.h
 * A folder with programs, a task, and a worker that runs the program for it on the thread of
 * the test. When a test ends, nothing it started may be left: no child, no descriptor.
 */

#include "adapters/exec/exec_handler.h"
#include "tests/support/fakes.h"

#define SITE_LINES_MAX 128

/** One run, and what the worker was told in it. Each thread has its own. */
struct site_run {
    struct tc_run base;
    enum tc_stop_reason stop; /**< what should_stop() says … */
    const char *stop_when;    /**< … once this file of the folder is there; NULL: at once */
    char log[SITE_LINES_MAX][600];
    size_t log_count;
    char progress[TC_PROGRESS_MAX + 1]; /**< the last */
    size_t progress_count;
    struct tc_report report;
    int64_t took_ms;
};

struct exec_site {
    char folder[32];
    struct fake_clock clock;
    struct exec_config config; /**< tests change it before they run */
    struct tc_task task;       /**< likewise */
    struct tc_handler *handler;
    struct site_run run;
    int fd_count; /* at the start of the test */
};

extern struct exec_site site;

/** Fixture. */
void site_setup(void);
/** Fails the test when it has left a child or a descriptor. */
void site_teardown(void);

/** The path of a file in the folder. Four of them may be in use. */
const char *site_path(const char *name);
/** Write an executable shell script that runs in the folder; its path. */
const char *site_script(const char *name, const char *body);
/** What the program wrote into a file of the folder: one number. 0: no such file. */
long site_number(const char *name);

/** Open the handler with `site.config`. */
void site_open(void);
/** Let the open handler run `site.task` into `run`, which is fresh but for its stop. */
void site_run_into(struct site_run *run);
/** Script, open, and run: the report. */
const struct tc_report *site_run(const char *body);
/** The same for a program with its arguments. */
const struct tc_report *site_run_argv(const char *const *argv);

void assert_done(enum tc_content_kind kind, const char *result);
void assert_failed(bool retryable, const char *message);
/** The message has this in it. */
void assert_failed_with(bool retryable, const char *part);
void assert_given_back(void);
/** Wait until this process has ended, a generous time. Fails the test otherwise. */
void assert_ends(long pid);
/** A line of the log has this in it. */
bool site_logged(const char *part);

#endif
