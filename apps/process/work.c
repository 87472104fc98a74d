#include "apps/process/work.h"

#include "adapters/demo/demo_handlers.h"
#include "adapters/exec/exec_handler.h"

#include <stdlib.h>
#include <string.h>

enum tc_code work_read(struct work *work, const struct work_settings *settings,
                       struct tc_error *err)
{
    struct tc_error reason;
    enum tc_code code;

    if (!settings->handlers[0])
        return TC_OK;
    code = handler_file_read(settings->handlers, &work->file, &reason);
    return code == TC_OK ? TC_OK : tc_fail(err, code, "TASK_HANDLERS: %s", reason.message);
}

void work_apply(const struct work *work, const struct work_settings *settings,
                struct tc_policy *policy)
{
    work_settings_apply(settings, policy);
    policy->types = work->file.policies;
    policy->type_count = work->file.count;
}

static enum tc_code open_demo(struct work *work, const struct work_settings *settings,
                              struct tc_ids *ids, struct tc_error *err)
{
    const struct demo_config config = {
        .min_ms = settings->demo_seconds.low * 1000,
        .max_ms = settings->demo_seconds.high * 1000,
        .ids = ids,
    };

    return demo_handlers_open(&config, &work->demo, err);
}

static bool has_entry(const struct work *work, const char *type)
{
    for (size_t i = 0; i < work->entry_count; i++)
        if (strcmp(work->entries[i].type, type) == 0)
            return true;
    return false;
}

/* What the operator says goes before what is there to try the service with. */
static enum tc_code put_together(struct work *work, struct tc_error *err)
{
    size_t count = 0;
    size_t demo_count = 0;
    const struct tc_handler_entry *entries = handlers_entries(work->handlers, &count);
    const struct tc_handler_entry *demo = demo_handlers_entries(work->demo, &demo_count);

    work->entries = malloc((count + demo_count) * sizeof(*work->entries));
    if (!work->entries)
        return tc_fail(err, TC_NO_MEMORY, "handlers of %zu types", count + demo_count);
    memcpy(work->entries, entries, count * sizeof(*entries));
    work->entry_count = count;
    for (size_t i = 0; i < demo_count; i++)
        if (!has_entry(work, demo[i].type))
            work->entries[work->entry_count++] = demo[i];
    return TC_OK;
}

/* A program that is killed at the end of its grace has not held up its thread. */
static int64_t stop_grace_ms(const struct handler_file *file)
{
    int64_t longest_ms = EXEC_GRACE_MS;

    for (size_t i = 0; i < file->count; i++)
        if (file->sections[i].grace_ms > longest_ms)
            longest_ms = file->sections[i].grace_ms;
    return longest_ms + 1000;
}

enum tc_code work_open(struct work *work, struct service *service,
                       const struct work_settings *settings, size_t slots,
                       const char *const *queues, size_t queue_count, struct tc_error *err)
{
    const struct service_ports *ports = service_ports(service);
    const struct handlers_config config = {
        .clock = ports->clock,
        .result_max = ports->policy->result_max,
    };
    enum tc_code code = open_demo(work, settings, ports->ids, err);

    if (code == TC_OK)
        code = handlers_open(&work->file, &config, &work->handlers, err);
    if (code == TC_OK)
        code = put_together(work, err);
    if (code != TC_OK)
        return code;

    const struct service_work started = {
        .slots = slots,
        .handlers = work->entries,
        .handler_count = work->entry_count,
        .queues = queues,
        .queue_count = queue_count,
        .stop_grace_ms = stop_grace_ms(&work->file),
    };

    return service_start(service, &started, err);
}

void work_close(struct work *work)
{
    handlers_close(work->handlers);
    demo_handlers_close(work->demo);
    free(work->entries);
    handler_file_release(&work->file);
    *work = (struct work){ 0 };
}
