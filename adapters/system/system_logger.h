#ifndef TASKCORE_ADAPTERS_SYSTEM_LOGGER_H
#define TASKCORE_ADAPTERS_SYSTEM_LOGGER_H

/**
 * @file system_logger.h
 * Log lines to a file descriptor, as text for people or as JSON for machines.
 *
 *     2026-01-01T00:00:00.000Z INFO taskapi: message request_id=… task_id=…
 *     {"time":"2026-01-01T00:00:00.000Z","level":"info","name":"taskapi","message":"…",…}
 *
 * One write() a line, of 4096 bytes at most (what a pipe takes in one piece), so lines of
 * several threads or processes never mix; what does not fit is cut and ends with "...".
 * Control, bidirectional and broken characters are escaped: a message cannot forge a line.
 * A line that cannot be written is lost. Allocates nothing after open.
 */

#include "ports/logger.h"

struct tc_clock;

enum system_log_format {
    SYSTEM_LOG_TEXT,
    SYSTEM_LOG_JSON,
};

struct system_logger_config {
    int fd; /**< stays the caller's */
    enum system_log_format format;
    enum tc_log_level threshold;
    struct tc_clock *clock; /**< borrowed until close */
    const char *name;       /**< of the program, static text; NULL: left out */
};

/** @return TC_OK or TC_NO_MEMORY. */
enum tc_code system_logger_open(const struct system_logger_config *config,
                                struct tc_logger **ret_logger,
                                struct tc_error *err) TC_MUST_CHECK;

/** NULL is fine. */
void system_logger_close(struct tc_logger *logger);

#endif
