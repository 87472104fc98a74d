#include "adapters/exec/exec_internal.h"

#include "ports/clock.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char default_path[] = "PATH=/usr/local/bin:/usr/bin:/bin";

/* Two values of one name would mean one thing to a shell and another to getenv(). */
static const char *const own_names[] = {
    "TASK_ID",    "TASK_TYPE",        "TASK_ATTEMPT", "TASK_EPOCH",
    "TASK_QUEUE", "TASK_DEADLINE_MS", "TRACEPARENT",
};

static bool is_of(const char *assignment, const char *name)
{
    size_t len = strlen(name);

    return strncmp(assignment, name, len) == 0 && assignment[len] == '=';
}

enum tc_code exec_environment_check(const char *const *env, struct tc_error *err)
{
    size_t count = 0;

    for (; env && env[count]; count++) {
        const char *equals = strchr(env[count], '=');

        if (!equals || equals == env[count])
            return tc_fail(err, TC_INVALID, "a variable of the environment must be NAME=VALUE");
        for (size_t i = 0; i < sizeof(own_names) / sizeof(own_names[0]); i++)
            if (is_of(env[count], own_names[i]))
                return tc_fail(err, TC_INVALID, "'%s' is set for each task", own_names[i]);
    }
    if (count > EXEC_ENV_MAX)
        return tc_fail(err, TC_INVALID, "more than %d variables of the environment",
                       EXEC_ENV_MAX);
    return TC_OK;
}

static void add(struct exec_environment *self, const char *fmt, ...) TC_PRINTF(2, 3);

static void add(struct exec_environment *self, const char *fmt, ...)
{
    char *at = self->text + self->len;
    size_t room = sizeof(self->text) - self->len;
    va_list args;

    va_start(args, fmt);

    int len = vsnprintf(at, room, fmt, args);

    va_end(args);
    if (len < 0 || (size_t)len >= room) /* `text` is sized so that this does not happen */
        return;
    self->list[self->count++] = at;
    self->len += (size_t)len + 1;
}

static void add_task(struct exec_environment *self, const struct tc_task *task)
{
    char id[TC_ID_TEXT_SIZE];

    tc_id_format(&task->id, id);
    add(self, "TASK_ID=%s", id);
    add(self, "TASK_TYPE=%s", task->type);
    add(self, "TASK_QUEUE=%s", task->queue);
    add(self, "TASK_ATTEMPT=%d", task->attempt);
    add(self, "TASK_EPOCH=%" PRId64, task->epoch);
    if (task->traceparent[0] != '\0')
        add(self, "TRACEPARENT=%s", task->traceparent);
}

/* The deadline stands on the worker's monotonic clock, which no other process knows. */
static void add_deadline(struct exec_environment *self, struct tc_clock *clock,
                         int64_t deadline_tick_ms)
{
    int64_t left_ms = deadline_tick_ms - tc_clock_tick_ms(clock);

    add(self, "TASK_DEADLINE_MS=%" PRId64, tc_clock_now_ms(clock) + left_ms);
}

void exec_environment_init(struct exec_environment *self, const struct exec_handler *handler,
                           const struct tc_run *run)
{
    bool has_path = false;

    self->count = 0;
    self->len = 0;
    add_task(self, run->task);
    if (handler->clock)
        add_deadline(self, handler->clock, run->deadline_tick_ms);
    for (char **each = handler->env; *each; each++) {
        has_path = has_path || is_of(*each, "PATH");
        self->list[self->count++] = *each;
    }
    if (!has_path)
        add(self, "%s", default_path);
    self->list[self->count] = NULL;
}
