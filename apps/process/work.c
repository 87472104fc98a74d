#include "apps/process/work.h"

#include "adapters/demo/demo_handlers.h"

enum tc_code work_open(struct work *work, struct service *service,
                       const struct work_settings *settings, size_t slots,
                       const char *const *queues, size_t queue_count, struct tc_error *err)
{
    const struct demo_config demo = {
        .min_ms = settings->demo_seconds.low * 1000,
        .max_ms = settings->demo_seconds.high * 1000,
        .ids = service_ports(service)->ids,
    };
    enum tc_code code = demo_handlers_open(&demo, &work->demo, err);

    if (code != TC_OK)
        return code;

    struct service_work config = {
        .slots = slots,
        .queues = queues,
        .queue_count = queue_count,
    };

    config.handlers = demo_handlers_entries(work->demo, &config.handler_count);
    return service_start(service, &config, err);
}

void work_close(struct work *work)
{
    demo_handlers_close(work->demo);
    work->demo = NULL;
}
