#ifndef TASKCORE_APPS_TASKWORKER_TASKWORKER_SETTINGS_H
#define TASKCORE_APPS_TASKWORKER_TASKWORKER_SETTINGS_H

/** @file taskworker_settings.h What an operator can set of taskworker. */

#include "apps/process/process_settings.h"
#include "apps/service/service_settings.h"

#define TASKWORKER_QUEUES_MAX 32

struct taskworker_settings {
    char admin_listen[SETTING_TEXT_SIZE];
    int64_t workers;
    char queues[SETTING_TEXT_SIZE];
    struct database_settings database;
    struct cluster_settings cluster;
    struct work_settings work;
    struct process_settings process;
};

/** The names in `queues`, apart. */
struct taskworker_queues {
    char text[SETTING_TEXT_SIZE];
    const char *names[TASKWORKER_QUEUES_MAX]; /**< into `text` */
    size_t count;                             /**< 0: all */
};

extern const struct settings taskworker_settings_table;

/** What single rows cannot say. @return TC_OK; TC_INVALID naming the setting. */
enum tc_code taskworker_settings_check(const struct taskworker_settings *settings,
                                       struct tc_error *err) TC_MUST_CHECK;

/** @return false: an empty or bad name, or too many. */
bool taskworker_queues_parse(const char *text, struct taskworker_queues *ret_queues);

#endif
