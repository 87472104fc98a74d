#include "ports/task_queue.h"

#include <string.h>

void tc_task_queue_tell(struct tc_task_queue *queue, const struct tc_task *task)
{
    struct tc_hint hint = { .id = task->id, .priority = task->priority };

    memcpy(hint.queue, task->queue, sizeof(hint.queue));
    memcpy(hint.type, task->type, sizeof(hint.type));
    (void)!queue->ops->publish(queue, &hint, 1, NULL);
}

void tc_task_queue_tell_look(struct tc_task_queue *queue)
{
    (void)!queue->ops->publish(queue, NULL, 0, NULL);
}
