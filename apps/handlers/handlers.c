#include "apps/handlers/handlers.h"

#include "adapters/exec/exec_handler.h"
#include "adapters/http/json_check.h"

#include <stdlib.h>
#include <string.h>

/* One handler with the name of its type, which its entry borrows. */
struct made {
    char type[TC_NAME_MAX + 1];
    struct tc_handler *handler;
};

struct handlers {
    struct made *made;
    struct tc_handler_entry *entries;
    size_t count;
};

static bool is_json(struct tc_bytes text)
{
    return json_check(text) == NULL;
}

static enum tc_code open_exec(const struct handler_section *section,
                              const struct handlers_config *config,
                              struct tc_handler **ret_handler, struct tc_error *err)
{
    const struct exec_config exec = {
        .argv = (const char *const *)section->command.items,
        .dir = section->dir.count > 0 ? section->dir.items[0] : NULL,
        .env = (const char *const *)section->env.items,
        .grace_ms = section->grace_ms,
        .output_max = section->output_max ? (size_t)section->output_max : config->result_max,
        .limits = { .memory_bytes = section->memory_max,
                    .cpu_seconds = (section->cpu_ms + 999) / 1000,
                    .open_files = section->open_files_max,
                    .file_bytes = section->file_size_max,
                    .processes = section->processes_max },
        .is_json = is_json,
        .clock = config->clock,
    };

    return exec_handler_open(&exec, ret_handler, err);
}

/* What a worker of this service does not do itself gets no entry. */
static enum tc_code add(struct handlers *handlers, const struct handler_section *section,
                        const struct handlers_config *config, struct tc_error *err)
{
    struct made *made = &handlers->made[handlers->count];
    struct tc_error reason;

    if (section->kind != HANDLER_EXEC)
        return TC_OK;

    enum tc_code code = open_exec(section, config, &made->handler, &reason);

    if (code != TC_OK)
        return tc_fail(err, code, "[%s] %s", section->policy.type, reason.message);
    memcpy(made->type, section->policy.type, sizeof(made->type));
    handlers->entries[handlers->count++] =
        (struct tc_handler_entry){ .type = made->type, .handler = made->handler };
    return TC_OK;
}

static struct handlers *allocate(size_t count)
{
    struct handlers *handlers = calloc(1, sizeof(*handlers));

    if (!handlers)
        return NULL;
    handlers->made = calloc(count + 1, sizeof(*handlers->made));
    handlers->entries = calloc(count + 1, sizeof(*handlers->entries));
    if (handlers->made && handlers->entries)
        return handlers;
    handlers_close(handlers);
    return NULL;
}

enum tc_code handlers_open(const struct handler_file *file,
                           const struct handlers_config *config, struct handlers **ret_handlers,
                           struct tc_error *err)
{
    struct handlers *handlers = allocate(file->count);
    enum tc_code code = TC_OK;

    if (!handlers)
        return tc_fail(err, TC_NO_MEMORY, "handlers of %zu types", file->count);
    for (size_t i = 0; i < file->count && code == TC_OK; i++)
        code = add(handlers, &file->sections[i], config, err);
    if (code == TC_OK)
        *ret_handlers = handlers;
    else
        handlers_close(handlers);
    return code;
}

const struct tc_handler_entry *handlers_entries(const struct handlers *handlers,
                                                size_t *ret_count)
{
    *ret_count = handlers->count;
    return handlers->entries;
}

void handlers_close(struct handlers *handlers)
{
    if (!handlers)
        return;
    for (size_t i = 0; i < handlers->count; i++)
        exec_handler_close(handlers->made[i].handler);
    free(handlers->made);
    free(handlers->entries);
    free(handlers);
}
