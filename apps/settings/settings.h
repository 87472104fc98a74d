#ifndef TASKCORE_APPS_SETTINGS_SETTINGS_H
#define TASKCORE_APPS_SETTINGS_SETTINGS_H

/**
 * @file settings.h
 * Settings of a process, from one table: a row gives parsing, --help, --print-config and its
 * line of the page docs/configuration.md. A table is made of groups of rows, so that what
 * several programs share is written once.
 *
 * Precedence: flag (--lease-ms 5000) > environment (TASK_LEASE_MS) > file (lease_ms = 5000,
 * or section [lease] with ms = 5000) > default. An empty value means "not set". A bad value
 * stops the start with a message that names the setting.
 */

#include "core/domain/error.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define SETTING_TEXT_SIZE   1024
#define SETTING_NAME_SIZE   128 /**< of a variable, with its NUL */
#define SETTING_OPTION_SIZE 64
#define SETTING_OPTIONS_MAX 32

enum setting_kind {
    SETTING_TEXT,   /**< char[SETTING_TEXT_SIZE] */
    SETTING_NUMBER, /**< int64_t, min..max */
    SETTING_CHOICE, /**< int: the index of a word of `choices` */
    SETTING_RANGE,  /**< struct setting_range: "2-5" or "3", each min..max */
    SETTING_FAMILY, /**< struct setting_family: every variable that begins with the name */
};

struct setting_range {
    int64_t low;
    int64_t high;
};

/** One of a family: TASK_KAFKA_SASL_USERNAME of TASK_KAFKA_ is "sasl.username". */
struct setting_option {
    char name[SETTING_OPTION_SIZE];
    char value[SETTING_TEXT_SIZE];
};

struct setting_family {
    size_t count;
    struct setting_option options[SETTING_OPTIONS_MAX];
};

struct setting {
    const char *name; /**< of the environment variable: "TASK_LEASE_MS" */
    enum setting_kind kind;
    size_t offset; /**< of the value in the struct of the row's group */
    const char *fallback;
    int64_t min;
    int64_t max;
    const char *choices; /**< CHOICE: words with '|' between them */
    bool secret;         /**< masked when printed; NAME_FILE names a file that holds it. Of a
                              FAMILY: options whose names say so are, each has its NAME_FILE */
    /** Secret TEXT: write what may be shown of it. NULL: "***". */
    void (*mask)(const char *value, char *ret_text, size_t size);
    bool (*is_valid)(const char *value); /**< TEXT: NULL takes any */
    const char *rule;                    /**< TEXT with is_valid: what is asked for */
    const char *help;
};

/** Rows, the last one's name NULL, whose offsets begin at `offset` of the program's struct. */
struct settings_group {
    const struct setting *rows;
    size_t offset;
};

/** A table; the last group's rows are NULL. */
struct settings {
    const char *program; /**< "taskapi" */
    const struct settings_group *groups;
};

/** What the command line asks for besides settings. */
enum settings_request {
    SETTINGS_RUN,
    SETTINGS_HELP,
    SETTINGS_VERSION,
    SETTINGS_PRINT_CONFIG,
    SETTINGS_PRINT_DOCS, /**< --print-config-docs: the table of docs/configuration.md */
};

/**
 * Fill `values` (the struct that the offsets speak of) from all sources. The file is named
 * by --config or TASK_CONFIG.
 * @return TC_OK; TC_INVALID with a message that names the setting, flag or line.
 */
enum tc_code settings_load(const struct settings *settings, int argc, char **argv, void *values,
                           enum settings_request *ret_request,
                           struct tc_error *err) TC_MUST_CHECK;

/** How many arguments a flag of settings_load() takes from argv[at] on, itself included, 0:
 *  it is none of ours. For programs whose arguments are not settings alone. */
int settings_flag_length(const struct settings *settings, int argc, char **argv, int at);

/** True when a variable of this name would be read; NAME_FILE of secrets, too. */
bool settings_know(const struct settings *settings, const char *name);

/** A variable of the environment that begins with TASK_ and that no row knows, or NULL;
 *  call again with `*at` (0 to start). */
const char *settings_next_unknown(const struct settings *settings, size_t *at);

/** One line per setting: NAME=value, secrets masked; readable as an env file. */
void settings_print(const struct settings *settings, const void *values, FILE *out);

void settings_print_help(const struct settings *settings, FILE *out);

/** All settings of `programs` (the last one NULL) as one table in Markdown. */
void settings_print_docs(const struct settings *const *programs, FILE *out);

#endif
