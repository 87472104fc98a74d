#include "core/usecases/get_task.h"

#include "ports/clock.h"
#include "ports/task_events.h"

/* A missed event costs this much at most: events are hints. */
#define POLL_MS 1000

enum tc_code tc_get_task(const struct tc_get_task_ports *ports, const struct tc_id *id,
                         int64_t wait_ms, struct tc_task *ret_task, struct tc_error *err)
{
    struct tc_task_events *events = ports->events;
    int64_t end_ms = tc_clock_tick_ms(ports->clock) + wait_ms;
    uint64_t ticket = wait_ms > 0 ? events->ops->watch(events, id) : 0;
    struct tc_task task;

    for (;;) {
        enum tc_code code = ports->repo->ops->get(ports->repo, id, &task, err);

        if (code != TC_OK)
            return code;

        int64_t left_ms = wait_ms > 0 ? end_ms - tc_clock_tick_ms(ports->clock) : 0;

        if (left_ms <= 0 || ticket == TC_EVENTS_INTERRUPTED ||
            tc_status_is_terminal(task.status))
            break;
        tc_task_release(&task);
        events->ops->wait(events, id, &ticket, left_ms < POLL_MS ? left_ms : POLL_MS);
    }
    *ret_task = task;
    return TC_OK;
}
