#include "adapters/postgres/postgres_layout.h"

#include "adapters/postgres/postgres_internal.h"

#include <stdlib.h>
#include <string.h>

static int compare_groups(const struct tc_task *a, const struct tc_task *b)
{
    int order = (int)a->status - (int)b->status;

    if (order == 0)
        order = a->priority - b->priority;
    if (order == 0)
        order = strcmp(a->type, b->type);
    return order != 0 ? order : strcmp(a->queue, b->queue);
}

static int compare_items(const void *a, const void *b)
{
    const struct postgres_item *first = a;
    const struct postgres_item *second = b;
    int order = compare_groups(first->task, second->task);

    return order != 0 ? order : (first->at > second->at) - (first->at < second->at);
}

static bool is_run(const struct tc_task *a, const struct tc_task *b)
{
    return a->timeout_ms == b->timeout_ms && a->max_attempts == b->max_attempts &&
           a->max_crashes == b->max_crashes && a->payload.kind == b->payload.kind &&
           a->titled == b->titled;
}

/* Mostly they are of one group, or sorted: then there is nothing to do. */
static void sort_items(struct postgres_layout *layout)
{
    for (size_t i = 1; i < layout->count; i++)
        if (compare_groups(layout->items[i - 1].task, layout->items[i].task) > 0) {
            qsort(layout->items, layout->count, sizeof(*layout->items), compare_items);
            return;
        }
}

static void form_groups(struct postgres_layout *layout)
{
    const struct postgres_item *items = layout->items;
    struct postgres_slice *group = NULL;

    for (size_t i = 0; i < layout->count; i++) {
        if (!group || group->count == POSTGRES_GROUP_MAX ||
            compare_groups(items[group->first].task, items[i].task) != 0) {
            group = &layout->groups[layout->group_count++];
            *group = (struct postgres_slice){ .first = i };
        }
        group->count++;
    }
}

static void form_runs(struct postgres_layout *layout)
{
    for (size_t g = 0; g < layout->group_count; g++) {
        const struct postgres_slice *group = &layout->groups[g];
        struct postgres_slice *run = NULL;

        for (size_t i = group->first; i < group->first + group->count; i++) {
            if (!run || !is_run(layout->items[run->first].task, layout->items[i].task)) {
                run = &layout->runs[layout->run_count++];
                *run = (struct postgres_slice){ .first = i, .group = g };
            }
            run->count++;
        }
    }
}

/* Groups are numbered in the order of their first task, so that those that came first get the
 * lower seq: by insertion, for they are few and mostly in order. */
static void order_groups(struct postgres_layout *layout)
{
    struct postgres_slice *groups = layout->groups;

    for (size_t i = 1; i < layout->group_count; i++) {
        struct postgres_slice group = groups[i];
        size_t at = i;

        while (at > 0 &&
               layout->items[groups[at - 1].first].at > layout->items[group.first].at) {
            groups[at] = groups[at - 1];
            at--;
        }
        groups[at] = group;
    }
}

bool postgres_layout_init(struct postgres_layout *layout, const struct tc_task **tasks,
                          size_t count)
{
    *layout = (struct postgres_layout){
        .items = malloc(count * sizeof(*layout->items)),
        .groups = malloc(count * sizeof(*layout->groups)),
        .runs = malloc(count * sizeof(*layout->runs)),
        .count = count,
    };
    if (!layout->items || !layout->groups || !layout->runs)
        return false;
    for (size_t i = 0; i < count; i++)
        layout->items[i] = (struct postgres_item){ tasks[i], i };
    sort_items(layout);
    form_groups(layout);
    order_groups(layout);
    form_runs(layout);
    return true;
}

void postgres_layout_release(struct postgres_layout *layout)
{
    free(layout->items);
    free(layout->groups);
    free(layout->runs);
}
