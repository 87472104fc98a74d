#include "apps/taskpublisher/taskpublisher_settings.h"

#define AT(field) offsetof(struct taskpublisher_settings, field)

static const struct setting rows[] = {
    { .name = "TASK_ADMIN_LISTEN",
      .kind = SETTING_TEXT,
      .offset = AT(admin_listen),
      .fallback = "127.0.0.1:8002",
      .help = "the same of a publisher" },
    { .name = NULL },
};

static const struct settings_group groups[] = {
    { database_setting_rows, AT(database) },
    { cluster_setting_rows, AT(cluster) },
    { rows, 0 },
    { process_setting_rows, AT(process) },
    { NULL, 0 },
};

const struct settings taskpublisher_settings_table = { .program = "taskpublisher",
                                                       .groups = groups };

enum tc_code taskpublisher_settings_check(const struct taskpublisher_settings *settings,
                                          struct tc_error *err)
{
    enum tc_code code =
        database_settings_check_shared(&settings->database, "taskpublisher", err);

    if (code == TC_OK && !settings->cluster.queue_url[0])
        code = tc_fail(err, TC_INVALID, "TASK_QUEUE_URL: taskpublisher needs %s",
                       SERVICE_QUEUE_URLS);
    return code;
}
