/* Pages of tasks in key order. What is scheduled, failed or running is looked up where it
 * stands; any other filter looks at tasks one after another, a bounded number per call. */

#include "adapters/sqlite/sqlite_internal.h"

#include <stdlib.h>
#include <string.h>

#define LOOK_MAX 10000

struct page_maker {
    struct sqlite_store *store;
    struct sqlite_connection *reader;
    const struct tc_task_filter *filter;
    struct tc_id_range range;
    struct tc_task_page page;
};

/* --- filter --- */

static bool has_tag(const struct tc_task *task, struct tc_bytes tag)
{
    for (size_t i = 0; i < task->tag_count; i++)
        if (tc_bytes_equals(task->tags[i], tag))
            return true;
    return false;
}

static bool passes(const struct tc_task *task, const struct tc_task_filter *filter)
{
    return (TC_STATUS_BIT(task->status) & filter->statuses) != 0 &&
           (!filter->queue || strcmp(filter->queue, task->queue) == 0) &&
           (!filter->type || strcmp(filter->type, task->type) == 0) &&
           (!filter->tag.data || has_tag(task, filter->tag));
}

static int64_t large_of(const struct tc_task_filter *filter)
{
    return filter->large > INT64_MAX ? INT64_MAX : (int64_t)filter->large;
}

/* Look at the query's present row and add it to the page if it passes. */
static enum tc_code look(struct page_maker *maker, const struct sqlite_query *query,
                         struct tc_error *err)
{
    struct tc_task_page *page = &maker->page;
    struct sqlite_row row;
    enum tc_code code = sqlite_row_read(query, &row, err);

    if (code != TC_OK)
        return code;
    page->position = row.task.id;
    if (!passes(&row.task, maker->filter))
        return TC_OK;
    code = sqlite_row_copy(maker->store, maker->reader, &row, large_of(maker->filter),
                           &page->tasks[page->count], err);
    if (code == TC_OK)
        page->omitted[page->count++] = row.omitted;
    return code;
}

/* --- one task after another --- */

static bool is_full(const struct page_maker *maker)
{
    return maker->page.count == maker->filter->limit;
}

static enum tc_code scan(struct page_maker *maker, enum sqlite_statement statement,
                         enum tc_status aside, struct tc_error *err)
{
    AUTO_QUERY query = sqlite_query(maker->reader, statement);
    enum tc_code code = TC_OK;
    int looked = 0;

    query_bind_int(&query, 1, large_of(maker->filter));
    query_bind_id(&query, 2, &maker->range.above);
    query_bind_id(&query, 3, &maker->range.below);
    query_bind_int(&query, 4, LOOK_MAX + 1);
    if (aside != TC_STATUS_COUNT)
        query_bind_int(&query, 5, aside);
    while (code == TC_OK && query_next(&query)) {
        if (looked == LOOK_MAX || is_full(maker)) {
            maker->page.has_more = true; /* there is this one */
            return TC_OK;
        }
        code = look(maker, &query, err);
        looked++;
    }
    return query_is_bad(&query) ? sqlite_fail(maker->reader, "list", err) : code;
}

/* --- running ones, from the leases --- */

struct member {
    struct tc_id id;
    int64_t num;
};

struct members {
    struct member *items;
    size_t count;
};

static int compare_members(const void *a, const void *b)
{
    const struct member *first = a;
    const struct member *second = b;

    return tc_id_compare(&first->id, &second->id);
}

static enum tc_code find_ids(struct page_maker *maker, struct members *members,
                             const int64_t *nums, size_t count, struct tc_error *err)
{
    for (size_t i = 0; i < count; i++) {
        AUTO_QUERY query = sqlite_query(maker->reader, SQLITE_ID_OF_NUM_STATEMENT);
        struct member *member = &members->items[members->count];

        query_bind_int(&query, 1, nums[i]);
        if (!query_next(&query))
            return sqlite_fail(maker->reader, "find a running task", err);
        member->num = nums[i];
        if (query_copy_id(&query, 0, &member->id) &&
            tc_id_compare(&member->id, &maker->range.above) > 0 &&
            tc_id_compare(&member->id, &maker->range.below) < 0)
            members->count++;
    }
    return TC_OK;
}

