#include "core/usecases/wake_tasks.h"

#include "ports/task_queue.h"

#define GROUP_MAX 256 /* so that creates and finishes get their turn in between */

enum tc_code tc_wake_tasks(struct tc_lease_repo *leases, struct tc_task_queue *queue,
                           size_t *ret_count, int64_t *ret_next_ms, struct tc_error *err)
{
    size_t count = 0;
    enum tc_code code = leases->ops->wake(leases, GROUP_MAX, &count, ret_next_ms, err);

    if (code != TC_OK)
        return code;
    if (count > 0)
        tc_task_queue_tell_look(queue);
    *ret_count = count;
    return TC_OK;
}
