#ifndef TASKCORE_APPS_TASKPUBLISHER_TASKPUBLISHER_SETTINGS_H
#define TASKCORE_APPS_TASKPUBLISHER_TASKPUBLISHER_SETTINGS_H

/** @file taskpublisher_settings.h What an operator can set of taskpublisher. */

#include "apps/process/process_settings.h"
#include "apps/service/service_settings.h"

struct taskpublisher_settings {
    char admin_listen[SETTING_TEXT_SIZE];
    struct database_settings database;
    struct cluster_settings cluster;
    struct process_settings process;
};

extern const struct settings taskpublisher_settings_table;

/** What single rows cannot say. @return TC_OK; TC_INVALID naming the setting. */
enum tc_code taskpublisher_settings_check(const struct taskpublisher_settings *settings,
                                          struct tc_error *err) TC_MUST_CHECK;

#endif
