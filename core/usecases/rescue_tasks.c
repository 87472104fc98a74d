#include "core/usecases/rescue_tasks.h"

#include "ports/clock.h"
#include "ports/task_events.h"
#include "ports/task_queue.h"

#include <stdlib.h>

/* Room for one rescue, in one piece. */
struct room {
    struct tc_task *tasks;
    struct tc_outcome *outcomes;
    struct tc_verdict *verdicts;
};

static void tell(const struct tc_rescue_tasks_ports *ports, const struct room *room,
                 size_t count, struct tc_rescued *rescued)
{
    for (size_t i = 0; i < count; i++) {
        const struct tc_outcome *outcome = &room->outcomes[i];

        if (room->verdicts[i].kind == TC_VERDICT_STALE)
            continue;
        if (outcome->kind == TC_OUTCOME_FAILED) {
            rescued->failed++;
            ports->events->ops->notify(ports->events, &outcome->id, 1);
            continue;
        }
        rescued->again++;
        tc_task_queue_tell(ports->queue, &room->tasks[i]);
    }
}

static enum tc_code rescue(const struct tc_rescue_tasks_ports *ports, const char *owner,
                           size_t max, struct room *room, struct tc_rescued *ret_rescued,
                           struct tc_error *err)
{
    struct tc_lease_repo *leases = ports->leases;
    struct tc_rescued rescued = { 0 };
    size_t count = 0;
    enum tc_code code = leases->ops->take_ended(leases, owner, max, ports->policy->lease_ms,
                                                room->tasks, &count, err);

    if (code == TC_OK && count > 0) {
        int64_t now_ms = tc_clock_now_ms(ports->clock);

        for (size_t i = 0; i < count; i++)
            room->outcomes[i] = tc_crash_decide(&room->tasks[i], now_ms);
        code = leases->ops->finish(leases, room->outcomes, count, room->verdicts, err);
    }
    if (code == TC_OK) {
        tell(ports, room, count, &rescued);
        *ret_rescued = rescued;
    }
    for (size_t i = 0; i < count; i++)
        tc_task_release(&room->tasks[i]);
    return code;
}

enum tc_code tc_rescue_tasks(const struct tc_rescue_tasks_ports *ports, const char *owner,
                             size_t max, struct tc_rescued *ret_rescued, struct tc_error *err)
{
    struct room room = {
        .tasks = malloc(max * sizeof(*room.tasks)),
        .outcomes = malloc(max * sizeof(*room.outcomes)),
        .verdicts = malloc(max * sizeof(*room.verdicts)),
    };
    enum tc_code code = room.tasks && room.outcomes && room.verdicts
                            ? rescue(ports, owner, max, &room, ret_rescued, err)
                            : tc_fail(err, TC_NO_MEMORY, "a rescue of %zu tasks", max);

    free(room.tasks);
    free(room.outcomes);
    free(room.verdicts);
    return code;
}
