/* The groups that one transaction touches: read once, changed in memory, written back once.
 * So the rows of `ready` and `lease` cost by the group, not by the task. */

#include "adapters/sqlite/sqlite_internal.h"

#include <stdlib.h>
#include <string.h>

#define KEPT_MAX 16 /* groups kept allocated between transactions */

/* --- members --- */

void sqlite_group_add(struct sqlite_group *group, int64_t num)
{
    group->nums[group->count++] = num;
    group->left++;
    group->is_cut = true;
}

/* Members mostly leave in the order in which they came. */
bool sqlite_group_take(struct sqlite_group *group, int64_t num)
{
    for (size_t i = 0; i < group->count; i++) {
        size_t at = (group->next + i) % group->count;

        if (group->nums[at] != num)
            continue;
        group->nums[at] = 0;
        group->next = at + 1;
        group->left--;
        group->is_cut = true;
        return true;
    }
    return false;
}

size_t sqlite_group_move(struct sqlite_group *from, struct sqlite_group *to, size_t max)
{
    size_t moved = 0;

    for (size_t at = 0; at < from->count && moved < max; at++) {
        if (from->nums[at] == 0)
            continue;
        sqlite_group_add(to, from->nums[at]);
        from->nums[at] = 0;
        from->left--;
        from->is_cut = true;
        moved++;
    }
    return moved;
}

/* --- the book of groups --- */

static bool grow(struct sqlite_groups *groups)
{
    size_t capacity = groups->capacity ? 2 * groups->capacity : KEPT_MAX;
    struct sqlite_group **items = realloc(groups->items, capacity * sizeof(*items));

    if (!items)
        return false;
    groups->items = items;
    groups->capacity = capacity;
    return true;
}

/* An empty group at the end of the book; NULL: no memory. */
static struct sqlite_group *append(struct sqlite_groups *groups)
{
    struct sqlite_group *group;

    if (groups->count == groups->capacity && !grow(groups))
        return NULL;
    if (groups->count == groups->made) {
        group = malloc(sizeof(*group));
        if (!group)
            return NULL;
        groups->items[groups->made++] = group;
    }
    group = groups->items[groups->count++];
    memset(group, 0, offsetof(struct sqlite_group, nums));
    return group;
}

static enum tc_code fail_no_memory(const struct sqlite_groups *groups, struct tc_error *err)
{
    return tc_fail(err, TC_NO_MEMORY, "sqlite: %zu groups", groups->count + 1);
}

void sqlite_groups_clear(struct sqlite_groups *groups)
{
    while (groups->made > KEPT_MAX)
        free(groups->items[--groups->made]);
    groups->count = 0;
}

void sqlite_groups_release(struct sqlite_groups *groups)
{
    while (groups->made > 0)
        free(groups->items[--groups->made]);
    free(groups->items);
    *groups = (struct sqlite_groups){ 0 };
}

static bool is_same_lane(const struct sqlite_lane *a, const struct sqlite_lane *b)
{
    return a->rank == b->rank && strcmp(a->type, b->type) == 0 &&
           strcmp(a->queue, b->queue) == 0;
}

enum tc_code sqlite_groups_open(struct sqlite_store *store, const struct sqlite_lane *lane,
                                int64_t now_ms, struct sqlite_group **ret_group,
                                struct tc_error *err)
{
    struct sqlite_groups *groups = &store->groups;
    struct sqlite_group *group;

    for (size_t i = groups->count; i > 0; i--) {
        group = groups->items[i - 1];

        if (group->is_lease || group->is_stored || !is_same_lane(&group->lane, lane))
            continue;
        if (group->count == SQLITE_READY_GROUP_MAX)
            break; /* those before it are full as well */
        *ret_group = group;
        return TC_OK;
    }
    group = append(groups);
    if (!group)
        return fail_no_memory(groups, err);
    group->place = ++store->last_place;
    group->lane = *lane;
    group->since_ms = now_ms;
    *ret_group = group;
    return TC_OK;
}

