#include "adapters/demo/demo_handlers.h"

#include "adapters/demo/demo_payload.h"
#include "core/domain/container_of.h"
#include "ports/ids.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KIND_COUNT 5

struct demo_handlers {
    struct demo_config config;
    struct demo_handler {
        struct tc_handler base;
        struct demo_handlers *all;
    } handlers[KIND_COUNT];
    struct tc_handler_entry entries[KIND_COUNT];
};

static const struct demo_config *config_of(struct tc_handler *handler)
{
    return &TC_CONTAINER_OF(handler, struct demo_handler, base)->all->config;
}

static int64_t random_seconds(const struct demo_config *config)
{
    int64_t min = config->min_ms / 1000;
    uint64_t span = (uint64_t)(config->max_ms / 1000 - min) + 1;

    return span == 1 ? min : min + (int64_t)(tc_ids_random(config->ids) % span);
}

static struct tc_report given_back(void)
{
    return (struct tc_report){ .kind = TC_REPORT_RELEASED, .delay_ms = TC_UNSET };
}

/* Sleep for what the demo calls work. False: told to stop, `*ret_report` says so. */
static bool work(struct tc_handler *handler, struct tc_run *run, int64_t *ret_seconds,
                 struct tc_report *ret_report)
{
    int64_t seconds = random_seconds(config_of(handler));

    if (seconds > 0)
        run->ops->sleep_ms(run, seconds * 1000);
    if (run->ops->should_stop(run) != TC_STOP_NONE) {
        *ret_report = given_back();
        return false;
    }
    *ret_seconds = seconds;
    return true;
}

static void fail_for_memory(struct tc_report *ret_report)
{
    *ret_report = tc_report_failed(TC_REASON_HANDLER, true, tc_bytes_of("out of memory"));
}

static void process_run(struct tc_handler *handler, struct tc_run *run,
                        struct tc_report *ret_report)
{
    static const char before[] = "processed: ";
    int64_t seconds;
    struct tc_bytes text;
    char *storage;

    if (!work(handler, run, &seconds, ret_report))
        return;
    if (!demo_payload_text(&run->task->payload, &text, &storage)) {
        fail_for_memory(ret_report);
        return;
    }

    char after[32];
    int after_len = snprintf(after, sizeof(after), " (%" PRId64 "sec)", seconds);
    size_t len = sizeof(before) - 1 + text.len + (size_t)after_len;
    char *result = malloc(len);

    if (result) {
        memcpy(result, before, sizeof(before) - 1);
        if (text.len > 0)
            memcpy(result + sizeof(before) - 1, text.data, text.len);
        memcpy(result + len - (size_t)after_len, after, (size_t)after_len);
        ret_report->result = (struct tc_content){ TC_CONTENT_TEXT, { result, len } };
        ret_report->result_storage = result;
    } else {
        fail_for_memory(ret_report);
    }
    free(storage);
}

static void parity_run(struct tc_handler *handler, struct tc_run *run,
                       struct tc_report *ret_report)
{
    int64_t seconds;
    struct tc_bytes text;
    char *storage;

    if (!work(handler, run, &seconds, ret_report))
        return;
    if (!demo_payload_text(&run->task->payload, &text, &storage)) {
        fail_for_memory(ret_report);
        return;
    }

    bool even = tc_utf8_count(text) % 2 == 0;

    free(storage);
    if (!even)
        *ret_report = tc_report_failed(TC_REASON_HANDLER, false,
                                       tc_bytes_of("the number of characters is odd"));
    ret_report->result =
        (struct tc_content){ TC_CONTENT_TEXT, tc_bytes_of(even ? "success" : "error") };
}

static void noop_run(struct tc_handler *handler, struct tc_run *run,
                     struct tc_report *ret_report)
{
    (void)handler;
    (void)run;
    (void)ret_report; /* it comes as a success without a result */
}

static void fail_run(struct tc_handler *handler, struct tc_run *run,
                     struct tc_report *ret_report)
{
    (void)handler;
    (void)run;
    *ret_report =
        tc_report_failed(TC_REASON_HANDLER, true, tc_bytes_of("demo.fail always fails"));
}

static void crash_run(struct tc_handler *handler, struct tc_run *run,
                      struct tc_report *ret_report)
{
    (void)handler;
    (void)run;
    (void)ret_report;
    raise(SIGKILL);
}

static const struct {
    const char *type;
    struct tc_handler_ops ops;
} kinds[KIND_COUNT] = {
    { "demo.process", { .run = process_run } }, { "demo.parity", { .run = parity_run } },
    { "demo.noop", { .run = noop_run } },       { "demo.fail", { .run = fail_run } },
    { "demo.crash", { .run = crash_run } },
};

static bool is_sound(const struct demo_config *config)
{
    return config->min_ms >= 0 && config->max_ms >= config->min_ms &&
           config->min_ms % 1000 == 0 && config->max_ms % 1000 == 0;
}

enum tc_code demo_handlers_open(const struct demo_config *config,
                                struct demo_handlers **ret_handlers, struct tc_error *err)
{
    if (!is_sound(config))
        return tc_fail(err, TC_INVALID,
                       "the demo's wait must be whole seconds, the first not over the second");

    struct demo_handlers *self = calloc(1, sizeof(*self));

    if (!self)
        return tc_fail(err, TC_NO_MEMORY, "the demo handlers");
    self->config = *config;
    for (size_t i = 0; i < KIND_COUNT; i++) {
        self->handlers[i] = (struct demo_handler){ { &kinds[i].ops }, self };
        self->entries[i] = (struct tc_handler_entry){ kinds[i].type, &self->handlers[i].base };
    }
    *ret_handlers = self;
    return TC_OK;
}

const struct tc_handler_entry *demo_handlers_entries(const struct demo_handlers *handlers,
                                                     size_t *ret_count)
{
    *ret_count = KIND_COUNT;
    return handlers->entries;
}

void demo_handlers_close(struct demo_handlers *handlers)
{
    free(handlers);
}
