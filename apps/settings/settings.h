#ifndef TASKCORE_APPS_SETTINGS_SETTINGS_H
#define TASKCORE_APPS_SETTINGS_SETTINGS_H

/**
 * @file settings.h
 * Settings of a process, from one table: a row gives parsing, --help, --print-config and the
 * page docs/configuration.md.
 *
 * Precedence: flag (--lease-ms 5000) > environment (TASK_LEASE_MS) > file (lease_ms = 5000,
 * or section [lease] with ms = 5000) > default. An empty value means "not set". A bad value
 * stops the start with a message that names the setting.
 */

#include "core/domain/error.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define SETTING_TEXT_SIZE 512

enum setting_kind {
    SETTING_TEXT,   /**< char[SETTING_TEXT_SIZE] */
    SETTING_NUMBER, /**< int64_t, min..max */
    SETTING_CHOICE, /**< int: the index of a word of `choices` */
    SETTING_RANGE,  /**< struct setting_range: "2-5" or "3", each min..max */
};

struct setting_range {
    int64_t low;
    int64_t high;
};

struct setting {
    const char *name; /**< of the environment variable: "TASK_LEASE_MS" */
    enum setting_kind kind;
    size_t offset; /**< of the value in the process's own struct */
    const char *fallback;
    int64_t min;
    int64_t max;
    const char *choices; /**< CHOICE: words with '|' between them */
    bool secret;         /**< masked when printed; NAME_FILE names a file that holds it */
    bool (*is_valid)(const char *value); /**< TEXT: NULL takes any */
    const char *rule;                    /**< TEXT with is_valid: what is asked for */
    const char *help;
};

/** A table; the last row's name is NULL. */
struct settings {
    const char *program; /**< "taskapi" */
    const struct setting *rows;
};

/** What the command line asks for besides settings. */
enum settings_request {
    SETTINGS_RUN,
    SETTINGS_HELP,
    SETTINGS_VERSION,
    SETTINGS_PRINT_CONFIG,
    SETTINGS_PRINT_DOCS, /**< --print-config-docs: the page docs/configuration.md */
};

/**
 * Fill `values` (the struct that the offsets speak of) from all sources. The file is named
 * by --config or TASK_CONFIG.
 * @return TC_OK; TC_INVALID with a message that names the setting, flag or line.
 */
enum tc_code settings_load(const struct settings *settings, int argc, char **argv, void *values,
                           enum settings_request *ret_request,
                           struct tc_error *err) TC_MUST_CHECK;

/** A variable of the environment that begins with TASK_ and that no row knows, or NULL;
 *  call again with `*at` (0 to start). */
const char *settings_next_unknown(const struct settings *settings, size_t *at);

/** One line per setting: NAME=value, secrets masked; readable by a shell and as an env file. */
void settings_print(const struct settings *settings, const void *values, FILE *out);

void settings_print_help(const struct settings *settings, FILE *out);

/** The same as a table in Markdown. */
void settings_print_docs(const struct settings *settings, FILE *out);

#endif
