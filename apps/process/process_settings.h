#ifndef TASKCORE_APPS_PROCESS_SETTINGS_H
#define TASKCORE_APPS_PROCESS_SETTINGS_H

/** @file process_settings.h Settings that every long-running program has. */

#include "apps/settings/settings.h"

enum process_log_format {
    PROCESS_LOG_AUTO, /**< text on a terminal, else JSON */
    PROCESS_LOG_TEXT,
    PROCESS_LOG_JSON,
};

struct process_settings {
    int log_level; /**< enum tc_log_level */
    int log_format;
};

extern const struct setting process_setting_rows[];

#endif
