#include "core/usecases/change_task.h"

#include "ports/task_events.h"
#include "ports/task_queue.h"

static enum tc_code change(struct tc_task_repo *repo, const struct tc_change *change_,
                           struct tc_task *ret_task, struct tc_error *err)
{
    return repo->ops->change(repo, change_, ret_task, err);
}

static enum tc_code refuse(struct tc_task *task, const char *what, struct tc_error *err)
{
    enum tc_status status = task->status;

    tc_task_release(task);
    return tc_fail(err, TC_CONFLICT, "a task that is %s cannot be %s", tc_status_name(status),
                   what);
}

enum tc_code tc_cancel_task(const struct tc_change_task_ports *ports, const struct tc_id *id,
                            struct tc_task *ret_task, struct tc_error *err)
{
    const struct tc_change cancel = {
        .id = *id,
        .from = tc_status_sources(TC_STATUS_CANCELLED, TC_CAUSE_CANCEL),
        .to = TC_STATUS_CANCELLED,
    };
    struct tc_task task;
    enum tc_code code = change(ports->repo, &cancel, &task, err);

    if (code == TC_CONFLICT && task.status != TC_STATUS_CANCELLED)
        return refuse(&task, "cancelled", err);
    if (code != TC_OK && code != TC_CONFLICT)
        return code;
    ports->events->ops->notify(ports->events, id, 1);
    *ret_task = task;
    return TC_OK;
}

enum tc_code tc_retry_task(const struct tc_change_task_ports *ports, const struct tc_id *id,
                           struct tc_task *ret_task, struct tc_error *err)
{
    const struct tc_change retry = {
        .id = *id,
        .from = tc_status_sources(TC_STATUS_NEW, TC_CAUSE_RETRY),
        .to = TC_STATUS_NEW,
        .start_over = true,
    };
    struct tc_task task;
    enum tc_code code = change(ports->repo, &retry, &task, err);

    if (code == TC_CONFLICT)
        return refuse(&task, "retried", err);
    if (code != TC_OK)
        return code;
    tc_task_queue_tell(ports->queue, &task);
    *ret_task = task;
    return TC_OK;
}
