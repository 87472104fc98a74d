#include "apps/service/service_settings.h"

#include "apps/service/service_url.h"
#include "core/domain/lease.h"

#define MIB (INT64_C(1024) * 1024)

const struct setting database_setting_rows[] = {
    { .name = "TASK_DATABASE_URL",
      .kind = SETTING_TEXT,
      .offset = offsetof(struct database_settings, url),
      .fallback = "sqlite:taskcore.db",
      .secret = true,
      .mask = service_url_mask,
      .is_valid = service_knows_database_url,
      .rule = SERVICE_DATABASE_URLS,
      .help = "where tasks are stored; memory: forgets them when the process ends; "
              "a PostgreSQL URL is libpq's, with its TLS parameters" },
    { .name = NULL },
};

#define CLUSTER(field) offsetof(struct cluster_settings, field)

const struct setting cluster_setting_rows[] = {
    { .name = "TASK_DATABASE_POOLER",
      .kind = SETTING_CHOICE,
      .offset = CLUSTER(pooler),
      .fallback = "none",
      .choices = "none|transaction",
      .help = "transaction: PostgreSQL is reached through a pooler in transaction mode, so "
              "nothing is prepared and nothing listened to" },
    { .name = "TASK_QUEUE_URL",
      .kind = SETTING_TEXT,
      .offset = CLUSTER(queue_url),
      .fallback = "",
      .is_valid = service_knows_queue_url,
      .rule = SERVICE_QUEUE_URLS,
      .help = "Kafka carries hints to the workers; by default PostgreSQL does" },
    { .name = "TASK_ANNOUNCE",
      .kind = SETTING_CHOICE,
      .offset = CLUSTER(announce),
      .fallback = "direct",
      .choices = "direct|publisher",
      .help = "who tells Kafka of new tasks: taskapi at once, or taskpublisher alone; "
              "the same in all programs" },
    { .name = "TASK_KAFKA_",
      .kind = SETTING_FAMILY,
      .offset = CLUSTER(kafka),
      .secret = true,
      .help = "passed on to librdkafka: TASK_KAFKA_SASL_USERNAME is sasl.username; "
              "in the file in section [kafka]" },
    { .name = NULL },
};

#define WORK(field) offsetof(struct work_settings, field)

const struct setting work_setting_rows[] = {
    { .name = "TASK_HANDLERS",
      .kind = SETTING_TEXT,
      .offset = WORK(handlers),
      .fallback = "",
      .help = "file that says what does the work of each type (docs/handlers.md)" },
    { .name = "TASK_DEMO_SECONDS",
      .kind = SETTING_RANGE,
      .offset = WORK(demo_seconds),
      .fallback = "2-5",
      .min = 0,
      .max = 3600,
      .help = "seconds that demo.process and demo.parity take" },
    { .name = "TASK_LEASE_MS",
      .kind = SETTING_NUMBER,
      .offset = WORK(lease_ms),
      .fallback = "30000",
      .min = TC_LEASE_MIN_MS,
      .max = TC_LEASE_MAX_MS,
      .help = "milliseconds that a worker holds a task without a heartbeat" },
    { .name = "TASK_RESULT_MAX",
      .kind = SETTING_NUMBER,
      .offset = WORK(result_max),
      .fallback = "1048576",
      .min = 2,
      .max = 15 * MIB,
      .help = "bytes of the largest result" },
    { .name = "TASK_RETRY_MIN_MS",
      .kind = SETTING_NUMBER,
      .offset = WORK(retry_min_ms),
      .fallback = "4000",
      .min = 1,
      .max = TC_DELAY_MAX_MS,
      .help = "milliseconds of the first wait between attempts" },
    { .name = "TASK_RETRY_MAX_MS",
      .kind = SETTING_NUMBER,
      .offset = WORK(retry_max_ms),
      .fallback = "600000",
      .min = 1,
      .max = TC_DELAY_MAX_MS,
      .help = "milliseconds of the longest wait between attempts" },
    { .name = "TASK_DRAIN_MS",
      .kind = SETTING_NUMBER,
      .offset = WORK(drain_ms),
      .fallback = "20000",
      .min = 0,
      .max = 3600000,
      .help = "milliseconds that running tasks get to end after SIGTERM" },
    { .name = NULL },
};

void service_settings_apply(const struct database_settings *database,
                            struct cluster_settings *cluster, struct service_config *config)
{
    for (size_t i = 0; i < cluster->kafka.count; i++)
        cluster->kafka_options[i] = (struct kafka_option){
            .name = cluster->kafka.options[i].name,
            .value = cluster->kafka.options[i].value,
        };
    config->database_url = database->url;
    config->transaction_pooler = cluster->pooler != 0;
    config->queue_url = cluster->queue_url;
    config->kafka_options = cluster->kafka_options;
    config->kafka_option_count = cluster->kafka.count;
    config->announce = (enum service_announce)cluster->announce;
    config->names_settings = true;
}

void work_settings_apply(const struct work_settings *work, struct tc_policy *policy)
{
    policy->lease_ms = work->lease_ms;
    policy->result_max = (size_t)work->result_max;
    policy->retry_min_ms = work->retry_min_ms;
    policy->retry_max_ms = work->retry_max_ms;
}

enum tc_code work_settings_check(const struct work_settings *work, struct tc_error *err)
{
    if (work->retry_max_ms < work->retry_min_ms)
        return tc_fail(err, TC_INVALID,
                       "TASK_RETRY_MAX_MS='%lld': must not be below TASK_RETRY_MIN_MS",
                       (long long)work->retry_max_ms);
    return TC_OK;
}

enum tc_code database_settings_check_shared(const struct database_settings *database,
                                            const char *program, struct tc_error *err)
{
    if (!service_database_is_shared(database->url))
        return tc_fail(err, TC_INVALID,
                       "TASK_DATABASE_URL: %s needs postgresql://...; only taskapi, in its own "
                       "process, works on SQLite or memory",
                       program);
    return TC_OK;
}
