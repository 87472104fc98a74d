#include "core/usecases/finish_tasks.h"

#include "ports/clock.h"
#include "ports/ids.h"
#include "ports/task_events.h"
#include "ports/task_queue.h"

#include <stdlib.h>

/* Too large to keep: said as a failure, never cut silently. */
static struct tc_outcome decide(const struct tc_finish_tasks_ports *ports,
                                const struct tc_finished_run *run, int64_t now_ms)
{
    static const char too_large[] = "result_too_large: the result is over the limit";
    struct tc_report refused = {
        .kind = TC_REPORT_FAILED,
        .reason = TC_REASON_HANDLER,
        .delay_ms = TC_UNSET,
        .message = { too_large, sizeof(too_large) - 1 },
    };
    bool fits = run->report->result.bytes.len <= ports->policy->result_max;

    return tc_attempt_decide(run->task, fits ? run->report : &refused, ports->policy, now_ms,
                             tc_ids_random(ports->ids));
}

static void tell(const struct tc_finish_tasks_ports *ports, const struct tc_finished_run *runs,
                 const struct tc_outcome *outcomes, const struct tc_verdict *verdicts,
                 size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (verdicts[i].kind == TC_VERDICT_STALE)
            continue;
        if (tc_status_is_terminal(outcomes[i].next))
            ports->events->ops->notify(ports->events, &outcomes[i].id, 1);
        if (outcomes[i].next == TC_STATUS_NEW)
            tc_task_queue_tell(ports->queue, runs[i].task);
    }
}

enum tc_code tc_finish_tasks(const struct tc_finish_tasks_ports *ports,
                             const struct tc_finished_run *runs, size_t count,
                             struct tc_verdict *ret_verdicts, struct tc_error *err)
{
    struct tc_outcome *outcomes = malloc(count * sizeof(*outcomes));
    int64_t now_ms = tc_clock_now_ms(ports->clock);

    if (!outcomes)
        return tc_fail(err, TC_NO_MEMORY, "outcomes of %zu runs", count);
    for (size_t i = 0; i < count; i++)
        outcomes[i] = decide(ports, &runs[i], now_ms);

    enum tc_code code =
        ports->leases->ops->finish(ports->leases, outcomes, count, ret_verdicts, err);

    if (code == TC_OK)
        tell(ports, runs, outcomes, ret_verdicts, count);
    free(outcomes);
    return code;
}
