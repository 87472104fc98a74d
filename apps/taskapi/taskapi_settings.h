#ifndef TASKCORE_APPS_TASKAPI_TASKAPI_SETTINGS_H
#define TASKCORE_APPS_TASKAPI_TASKAPI_SETTINGS_H

/** @file taskapi_settings.h What an operator can set of taskapi; the table in the .c file. */

#include "apps/process/process_settings.h"
#include "apps/service/service_settings.h"
#include "core/domain/policy.h"

struct taskapi_settings {
    char listen[SETTING_TEXT_SIZE];
    char default_type[SETTING_TEXT_SIZE];
    char docs_dir[SETTING_TEXT_SIZE];
    int64_t workers;
    int64_t payload_max;
    int64_t max_crashes;
    int64_t connections;
    int64_t request_ms;
    struct database_settings database;
    struct cluster_settings cluster;
    struct work_settings work;
    struct process_settings process;
};

extern const struct settings taskapi_settings_table;

/** What single rows cannot say. @return TC_OK; TC_INVALID naming the setting. */
enum tc_code taskapi_settings_check(const struct taskapi_settings *settings,
                                    struct tc_error *err) TC_MUST_CHECK;

/** Those of its own that the rules of core/ need; work.h adds the others. */
struct tc_policy taskapi_settings_policy(const struct taskapi_settings *settings);

#endif
