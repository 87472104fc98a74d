#ifndef TASKCORE_APPS_SETTINGS_SETTING_VALUE_H
#define TASKCORE_APPS_SETTINGS_SETTING_VALUE_H

/** @file setting_value.h One value of one setting, of any kind but a family: text and back. */

#include "apps/settings/settings.h"

/** Parse `text` by the row's kind and rule into `values`. @return TC_OK; TC_INVALID. */
enum tc_code setting_parse(const struct setting *row, const char *text, void *values,
                           struct tc_error *err) TC_MUST_CHECK;

/** The value as text that setting_parse() would take, cut at `size`; secrets masked. */
void setting_format(const struct setting *row, const void *values, char *ret_text, size_t size);

/** What values the row takes, in words: "1..100", "text|json". */
void setting_describe(const struct setting *row, char *ret_text, size_t size);

/** A secret that stands in a file, without the end of its last line, so that no process list
 *  shows it. @return TC_OK; TC_INVALID naming `name`: unreadable, empty or too long. */
enum tc_code setting_read_file(const char *name, const char *path, char *ret_text, size_t size,
                               struct tc_error *err) TC_MUST_CHECK;

#endif
