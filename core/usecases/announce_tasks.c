#include "core/usecases/announce_tasks.h"

#include "core/domain/announcement.h"
#include "ports/task_queue.h"

#include <stdlib.h>
#include <string.h>

/* Longer than the queue may take, so that nobody announces beside us; short enough for the
 * groups of a publisher that has died. */
#define HOLD_MARGIN_MS 5000

static size_t count_tasks(const struct tc_announcement *groups, size_t count)
{
    size_t tasks = 0;

    for (size_t i = 0; i < count; i++)
        tasks += groups[i].count;
    return tasks;
}

static void write_hints(const struct tc_announcement *groups, size_t count,
                        struct tc_hint *ret_hints)
{
    struct tc_hint *hint = ret_hints;

    for (size_t i = 0; i < count; i++)
        for (size_t member = 0; member < groups[i].count; member++, hint++) {
            hint->id = groups[i].ids[member];
            hint->priority = groups[i].priority;
            memcpy(hint->queue, groups[i].queue, sizeof(hint->queue));
            memcpy(hint->type, groups[i].type, sizeof(hint->type));
        }
}

static enum tc_code tell_queue(struct tc_task_queue *queue,
                               const struct tc_announcement *groups, size_t count,
                               int64_t deliver_ms, struct tc_error *err)
{
    size_t tasks = count_tasks(groups, count);
    struct tc_hint *hints = malloc(tasks * sizeof(*hints));

    if (!hints)
        return tc_fail(err, TC_NO_MEMORY, "hints for %zu tasks", tasks);
    write_hints(groups, count, hints);

    enum tc_code code = queue->ops->deliver(queue, hints, tasks, deliver_ms, err);

    free(hints);
    return code;
}

static enum tc_code announce(const struct tc_announce_tasks_ports *ports,
                             const struct tc_announce_tasks_input *input,
                             struct tc_announcement *groups, size_t count, struct tc_error *err)
{
    struct tc_announcement_repo *repo = ports->announcements;
    enum tc_code code = tell_queue(ports->queue, groups, count, input->deliver_ms, err);

    for (size_t i = 0; i < count; i++)
        groups[i].wait_ms = tc_announce_wait_ms(groups[i].times);
    if (code == TC_OK)
        code = repo->ops->announced(repo, groups, count, input->pending, err);
    return code;
}

enum tc_code tc_announce_tasks(const struct tc_announce_tasks_ports *ports,
                               const struct tc_announce_tasks_input *input,
                               struct tc_announced *ret_announced, struct tc_error *err)
{
    struct tc_announcement_repo *repo = ports->announcements;
    struct tc_announcement groups[TC_ANNOUNCEMENT_GROUPS_MAX];
    struct tc_announced announced = { 0 };
    enum tc_code code = repo->ops->take(repo, input->max, input->deliver_ms + HOLD_MARGIN_MS,
                                        groups, &announced.groups, &announced.next_ms, err);

    if (code != TC_OK)
        return code;
    announced.tasks = count_tasks(groups, announced.groups);
    if (announced.groups > 0)
        code = announce(ports, input, groups, announced.groups, err);
    for (size_t i = 0; i < announced.groups; i++)
        tc_announcement_release(&groups[i]);
    if (code == TC_OK)
        *ret_announced = announced;
    return code;
}
