#include "adapters/exec/exec_internal.h"
#include "core/domain/container_of.h"

#include <stdlib.h>
#include <string.h>

#define OUTPUT_DEFAULT_MAX ((size_t)1024 * 1024)
#define OPEN_FILES_MIN     5 /* with fewer no program can load its libraries */

static const struct tc_handler_ops handler_ops = { .run = exec_run };

static bool limits_are_sound(const struct exec_limits *limits)
{
    return limits->memory_bytes >= 0 && limits->cpu_seconds >= 0 && limits->file_bytes >= 0 &&
           limits->processes >= 0 &&
           (limits->open_files == 0 || limits->open_files >= OPEN_FILES_MIN);
}

static enum tc_code check(const struct exec_config *config, struct tc_error *err)
{
    if (!config->argv || !config->argv[0] || config->argv[0][0] != '/')
        return tc_fail(err, TC_INVALID, "the program must be named by an absolute path");
    if (config->dir && config->dir[0] != '/')
        return tc_fail(err, TC_INVALID, "the program's directory must be an absolute path");
    if (config->grace_ms < 0)
        return tc_fail(err, TC_INVALID, "the grace must not be negative");
    if (config->output_max > EXEC_OUTPUT_MAX_MAX)
        return tc_fail(err, TC_INVALID, "the limit of the output must be up to %zu bytes",
                       EXEC_OUTPUT_MAX_MAX);
    if (!limits_are_sound(&config->limits))
        return tc_fail(err, TC_INVALID,
                       "a limit must not be negative, and that of open files at least %d",
                       OPEN_FILES_MIN);
    return exec_environment_check(config->env, err);
}

static void free_list(char **list)
{
    for (char **each = list; each && *each; each++)
        free(*each);
    free(list);
}

/* A copy with its NULL; NULL counts as empty. NULL: no memory. */
static char **copy_list(const char *const *list)
{
    size_t count = 0;

    while (list && list[count])
        count++;

    char **copy = calloc(count + 1, sizeof(*copy));

    for (size_t i = 0; copy && i < count; i++) {
        copy[i] = strdup(list[i]);
        if (!copy[i]) {
            free_list(copy);
            return NULL;
        }
    }
    return copy;
}

enum tc_code exec_handler_open(const struct exec_config *config,
                               struct tc_handler **ret_handler, struct tc_error *err)
{
    enum tc_code code = check(config, err);

    if (code != TC_OK)
        return code;

    struct exec_handler *self = calloc(1, sizeof(*self));

    if (!self)
        return tc_fail(err, TC_NO_MEMORY, "the handler of '%s'", config->argv[0]);
    self->base.ops = &handler_ops;
    self->argv = copy_list(config->argv);
    self->env = copy_list(config->env);
    self->dir = strdup(config->dir ? config->dir : "/");
    self->grace_ms = config->grace_ms ? config->grace_ms : EXEC_GRACE_MS;
    self->output_max = config->output_max ? config->output_max : OUTPUT_DEFAULT_MAX;
    self->limits = config->limits;
    self->is_json = config->is_json;
    self->clock = config->clock;
    if (!self->argv || !self->env || !self->dir) {
        exec_handler_close(&self->base);
        return tc_fail(err, TC_NO_MEMORY, "the handler of '%s'", config->argv[0]);
    }
    *ret_handler = &self->base;
    return TC_OK;
}

void exec_handler_close(struct tc_handler *handler)
{
    if (!handler)
        return;

    struct exec_handler *self = TC_CONTAINER_OF(handler, struct exec_handler, base);

    free_list(self->argv);
    free_list(self->env);
    free(self->dir);
    free(self);
}