enum tc_code sqlite_groups_lease(struct sqlite_store *store, const char *queue,
                                 struct sqlite_group **ret_group, struct tc_error *err)
{
    struct sqlite_group *group = append(&store->groups);

    if (!group)
        return fail_no_memory(&store->groups, err);
    group->place = ++store->last_place;
    group->is_lease = true;
    memcpy(group->lane.queue, queue, strlen(queue) + 1);
    *ret_group = group;
    return TC_OK;
}

static struct sqlite_group *find(const struct sqlite_groups *groups, int64_t place)
{
    for (size_t i = groups->count; i > 0; i--)
        if (groups->items[i - 1]->place == place)
            return groups->items[i - 1];
    return NULL;
}

/* --- reading --- */

static enum tc_code fail_missing(const char *table, int64_t place, struct tc_error *err)
{
    return tc_fail(err, TC_INTERNAL, "sqlite: row %lld of '%s' is missing or malformed",
                   (long long)place, table);
}

static bool read_members(const struct sqlite_query *query, int column,
                         struct sqlite_group *group)
{
    if (!sqlite_members_read(query_bytes(query, column), group->nums, TC_LEASE_GROUP_MAX,
                             &group->count))
        return false;
    group->left = group->count;
    group->is_stored = true;
    return true;
}

void sqlite_bind_lane(struct sqlite_query *query, const struct sqlite_lane *lane, int64_t seq)
{
    query_bind_text(query, 1, lane->queue);
    query_bind_text(query, 2, lane->type);
    query_bind_int(query, 3, lane->rank);
    query_bind_int(query, 4, seq);
}

enum tc_code sqlite_groups_find_ready(struct sqlite_store *store,
                                      const struct sqlite_lane *lane, int64_t seq,
                                      struct sqlite_group **ret_group, struct tc_error *err)
{
    *ret_group = find(&store->groups, seq);
    if (*ret_group)
        return TC_OK;

    AUTO_QUERY query = sqlite_query(&store->writer, SQLITE_READY_GET_STATEMENT);

    sqlite_bind_lane(&query, lane, seq);
    if (!query_next(&query))
        return query_is_bad(&query) ? sqlite_fail(&store->writer, "read a ready group", err)
                                    : fail_missing("ready", seq, err);

    struct sqlite_group *group = append(&store->groups);

    if (!group)
        return fail_no_memory(&store->groups, err);
    group->place = seq;
    group->lane = *lane;
    group->since_ms = query_int(&query, 0);
    *ret_group = group;
    return read_members(&query, 1, group) ? TC_OK : fail_missing("ready", seq, err);
}

static bool read_lease(const struct sqlite_query *query, struct sqlite_group *group)
{
    group->is_lease = true;
    group->due_ms = query_int(query, 2);
    group->duration_ms = query_int(query, 3);
    group->of_process = query_int(query, 4) != 0;
    group->rescue = query_int(query, 5) != 0;
    return query_copy_text(query, 0, group->lane.queue, sizeof(group->lane.queue)) &&
           query_copy_text(query, 1, group->owner, sizeof(group->owner)) &&
           read_members(query, 6, group);
}

enum tc_code sqlite_groups_find_lease(struct sqlite_store *store, int64_t id,
                                      struct sqlite_group **ret_group, struct tc_error *err)
{
    *ret_group = find(&store->groups, id);
    if (*ret_group)
        return TC_OK;

    AUTO_QUERY query = sqlite_query(&store->writer, SQLITE_LEASE_GET_STATEMENT);

    query_bind_int(&query, 1, id);
    if (!query_next(&query))
        return query_is_bad(&query) ? sqlite_fail(&store->writer, "read a lease", err)
                                    : fail_missing("lease", id, err);

    struct sqlite_group *group = append(&store->groups);

    if (!group)
        return fail_no_memory(&store->groups, err);
    group->place = id;
    *ret_group = group;
    return read_lease(&query, group) ? TC_OK : fail_missing("lease", id, err);
}
