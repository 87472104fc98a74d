#ifndef TASKCORE_APPS_SETTINGS_SETTINGS_TABLE_H
#define TASKCORE_APPS_SETTINGS_SETTINGS_TABLE_H

/** @file settings_table.h Going through a table, and finding a row by name. */

#include "apps/settings/settings.h"

#define SETTINGS_PREFIX     "TASK_"
#define SETTINGS_PREFIX_LEN (sizeof(SETTINGS_PREFIX) - 1)
#define SETTINGS_CONFIG     SETTINGS_PREFIX "CONFIG"

/** A row and its group. Zeroed: before the first. */
struct settings_place {
    const struct settings_group *group;
    const struct setting *row;
};

/** Step to the next row; false after the last one. */
bool settings_next(const struct settings *settings, struct settings_place *place);

/** The row that a variable's name belongs to: its own, or a family's whose prefix it has. */
bool settings_find(const struct settings *settings, const char *name,
                   struct settings_place *ret_place);

/** The struct that a row's offset speaks of. */
void *settings_values(const struct settings_place *place, void *values);

/** "lease-ms" or "lease_ms", with a section before it or not, to "TASK_LEASE_MS". */
bool settings_make_name(const char *section, const char *key, char *ret_name, size_t size);

#endif
