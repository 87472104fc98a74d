#include "adapters/system/system_logger.h"

#include "adapters/system/log_line.h"
#include "core/domain/container_of.h"
#include "ports/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define MESSAGE_LIMIT    3500 /* leaves room for what comes behind it */
#define REQUEST_ID_LIMIT 4000

struct system_logger {
    struct tc_logger base;
    struct system_logger_config config;
};

static struct system_logger *self_of(struct tc_logger *logger)
{
    return TC_CONTAINER_OF(logger, struct system_logger, base);
}

static void add_level(struct log_line *line, enum tc_log_level level)
{
    static const char *const names[] = { "DEBUG", "INFO", "WARN", "ERROR" };

    log_line_add(line, names[level > TC_LOG_ERROR ? TC_LOG_ERROR : level]);
}

static void add_text_subject(struct log_line *line, const struct tc_log_subject *subject)
{
    if (subject->request_id) {
        log_line_add(line, " request_id=");
        log_line_add_escaped(line, subject->request_id, false, REQUEST_ID_LIMIT);
    }
    if (subject->task_id) {
        char id[TC_ID_TEXT_SIZE];

        tc_id_format(subject->task_id, id);
        log_line_add(line, " task_id=");
        log_line_add(line, id);
    }
}

static void build_text(struct log_line *line, const struct system_logger_config *config,
                       enum tc_log_level level, const struct tc_log_subject *subject,
                       const char *message)
{
    log_line_add_time(line, tc_clock_now_ms(config->clock));
    log_line_add(line, " ");
    add_level(line, level);
    log_line_add(line, " ");
    if (config->name) {
        log_line_add(line, config->name);
        log_line_add(line, ": ");
    }
    log_line_add_escaped(line, message, false, MESSAGE_LIMIT);
    if (subject)
        add_text_subject(line, subject);
    log_line_add(line, "\n");
}

static void add_json_member(struct log_line *line, const char *start, const char *value,
                            size_t limit)
{
    log_line_add(line, start);
    log_line_add_escaped(line, value, true, limit);
    log_line_add(line, "\"");
}

static void build_json(struct log_line *line, const struct system_logger_config *config,
                       enum tc_log_level level, const struct tc_log_subject *subject,
                       const char *message)
{
    log_line_add(line, "{\"time\":\"");
    log_line_add_time(line, tc_clock_now_ms(config->clock));
    log_line_add(line, "\"");
    add_json_member(line, ",\"level\":\"", tc_log_level_name(level), MESSAGE_LIMIT);
    if (config->name)
        add_json_member(line, ",\"name\":\"", config->name, MESSAGE_LIMIT);
    add_json_member(line, ",\"message\":\"", message, MESSAGE_LIMIT);
    if (subject && subject->request_id)
        add_json_member(line, ",\"request_id\":\"", subject->request_id, REQUEST_ID_LIMIT);
    if (subject && subject->task_id) {
        char id[TC_ID_TEXT_SIZE];

        tc_id_format(subject->task_id, id);
        add_json_member(line, ",\"task_id\":\"", id, LOG_LINE_SIZE);
    }
    log_line_add(line, "}\n");
}

static void system_write(struct tc_logger *logger, enum tc_log_level level,
                         const struct tc_log_subject *subject, const char *message)
{
    const struct system_logger_config *config = &self_of(logger)->config;
    int saved = errno; /* a caller may log between a failure and its reading of errno */
    struct log_line line;

    line.len = 0;
    if (config->format == SYSTEM_LOG_JSON)
        build_json(&line, config, level, subject, message);
    else
        build_text(&line, config, level, subject, message);

    ssize_t len;

    do
        len = write(config->fd, line.text, line.len);
    while (len < 0 && errno == EINTR);
    errno = saved;
}

static const struct tc_logger_ops system_logger_ops = {
    .write = system_write,
};

enum tc_code system_logger_open(const struct system_logger_config *config,
                                struct tc_logger **ret_logger, struct tc_error *err)
{
    struct system_logger *self = calloc(1, sizeof(*self));

    if (!self)
        return tc_fail(err, TC_NO_MEMORY, "the logger");
    self->base =
        (struct tc_logger){ .ops = &system_logger_ops, .threshold = config->threshold };
    self->config = *config;
    *ret_logger = &self->base;
    return TC_OK;
}

void system_logger_close(struct tc_logger *logger)
{
    if (logger)
        free(self_of(logger));
}
