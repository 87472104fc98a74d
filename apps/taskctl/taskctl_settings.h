#ifndef TASKCORE_APPS_TASKCTL_TASKCTL_SETTINGS_H
#define TASKCORE_APPS_TASKCTL_TASKCTL_SETTINGS_H

/** @file taskctl_settings.h What can be set of taskctl besides the arguments of a command. */

#include "apps/service/service_settings.h"

struct taskctl_settings {
    struct database_settings database;
};

extern const struct settings taskctl_settings_table;

#endif
