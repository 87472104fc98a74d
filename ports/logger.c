#include "ports/logger.h"

#include <stdio.h>

void tc_log(struct tc_logger *logger, enum tc_log_level level,
            const struct tc_log_subject *subject, const char *fmt, ...)
{
    char message[1001];
    va_list args;

    if (!logger || level < logger->threshold)
        return;
    va_start(args, fmt);
    vsnprintf(message, sizeof(message), fmt, args);
    va_end(args);
    logger->ops->write(logger, level, subject, message);
}

const char *tc_log_level_name(enum tc_log_level level)
{
    switch (level) {
    case TC_LOG_DEBUG:
        return "debug";
    case TC_LOG_INFO:
        return "info";
    case TC_LOG_WARN:
        return "warn";
    case TC_LOG_ERROR:
        return "error";
    }
    return "error";
}
