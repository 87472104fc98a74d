#include "apps/taskapi/taskapi_settings.h"

#include "apps/embedded/service.h"
#include "core/domain/lease.h"
#include "core/domain/task_spec.h"

#include <string.h>

#define MIB (INT64_C(1024) * 1024)

static bool is_type(const char *value)
{
    return tc_name_is_valid(tc_bytes_of(value));
}

#define AT(field) offsetof(struct taskapi_settings, field)

static const struct setting rows[] = {
    { .name = "TASK_LISTEN",
      .kind = SETTING_TEXT,
      .offset = AT(listen),
      .fallback = "127.0.0.1:8000",
      .help = "address and port of the HTTP API; port 0 takes a free one" },
    { .name = "TASK_DATABASE_URL",
      .kind = SETTING_TEXT,
      .offset = AT(database_url),
      .fallback = "sqlite:taskcore.db",
      .is_valid = service_knows_url,
      .rule = "sqlite:PATH or memory:",
      .help = "where tasks are stored; memory: forgets them when the process ends" },
    { .name = "TASK_WORKERS",
      .kind = SETTING_NUMBER,
      .offset = AT(workers),
      .fallback = "8",
      .min = 0,
      .max = 256,
      .help = "threads that run tasks in this process; 0: none, it only stores" },
    { .name = "TASK_DEMO_SECONDS",
      .kind = SETTING_RANGE,
      .offset = AT(demo_seconds),
      .fallback = "2-5",
      .min = 0,
      .max = 3600,
      .help = "seconds that demo.process and demo.parity take" },
    { .name = "TASK_DEFAULT_TYPE",
      .kind = SETTING_TEXT,
      .offset = AT(default_type),
      .fallback = "demo.process",
      .is_valid = is_type,
      .rule = "1..64 of a-z, 0-9, '.', '_' and '-'",
      .help = "type of a task whose creator gives none" },
    { .name = "TASK_LEASE_MS",
      .kind = SETTING_NUMBER,
      .offset = AT(lease_ms),
      .fallback = "30000",
      .min = TC_LEASE_MIN_MS,
      .max = TC_LEASE_MAX_MS,
      .help = "milliseconds that a worker holds a task without a heartbeat" },
    { .name = "TASK_PAYLOAD_MAX",
      .kind = SETTING_NUMBER,
      .offset = AT(payload_max),
      .fallback = "1048576",
      .min = 2,
      .max = 15 * MIB,
      .help = "bytes of the largest payload" },
    { .name = "TASK_RESULT_MAX",
      .kind = SETTING_NUMBER,
      .offset = AT(result_max),
      .fallback = "1048576",
      .min = 2,
      .max = 15 * MIB,
      .help = "bytes of the largest result" },
    { .name = "TASK_RETRY_MIN_MS",
      .kind = SETTING_NUMBER,
      .offset = AT(retry_min_ms),
      .fallback = "4000",
      .min = 1,
      .max = TC_DELAY_MAX_MS,
      .help = "milliseconds of the first wait between attempts" },
    { .name = "TASK_RETRY_MAX_MS",
      .kind = SETTING_NUMBER,
      .offset = AT(retry_max_ms),
      .fallback = "600000",
      .min = 1,
      .max = TC_DELAY_MAX_MS,
      .help = "milliseconds of the longest wait between attempts" },
    { .name = "TASK_MAX_CRASHES",
      .kind = SETTING_NUMBER,
      .offset = AT(max_crashes),
      .fallback = "3",
      .min = 0,
      .max = TC_MAX_CRASHES_MAX,
      .help = "max_crashes of a task whose creator gives none" },
    { .name = "TASK_DRAIN_MS",
      .kind = SETTING_NUMBER,
      .offset = AT(drain_ms),
      .fallback = "20000",
      .min = 0,
      .max = 3600000,
      .help = "milliseconds that running tasks get to end after SIGTERM" },
    { .name = "TASK_HTTP_CONNECTIONS",
      .kind = SETTING_NUMBER,
      .offset = AT(connections),
      .fallback = "512",
      .min = 4,
      .max = 16384,
      .help = "connections served at a time; each costs a thread" },
    { .name = "TASK_REQUEST_MS",
      .kind = SETTING_NUMBER,
      .offset = AT(request_ms),
      .fallback = "10000",
      .min = 100,
      .max = 600000,
      .help = "milliseconds within which a request's head and body must have come" },
    { .name = "TASK_DOCS_DIR",
      .kind = SETTING_TEXT,
      .offset = AT(docs_dir),
      .fallback = "",
      .help = "folder of Swagger UI's files; by default the one found at build time" },
    { .name = "TASK_LOG_LEVEL",
      .kind = SETTING_CHOICE,
      .offset = AT(log_level),
      .fallback = "info",
      .choices = "debug|info|warn|error",
      .help = "least level logged" },
    { .name = "TASK_LOG_FORMAT",
      .kind = SETTING_CHOICE,
      .offset = AT(log_format),
      .fallback = "auto",
      .choices = "auto|text|json",
      .help = "auto: text on a terminal, else JSON lines" },
    { .name = NULL },
};

const struct settings taskapi_settings_table = { .program = "taskapi", .rows = rows };

enum tc_code taskapi_settings_check(const struct taskapi_settings *settings,
                                    struct tc_error *err)
{
    if (settings->retry_max_ms < settings->retry_min_ms)
        return tc_fail(err, TC_INVALID,
                       "TASK_RETRY_MAX_MS='%lld': must not be below TASK_RETRY_MIN_MS",
                       (long long)settings->retry_max_ms);
    return TC_OK;
}

struct tc_policy taskapi_settings_policy(const struct taskapi_settings *settings)
{
    struct tc_policy policy = tc_policy_default();

    memcpy(policy.default_type, settings->default_type, strlen(settings->default_type) + 1);
    policy.default_max_crashes = (int)settings->max_crashes;
    policy.payload_max = (size_t)settings->payload_max;
    policy.result_max = (size_t)settings->result_max;
    policy.retry_min_ms = settings->retry_min_ms;
    policy.retry_max_ms = settings->retry_max_ms;
    policy.lease_ms = settings->lease_ms;
    return policy;
}
