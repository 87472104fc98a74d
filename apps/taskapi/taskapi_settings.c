#include "apps/taskapi/taskapi_settings.h"

#include "core/domain/task_spec.h"

#include <string.h>

#define MIB (INT64_C(1024) * 1024)

static bool is_type(const char *value)
{
    return tc_name_is_valid(tc_bytes_of(value));
}

#define AT(field) offsetof(struct taskapi_settings, field)

static const struct setting listen_rows[] = {
    { .name = "TASK_LISTEN",
      .kind = SETTING_TEXT,
      .offset = AT(listen),
      .fallback = "127.0.0.1:8000",
      .help = "address and port of the HTTP API; port 0 takes a free one" },
    { .name = NULL },
};

static const struct setting rows[] = {
    { .name = "TASK_WORKERS",
      .kind = SETTING_NUMBER,
      .offset = AT(workers),
      .fallback = "8",
      .min = 0,
      .max = 256,
      .help =
          "tasks that run in this process at a time; 0: none, taskworker processes run them" },
    { .name = "TASK_DEFAULT_TYPE",
      .kind = SETTING_TEXT,
      .offset = AT(default_type),
      .fallback = "demo.process",
      .is_valid = is_type,
      .rule = "1..64 of a-z, 0-9, '.', '_' and '-'",
      .help = "type of a task whose creator gives none" },
    { .name = "TASK_PAYLOAD_MAX",
      .kind = SETTING_NUMBER,
      .offset = AT(payload_max),
      .fallback = "1048576",
      .min = 2,
      .max = 15 * MIB,
      .help = "bytes of the largest payload" },
    { .name = "TASK_MAX_CRASHES",
      .kind = SETTING_NUMBER,
      .offset = AT(max_crashes),
      .fallback = "3",
      .min = 0,
      .max = TC_MAX_CRASHES_MAX,
      .help = "max_crashes of a task whose creator gives none" },
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
    { .name = NULL },
};

static const struct settings_group groups[] = {
    { listen_rows, 0 },
    { database_setting_rows, AT(database) },
    { cluster_setting_rows, AT(cluster) },
    { rows, 0 },
    { work_setting_rows, AT(work) },
    { process_setting_rows, AT(process) },
    { NULL, 0 },
};

const struct settings taskapi_settings_table = { .program = "taskapi", .groups = groups };

enum tc_code taskapi_settings_check(const struct taskapi_settings *settings,
                                    struct tc_error *err)
{
    return work_settings_check(&settings->work, err);
}

struct tc_policy taskapi_settings_policy(const struct taskapi_settings *settings)
{
    struct tc_policy policy = tc_policy_default();

    memcpy(policy.default_type, settings->default_type, strlen(settings->default_type) + 1);
    policy.default_max_crashes = (int)settings->max_crashes;
    policy.payload_max = (size_t)settings->payload_max;
    return policy;
}
