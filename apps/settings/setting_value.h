#ifndef TASKCORE_APPS_SETTINGS_SETTING_VALUE_H
#define TASKCORE_APPS_SETTINGS_SETTING_VALUE_H

/** @file setting_value.h One value of one setting: from text and back. */

#include "apps/settings/settings.h"

/** Parse `text` by the row's kind and rule into `values`. @return TC_OK; TC_INVALID. */
enum tc_code setting_parse(const struct setting *row, const char *text, void *values,
                           struct tc_error *err) TC_MUST_CHECK;

/** The value as text that setting_parse() would take, cut at `size`; secrets as "***". */
void setting_format(const struct setting *row, const void *values, char *ret_text, size_t size);

/** What values the row takes, in words: "1..100", "text|json". */
void setting_describe(const struct setting *row, char *ret_text, size_t size);

#endif
