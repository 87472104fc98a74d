#include "apps/taskctl/taskctl_settings.h"

static const struct settings_group groups[] = {
    { database_setting_rows, offsetof(struct taskctl_settings, database) },
    { NULL, 0 },
};

const struct settings taskctl_settings_table = { .program = "taskctl", .groups = groups };
