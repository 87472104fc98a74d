#ifndef TASKCORE_APPS_SERVICE_SETTINGS_H
#define TASKCORE_APPS_SERVICE_SETTINGS_H

/** @file service_settings.h The settings of store, queue and workers, for several programs. */

#include "adapters/kafka/kafka_task_queue.h"
#include "apps/service/service.h"
#include "apps/settings/settings.h"

/** TASK_DATABASE_URL. */
struct database_settings {
    char url[SETTING_TEXT_SIZE];
};

/** What only a store that several processes share has. */
struct cluster_settings {
    int pooler; /**< 1: transaction */
    char queue_url[SETTING_TEXT_SIZE];
    int announce; /**< enum service_announce */
    struct setting_family kafka;
    struct kafka_option kafka_options[SETTING_OPTIONS_MAX]; /**< made of `kafka` */
};

/** How tasks are run. */
struct work_settings {
    char handlers[SETTING_TEXT_SIZE]; /**< the path of a file */
    struct setting_range demo_seconds;
    int64_t lease_ms;
    int64_t result_max;
    int64_t retry_min_ms;
    int64_t retry_max_ms;
    int64_t drain_ms;
};

extern const struct setting database_setting_rows[];
extern const struct setting cluster_setting_rows[];
extern const struct setting work_setting_rows[];

/** The part of a config that comes from these; strings are borrowed from the settings. */
void service_settings_apply(const struct database_settings *database,
                            struct cluster_settings *cluster, struct service_config *config);

void work_settings_apply(const struct work_settings *work, struct tc_policy *policy);

/** What single rows cannot say. @return TC_OK; TC_INVALID naming the setting. */
enum tc_code work_settings_check(const struct work_settings *work,
                                 struct tc_error *err) TC_MUST_CHECK;

/** For programs that make no sense beside a store of one process.
 *  @return TC_OK; TC_INVALID naming TASK_DATABASE_URL. */
enum tc_code database_settings_check_shared(const struct database_settings *database,
                                            const char *program,
                                            struct tc_error *err) TC_MUST_CHECK;

#endif
