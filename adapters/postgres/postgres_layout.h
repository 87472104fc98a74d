#ifndef TASKCORE_ADAPTERS_POSTGRES_LAYOUT_H
#define TASKCORE_ADAPTERS_POSTGRES_LAYOUT_H

/** @file postgres_layout.h New tasks sorted into what becomes rows of taskcore.ready. */

#include "core/domain/task.h"

struct postgres_item {
    const struct tc_task *task;
    size_t at; /**< in the order of asking */
};

/** Some neighbours among the items. */
struct postgres_slice {
    size_t first;
    size_t count;
    size_t group; /**< of a run: which one it belongs to */
};

struct postgres_layout {
    struct postgres_item *items; /**< group by group, and in one as they were asked for */
    /** Tasks of one status, queue, type and priority, at most 256, those whose first task was
     *  asked for first coming first. */
    struct postgres_slice *groups;
    /** Neighbours in a group that were asked for alike in all else that has no value of its
     *  own for each; mostly one a group. */
    struct postgres_slice *runs;
    size_t count;
    size_t group_count;
    size_t run_count;
};

/** Release it in any case. @return false: no memory. */
bool postgres_layout_init(struct postgres_layout *layout, const struct tc_task **tasks,
                          size_t count);
void postgres_layout_release(struct postgres_layout *layout);

#endif
