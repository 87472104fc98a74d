#include "apps/process/process.h"

#include "adapters/system/system_clock.h"
#include "adapters/system/system_logger.h"
#include "apps/process/programs.h"
#include "taskcore_version.h" /* made at build time */

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#define BAD_USAGE 2

const char *process_version(void)
{
    return TASKCORE_VERSION;
}

const char *process_commit(void)
{
    return TASKCORE_COMMIT;
}

enum tc_code process_blame(enum tc_code code, const char *setting, struct tc_error *err)
{
    if (code == TC_OK)
        return TC_OK;

    struct tc_error inner = *err;

    return tc_fail(err, code, "%s: %.220s", setting, inner.message);
}

void process_answer(enum settings_request request, const struct program *program)
{
    const char *name = program->settings->program;

    switch (request) {
    case SETTINGS_HELP:
        printf("%s: %s\n\n"
               "usage: %s [--NAME VALUE]... [--config FILE]\n"
               "       %s --help | --version | --print-config | --print-config-docs\n\n",
               name, program->about, name, name);
        settings_print_help(program->settings, stdout);
        break;
    case SETTINGS_VERSION:
        printf("%s %s (%s)\n", name, process_version(), process_commit());
        break;
    case SETTINGS_PRINT_CONFIG:
        settings_print(program->settings, program->values, stdout);
        break;
    case SETTINGS_PRINT_DOCS:
        settings_print_docs(programs, stdout);
        break;
    case SETTINGS_RUN:
        break;
    }
}

static enum tc_code open_logger(struct process *process, struct tc_error *err)
{
    const struct process_settings *settings = process->program->shared;
    bool is_text = settings->log_format == PROCESS_LOG_TEXT ||
                   (settings->log_format == PROCESS_LOG_AUTO && isatty(STDERR_FILENO));
    const struct system_logger_config config = {
        .fd = STDERR_FILENO,
        .format = is_text ? SYSTEM_LOG_TEXT : SYSTEM_LOG_JSON,
        .threshold = (enum tc_log_level)settings->log_level,
        .clock = system_clock(),
        .name = process->program->settings->program,
    };

    return system_logger_open(&config, &process->logger, err);
}

/* What another program reads is no mistake: they share one environment file. */
static void warn_unknown(struct process *process)
{
    const struct settings *settings = process->program->settings;
    const char *name;

    for (size_t at = 0; (name = settings_next_unknown(settings, &at));)
        if (!programs_know(name))
            tc_log(process->logger, TC_LOG_WARN, NULL, "%s is no setting of %s; ignored", name,
                   settings->program);
}

/* Stop signals are taken by sigwait() alone, and by no thread; a client that goes away must
 * not end the process. */
static void take_signals(struct process *process)
{
    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&process->stop_signals);
    sigaddset(&process->stop_signals, SIGTERM);
    sigaddset(&process->stop_signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &process->stop_signals, NULL);
}

static enum tc_code open_all(struct process *process, struct tc_error *err)
{
    enum tc_code code = open_logger(process, err);

    if (code != TC_OK)
        return code;
    warn_unknown(process);
    return process->program->open(process, err);
}

static int close_all(struct process *process, int status)
{
    if (!process->program->close(process))
        _exit(status); /* a handler ignores its stop; its task has been given back */
    system_logger_close(process->logger);
    return status;
}

static int run(struct process *process)
{
    struct tc_error err;
    int signal_number;

    if (open_all(process, &err) != TC_OK) {
        if (process->logger)
            tc_log(process->logger, TC_LOG_ERROR, NULL, "cannot start: %s", err.message);
        else
            fprintf(stderr, "%s: cannot start: %s\n", process->program->settings->program,
                    err.message);
        return close_all(process, EXIT_FAILURE);
    }
    sigwait(&process->stop_signals, &signal_number);
    process->program->stop(process);
    tc_log(process->logger, TC_LOG_INFO, NULL, "stopped");
    return close_all(process, EXIT_SUCCESS);
}

static bool shows_values(enum settings_request request)
{
    return request == SETTINGS_RUN || request == SETTINGS_PRINT_CONFIG;
}

int process_main(const struct program *program, int argc, char **argv)
{
    struct process process = { .program = program };
    enum settings_request request = SETTINGS_RUN;
    struct tc_error err;

    enum tc_code code =
        settings_load(program->settings, argc, argv, program->values, &request, &err);

    if (code == TC_OK && shows_values(request) && program->check)
        code = program->check(&err);
    if (code != TC_OK) {
        fprintf(stderr, "%s: %s\n", program->settings->program, err.message);
        return BAD_USAGE;
    }
    if (request != SETTINGS_RUN) {
        process_answer(request, program);
        return EXIT_SUCCESS;
    }
    take_signals(&process);
    return run(&process);
}
