#include "apps/taskworker/taskworker_settings.h"

#include "core/domain/task_spec.h"

#include <string.h>

bool taskworker_queues_parse(const char *text, struct taskworker_queues *ret_queues)
{
    struct taskworker_queues *queues = ret_queues;
    char *name = queues->text;

    snprintf(queues->text, sizeof(queues->text), "%s", text);
    queues->count = 0;
    while (queues->text[0]) {
        char *comma = strchr(name, ',');

        if (comma)
            *comma = '\0';
        if (!tc_name_is_valid(tc_bytes_of(name)) || queues->count == TASKWORKER_QUEUES_MAX)
            return false;
        queues->names[queues->count++] = name;
        if (!comma)
            break;
        name = comma + 1;
    }
    return true;
}

static bool is_queue_list(const char *value)
{
    struct taskworker_queues queues;

    return taskworker_queues_parse(value, &queues);
}

#define AT(field) offsetof(struct taskworker_settings, field)

static const struct setting rows[] = {
    { .name = "TASK_WORKERS",
      .kind = SETTING_NUMBER,
      .offset = AT(workers),
      .fallback = "8",
      .min = 1,
      .max = 256,
      .help = "tasks that run in this process at a time" },
    { .name = "TASK_QUEUES",
      .kind = SETTING_TEXT,
      .offset = AT(queues),
      .fallback = "",
      .is_valid = is_queue_list,
      .rule = "up to 32 names with commas between them",
      .help = "queues whose tasks this process runs; by default all" },
    { .name = "TASK_ADMIN_LISTEN",
      .kind = SETTING_TEXT,
      .offset = AT(admin_listen),
      .fallback = "127.0.0.1:8001",
      .help = "address and port of /health, /livez, /readyz, /metrics, /version of a worker; "
              "port 0 takes a free one" },
    { .name = NULL },
};

static const struct settings_group groups[] = {
    { database_setting_rows, AT(database) }, { cluster_setting_rows, AT(cluster) }, { rows, 0 },
    { work_setting_rows, AT(work) },         { process_setting_rows, AT(process) }, { NULL, 0 },
};

const struct settings taskworker_settings_table = { .program = "taskworker", .groups = groups };

enum tc_code taskworker_settings_check(const struct taskworker_settings *settings,
                                       struct tc_error *err)
{
    enum tc_code code = database_settings_check_shared(&settings->database, "taskworker", err);

    return code == TC_OK ? work_settings_check(&settings->work, err) : code;
}
