#ifndef TASKCORE_APPS_TASKCTL_COMMAND_H
#define TASKCORE_APPS_TASKCTL_COMMAND_H

/**
 * @file command.h
 * What taskctl can do: each command is a row in main.c and a function in a command_*.c.
 *
 * Results go to standard output, one line for each thing, in words that do not change; what
 * went wrong goes to standard error.
 */

#include "apps/taskctl/taskctl_settings.h"

/** Exit statuses. */
enum command_status {
    COMMAND_FINE = 0,
    COMMAND_FAILED =
        1, /**< it could not be done, or what was looked at is not as it should be */
    COMMAND_USAGE = 2, /**< bad arguments or settings; nothing was done */
};

struct command {
    const char *name;      /**< one or two words: "migrate status" */
    const char *arguments; /**< for the help: "[--to N]" */
    const char *about;     /**< for the help */
    /** `argv[0..argc)` are the arguments behind the name that are no settings. */
    enum command_status (*run)(const struct taskctl_settings *settings, int argc, char **argv);
};

/* command_migrate.c */
enum command_status command_migrate(const struct taskctl_settings *settings, int argc,
                                    char **argv);
enum command_status command_migrate_status(const struct taskctl_settings *settings, int argc,
                                           char **argv);

/* command_check.c */
enum command_status command_check(const struct taskctl_settings *settings, int argc,
                                  char **argv);

/* command_handlers.c */
enum command_status command_handlers_check(const struct taskctl_settings *settings, int argc,
                                           char **argv);

/** Say on standard error what went wrong. @return COMMAND_FAILED, or COMMAND_USAGE. */
enum command_status command_fail(const struct tc_error *err);
enum command_status command_refuse(const char *argument);

/** True, with a line on standard output, when the store is none of PostgreSQL. */
bool command_is_embedded(const struct taskctl_settings *settings);

#endif
