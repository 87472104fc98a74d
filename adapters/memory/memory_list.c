/* Pages of tasks in key order. */

#include "adapters/memory/memory_internal.h"

#include <string.h>

#define LOOK_MAX 10000 /* per call, so that a rare match does not hold the others up */

/* The part of the sorted array that a page may come from. */
struct range {
    size_t low;
    size_t high; /* exclusive */
};

/* A task's id carries the millisecond of its creation, so that the bounds are places. */
static struct range range_of(const struct memory_store *store,
                             const struct tc_task_filter *filter)
{
    struct range range = { 0, store->count };

    if (filter->created_after_ms >= 0) {
        struct tc_id first = tc_id_floor(filter->created_after_ms + 1);

        range.low = memory_lower_bound(store, &first, false);
    }
    if (filter->created_before_ms >= 0) {
        struct tc_id end = tc_id_floor(filter->created_before_ms);

        range.high = memory_lower_bound(store, &end, false);
    }
    if (filter->has_position) {
        size_t place = memory_lower_bound(store, &filter->position, filter->ascending);

        if (filter->ascending && place > range.low)
            range.low = place;
        if (!filter->ascending && place < range.high)
            range.high = place;
    }
    if (range.high < range.low)
        range.high = range.low;
    return range;
}

static bool has_tag(const struct memory_record *record, struct tc_bytes tag)
{
    const unsigned char *at = record->given + record->payload_len;

    for (size_t i = 0; i < record->tag_count; i++) {
        if (tc_bytes_equals((struct tc_bytes){ at, record->tag_lens[i] }, tag))
            return true;
        at += record->tag_lens[i];
    }
    return false;
}

static bool passes(const struct memory_record *record, const struct tc_task_filter *filter)
{
    const struct memory_lane_key *key = &record->lane->key;

    return (TC_STATUS_BIT(record->status) & filter->statuses) != 0 &&
           (!filter->queue || strcmp(filter->queue, key->queue->name) == 0) &&
           (!filter->type || strcmp(filter->type, key->type->name) == 0) &&
           (!filter->tag.data || has_tag(record, filter->tag));
}

static bool leave_out(struct tc_bytes *bytes, size_t large)
{
    if (bytes->len <= large)
        return false;
    *bytes = (struct tc_bytes){ 0 };
    return true;
}

static enum tc_code add_to_page(struct tc_task_page *page, const struct memory_record *record,
                                size_t large, struct tc_error *err)
{
    struct tc_omitted omitted;
    struct tc_task view;
    enum tc_code code;

    memory_record_view(record, &view);
    omitted.payload = leave_out(&view.payload.bytes, large);
    omitted.result = leave_out(&view.result.bytes, large);
    code = tc_task_copy(&page->tasks[page->count], &view, err);
    if (code == TC_OK)
        page->omitted[page->count++] = omitted;
    return code;
}

static enum tc_code fill(const struct memory_store *store, const struct tc_task_filter *filter,
                         struct tc_task_page *page, struct tc_error *err)
{
    struct range range = range_of(store, filter);
    enum tc_code code = TC_OK;

    for (size_t looked = 0; range.low < range.high && looked < LOOK_MAX &&
                            page->count < filter->limit && code == TC_OK;
         looked++) {
        const struct memory_record *record =
            store->sorted[filter->ascending ? range.low++ : --range.high];

        page->position = record->id;
        if (passes(record, filter))
            code = add_to_page(page, record, filter->large, err);
    }
    page->has_more = range.low < range.high;
    return code;
}

enum tc_code memory_list(struct tc_task_repo *repo, const struct tc_task_filter *filter,
                         struct tc_task_page *ret_page, struct tc_error *err)
{
    struct memory_store *self = TC_CONTAINER_OF(repo, struct memory_store, task_repo);
    struct tc_task_page page = {
        .tasks = malloc(filter->limit * sizeof(*page.tasks)),
        .omitted = malloc(filter->limit * sizeof(*page.omitted)),
        .position = filter->position,
    };
    enum tc_code code = TC_NO_MEMORY;

    if (page.tasks && page.omitted) {
        memory_lock(self);
        code = fill(self, filter, &page, err);
        memory_unlock(self);
    }
    if (code != TC_OK) {
        tc_task_page_release(&page);
        return tc_fail(err, code, "a page of %zu tasks", filter->limit);
    }
    *ret_page = page;
    return TC_OK;
}
