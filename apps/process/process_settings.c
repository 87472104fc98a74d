#include "apps/process/process_settings.h"

#define AT(field) offsetof(struct process_settings, field)

const struct setting process_setting_rows[] = {
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
