#ifndef TASKCORE_APPS_SETTINGS_SETTING_FAMILY_H
#define TASKCORE_APPS_SETTINGS_SETTING_FAMILY_H

/**
 * @file setting_family.h
 * Settings whose names are not ours: TASK_KAFKA_SASL_USERNAME=x is the option "sasl.username"
 * of the row TASK_KAFKA_, which passes it on.
 */

#include "apps/settings/settings.h"

/** True for a name that begins with the row's and goes on, but not for NAME_FILE. */
bool setting_family_has(const struct setting *row, const char *name);

/** Set the option that `name`, the whole one, speaks of; the latest value counts.
 *  @return TC_OK; TC_INVALID: a bad name, too long, or too many. */
enum tc_code setting_family_put(const struct setting *row, const char *name, const char *text,
                                void *values, struct tc_error *err) TC_MUST_CHECK;

/** Take from the environment every variable, and every NAME_FILE, of the family. */
enum tc_code setting_family_load(const struct setting *row, void *values,
                                 struct tc_error *err) TC_MUST_CHECK;

/** One line per option, as settings_print(). */
void setting_family_print(const struct setting *row, const void *values, FILE *out);

#endif
