#ifndef TASKCORE_APPS_PROCESS_H
#define TASKCORE_APPS_PROCESS_H

/**
 * @file process.h
 * The life of a program that serves until it is told to stop, the same for all of them:
 * settings, requests such as --help, logger, signals, start, stop, end.
 *
 * Exit statuses: 0 told to stop and stopped, 1 it could not start, 2 a bad setting or argument.
 */

#include "apps/process/process_settings.h"
#include "core/domain/error.h"

#include <signal.h>

struct process;
struct service;
struct tc_logger;

/** What is particular to a program. Static. */
struct program {
    const struct settings *settings;
    const char *about;                     /**< a line for --help */
    void *values;                          /**< the struct that the settings fill */
    const struct process_settings *shared; /**< within it */
    /** What single rows cannot say; NULL: nothing. @return TC_OK; TC_INVALID. */
    enum tc_code (*check)(struct tc_error *err);
    /** Open all adapters and begin to work; what failed half-way is left to close(). */
    enum tc_code (*open)(struct process *process, struct tc_error *err);
    /** Told to stop: bring the work to its end. */
    void (*stop)(struct process *process);
    /** Close everything. False: a thread still uses it, so the process must end hard. */
    bool (*close)(struct process *process);
};

/** A running program. */
struct process {
    const struct program *program;
    struct tc_logger *logger;
    sigset_t stop_signals; /**< SIGTERM and SIGINT, blocked in every thread */
};

/** All of main(). @return the exit status. */
int process_main(const struct program *program, int argc, char **argv);

/**
 * Drain the workers of `service` for `drain_ms`; one more stop signal cuts that short. Blocks
 * for drain_ms + 2 s at most.
 */
void process_drain(struct process *process, struct service *service, int64_t drain_ms);

/** An error of an adapter that a setting is to blame for: "NAME: …" unless `code` is TC_OK. */
enum tc_code process_blame(enum tc_code code, const char *setting, struct tc_error *err);

/** "0.1.0", and the commit of the source, "unknown" when not known. */
const char *process_version(void);
const char *process_commit(void);

/** Answer a request that is not SETTINGS_RUN, on standard output. */
void process_answer(enum settings_request request, const struct program *program);

#endif
