#ifndef TASKCORE_APPS_TASKAPI_TASKAPI_SETTINGS_H
#define TASKCORE_APPS_TASKAPI_TASKAPI_SETTINGS_H

/** @file taskapi_settings.h What an operator can set of taskapi; the table in the .c file. */

#include "apps/settings/settings.h"
#include "core/domain/policy.h"

enum taskapi_log_format {
    TASKAPI_LOG_AUTO, /**< text on a terminal, else JSON */
    TASKAPI_LOG_TEXT,
    TASKAPI_LOG_JSON,
};

struct taskapi_settings {
    char listen[SETTING_TEXT_SIZE];
    char database_url[SETTING_TEXT_SIZE];
    char default_type[SETTING_TEXT_SIZE];
    char docs_dir[SETTING_TEXT_SIZE];
    int64_t workers;
    struct setting_range demo_seconds;
    int64_t lease_ms;
    int64_t payload_max;
    int64_t result_max;
    int64_t retry_min_ms;
    int64_t retry_max_ms;
    int64_t max_crashes;
    int64_t drain_ms;
    int64_t connections;
    int64_t request_ms;
    int log_level; /**< enum tc_log_level */
    int log_format;
};

extern const struct settings taskapi_settings_table;

/** What single rows cannot say. @return TC_OK; TC_INVALID naming the setting. */
enum tc_code taskapi_settings_check(const struct taskapi_settings *settings,
                                    struct tc_error *err) TC_MUST_CHECK;

/** The settings that the rules of core/ need. */
struct tc_policy taskapi_settings_policy(const struct taskapi_settings *settings);

#endif