/* *ret_fits: all running tasks could be gathered. */
static enum tc_code gather(struct page_maker *maker, struct members *members, bool *ret_fits,
                           struct tc_error *err)
{
    AUTO_QUERY query = sqlite_query(maker->reader, SQLITE_LEASE_ALL_STATEMENT);
    int64_t nums[TC_LEASE_GROUP_MAX];
    enum tc_code code = TC_OK;
    size_t total = 0;
    size_t count = 0;

    *ret_fits = true;
    while (code == TC_OK && *ret_fits && query_next(&query)) {
        if (!sqlite_members_read(query_bytes(&query, 1), nums, TC_LEASE_GROUP_MAX, &count))
            return tc_fail(err, TC_INTERNAL, "sqlite: the members of a lease are malformed");
        total += count;
        *ret_fits = total <= LOOK_MAX;
        if (*ret_fits)
            code = find_ids(maker, members, nums, count, err);
    }
    return query_is_bad(&query) ? sqlite_fail(maker->reader, "list leases", err) : code;
}

static enum tc_code look_at(struct page_maker *maker, int64_t num, struct tc_error *err)
{
    AUTO_QUERY query = sqlite_query(maker->reader, SQLITE_LIST_ONE_STATEMENT);

    query_bind_int(&query, 1, large_of(maker->filter));
    query_bind_int(&query, 2, num);
    return query_next(&query) ? look(maker, &query, err)
                              : sqlite_fail(maker->reader, "list", err);
}

static enum tc_code scan_leases(struct page_maker *maker, bool *ret_fits, struct tc_error *err)
{
    struct members members = { .items = malloc(LOOK_MAX * sizeof(*members.items)) };
    enum tc_code code = TC_OK;

    if (!members.items)
        return tc_fail(err, TC_NO_MEMORY, "sqlite: a list of running tasks");
    code = gather(maker, &members, ret_fits, err);
    if (code == TC_OK && *ret_fits) {
        qsort(members.items, members.count, sizeof(*members.items), compare_members);
        for (size_t i = 0; i < members.count && code == TC_OK && !maker->page.has_more; i++) {
            size_t at = maker->filter->ascending ? i : members.count - 1 - i;

            if (is_full(maker))
                maker->page.has_more = true;
            else
                code = look_at(maker, members.items[at].num, err);
        }
    }
    free(members.items);
    return code;
}

/* --- the page --- */

static enum tc_code fill(struct page_maker *maker, struct tc_error *err)
{
    unsigned statuses = maker->filter->statuses;
    bool up = maker->filter->ascending;

    if (statuses == TC_STATUS_BIT(TC_STATUS_PROCESSING)) {
        bool fits = false;
        enum tc_code code = scan_leases(maker, &fits, err);

        if (code != TC_OK || fits)
            return code;
    }
    if (statuses == TC_STATUS_BIT(TC_STATUS_SCHEDULED) ||
        statuses == TC_STATUS_BIT(TC_STATUS_FAILED))
        return scan(maker,
                    up ? SQLITE_LIST_ASIDE_UP_STATEMENT : SQLITE_LIST_ASIDE_DOWN_STATEMENT,
                    statuses == TC_STATUS_BIT(TC_STATUS_FAILED) ? TC_STATUS_FAILED
                                                                : TC_STATUS_SCHEDULED,
                    err);
    return scan(maker, up ? SQLITE_LIST_UP_STATEMENT : SQLITE_LIST_DOWN_STATEMENT,
                TC_STATUS_COUNT, err);
}

enum tc_code sqlite_list(struct tc_task_repo *repo, const struct tc_task_filter *filter,
                         struct tc_task_page *ret_page, struct tc_error *err)
{
    struct page_maker maker = {
        .store = sqlite_store_of_tasks(repo),
        .filter = filter,
        .range = tc_task_filter_range(filter),
        .page = {
            .tasks = malloc(filter->limit * sizeof(struct tc_task)),
            .omitted = malloc(filter->limit * sizeof(struct tc_omitted)),
            .position = filter->position,
        },
    };
    enum tc_code code;

    if (maker.page.tasks && maker.page.omitted)
        code = sqlite_read(maker.store, &maker.reader, err);
    else
        code = tc_fail(err, TC_NO_MEMORY, "a page of %zu tasks", filter->limit);
    if (code == TC_OK) {
        code = fill(&maker, err);
        sqlite_read_end(maker.store, maker.reader);
    }
    if (code != TC_OK)
        tc_task_page_release(&maker.page);
    else
        *ret_page = maker.page;
    return code;
}
