#ifndef TESTS_APPS_SETTINGS_CASE_H
#define TESTS_APPS_SETTINGS_CASE_H

/** @file settings_case.h Loading settings as main() does, and where they come to lie. */

#include "apps/taskapi/taskapi_settings.h"

extern struct taskapi_settings values;
extern enum settings_request request;
extern struct tc_error err;

/** Fixture: no setting of taskapi in the environment. */
void settings_case_setup(void);

/** `args` as argv, NULL at the end. */
enum tc_code load_table(const struct settings *table, const char *const *args,
                        void *ret_values);
enum tc_code load(const char *const *args);

/** With this in the environment and no arguments. */
enum tc_code load_env(const char *name, const char *value);

/** A file with this text; the path is good until the next call. The caller unlinks it. */
char *write_file(const char *text);

#endif
