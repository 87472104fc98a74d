#ifndef TASKCORE_PORTS_LOGGER_H
#define TASKCORE_PORTS_LOGGER_H

/**
 * @file logger.h
 * Port: one line for whoever runs the service. Any thread; blocks at most for one write.
 * Never payloads, results or secrets in a message.
 */

#include "core/domain/error.h"
#include "core/domain/id.h"

#include <stdarg.h>

enum tc_log_level {
    TC_LOG_DEBUG,
    TC_LOG_INFO,
    TC_LOG_WARN,
    TC_LOG_ERROR,
};

/** What the line is about. */
struct tc_log_subject {
    const char *request_id;      /**< NULL: none */
    const struct tc_id *task_id; /**< NULL: none */
};

struct tc_logger;

struct tc_logger_ops {
    /** Write one line; control characters are escaped. `subject` NULL: none. */
    void (*write)(struct tc_logger *logger, enum tc_log_level level,
                  const struct tc_log_subject *subject, const char *message);
};

struct tc_logger {
    const struct tc_logger_ops *ops;
    enum tc_log_level threshold; /**< lines below it are dropped before they are made */
};

/** Format (cut at 1000 bytes) and write. `logger` NULL: drop. */
void tc_log(struct tc_logger *logger, enum tc_log_level level,
            const struct tc_log_subject *subject, const char *fmt, ...) TC_PRINTF(4, 5);

/** "debug", …. */
const char *tc_log_level_name(enum tc_log_level level);

#endif
