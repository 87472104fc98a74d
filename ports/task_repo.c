#include "ports/task_repo.h"

#include <stdlib.h>
#include <string.h>

enum tc_code tc_task_repo_validate(const struct tc_task_repo *repo, struct tc_error *err)
{
    const struct tc_task_repo_ops *ops = repo->ops;

    if (!ops || !ops->name || !ops->insert || !ops->get || !ops->list || !ops->change ||
        !ops->counts || !ops->check || !ops->forget_keys)
        return tc_fail(err, TC_INTERNAL, "task repository '%s' lacks a method",
                       ops && ops->name ? ops->name : "(unnamed)");
    return TC_OK;
}

void tc_inserted_release(struct tc_inserted *inserted)
{
    free(inserted->answer);
    *inserted = (struct tc_inserted){ 0 };
}

void tc_task_page_release(struct tc_task_page *page)
{
    for (size_t i = 0; i < page->count; i++)
        tc_task_release(&page->tasks[i]);
    free(page->tasks);
    free(page->omitted);
    *page = (struct tc_task_page){ 0 };
}

/* The largest id before `id`, which is not zero: the range is exclusive on both sides. */
static struct tc_id id_before(struct tc_id id)
{
    size_t last = sizeof(id.bytes) - 1;

    while (id.bytes[last]-- == 0)
        last--;
    return id;
}

static struct tc_id later(struct tc_id a, struct tc_id b)
{
    return tc_id_compare(&a, &b) > 0 ? a : b;
}

static struct tc_id earlier(struct tc_id a, struct tc_id b)
{
    return tc_id_compare(&a, &b) < 0 ? a : b;
}

struct tc_id_range tc_task_filter_range(const struct tc_task_filter *filter)
{
    struct tc_id_range range = { .above = { { 0 } } };

    memset(&range.below, 0xFF, sizeof(range.below));
    if (filter->created_after_ms >= 0)
        range.above = id_before(tc_id_floor(filter->created_after_ms + 1));
    if (filter->created_before_ms >= 0)
        range.below = tc_id_floor(filter->created_before_ms);
    if (filter->has_position && filter->ascending)
        range.above = later(range.above, filter->position);
    if (filter->has_position && !filter->ascending)
        range.below = earlier(range.below, filter->position);
    return range;
}
