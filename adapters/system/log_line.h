#ifndef TASKCORE_ADAPTERS_SYSTEM_LOG_LINE_H
#define TASKCORE_ADAPTERS_SYSTEM_LOG_LINE_H

/** @file log_line.h A line of bounded length, built in place. For system_logger.c. */

#include "core/domain/content.h"

#include <stdint.h>

#define LOG_LINE_SIZE 4096 /**< PIPE_BUF: what a pipe takes in one piece */

struct log_line {
    char text[LOG_LINE_SIZE];
    size_t len;
};

/** Append as it is; what does not fit is dropped. */
void log_line_add(struct log_line *line, const char *text);

/**
 * Append foreign text of which nothing may act on a terminal or forge a line: control
 * characters, DEL, C1, bidirectional and line separators become \\uXXXX, bytes that are no
 * UTF-8 become \\ufffd, a backslash and (`quotes`) a double quote are escaped. Stops with
 * "..." when the line holds `limit` bytes.
 */
void log_line_add_escaped(struct log_line *line, const char *text, bool quotes, size_t limit);

/** Append `2026-01-01T00:00:00.000Z`. Years 0 to 9999. */
void log_line_add_time(struct log_line *line, int64_t ms);

#endif
