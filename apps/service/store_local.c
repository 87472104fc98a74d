#include "apps/service/store_local.h"

#include "adapters/local/local_task_events.h"
#include "adapters/local/local_task_queue.h"

enum tc_code local_signals_open(struct local_signals *ret_signals, struct tc_error *err)
{
    struct local_signals signals = { .queue = NULL };
    enum tc_code code = local_task_queue_open(&signals.queue, err);

    if (code == TC_OK)
        code = local_task_events_open(&signals.events, err);
    if (code != TC_OK)
        local_signals_close(&signals);
    else
        *ret_signals = signals;
    return code;
}

void local_signals_close(struct local_signals *signals)
{
    local_task_events_close(signals->events);
    local_task_queue_close(signals->queue);
    *signals = (struct local_signals){ .queue = NULL };
}
