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

static enum tc_code grow(struct sqlite_groups *groups, struct tc_error *err)
{
    size_t capacity = groups->capacity ? 2 * groups->capacity : KEPT_MAX;
    struct sqlite_group **items = realloc(groups->items, capacity * sizeof(*items));

    if (!items)
        return tc_fail(err, TC_NO_MEMORY, "sqlite: room for %zu groups", capacity);
    groups->items = items;
    groups->capacity = capacity;
    return TC_OK;
}

/* An empty group at the end of the book. */
static enum tc_code append(struct sqlite_groups *groups, struct sqlite_group **ret_group,
                           struct tc_error *err)
{
    struct sqlite_group *group;

    if (groups->count == groups->capacity) {
        enum tc_code code = grow(groups, err);

        if (code != TC_OK)
            return code;
    }
    if (groups->count == groups->made) {
        group = malloc(sizeof(*group));
        if (!group)
            return tc_fail(err, TC_NO_MEMORY, "sqlite: a group");
        groups->items[groups->made++] = group;
    }
    group = groups->items[groups->count++];
    memset(group, 0, offsetof(struct sqlite_group, nums));
    *ret_group = group;
    return TC_OK;
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
    enum tc_code code;

    for (size_t i = groups->count; i > 0; i--) {
        struct sqlite_group *group = groups->items[i - 1];

        if (group->is_lease || group->is_stored || !is_same_lane(&group->lane, lane))
            continue;
        if (group->count == SQLITE_READY_GROUP_MAX)
            break; /* those before it are full as well */
        *ret_group = group;
        return TC_OK;
    }
    code = append(groups, ret_group, err);
    if (code != TC_OK)
        return code;
    (*ret_group)->place = ++store->last_place;
    (*ret_group)->lane = *lane;
    (*ret_group)->since_ms = now_ms;
    return TC_OK;
}

enum tc_code sqlite_groups_lease(struct sqlite_store *store, const char *queue,
                                 struct sqlite_group **ret_group, struct tc_error *err)
{
    enum tc_code code = append(&store->groups, ret_group, err);

    if (code != TC_OK)
        return code;
    (*ret_group)->place = ++store->last_place;
    (*ret_group)->is_lease = true;
    memcpy((*ret_group)->lane.queue, queue, strlen(queue) + 1);
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

static void bind_lane(struct sqlite_query *query, const struct sqlite_lane *lane, int64_t seq)
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

    bind_lane(&query, lane, seq);
    if (!query_next(&query))
        return query_is_bad(&query) ? sqlite_fail(&store->writer, "read a ready group", err)
                                    : fail_missing("ready", seq, err);

    enum tc_code code = append(&store->groups, ret_group, err);

    if (code != TC_OK)
        return code;
    (*ret_group)->place = seq;
    (*ret_group)->lane = *lane;
    (*ret_group)->since_ms = query_int(&query, 0);
    return read_members(&query, 1, *ret_group) ? TC_OK : fail_missing("ready", seq, err);
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

    enum tc_code code = append(&store->groups, ret_group, err);

    if (code != TC_OK)
        return code;
    (*ret_group)->place = id;
    return read_lease(&query, *ret_group) ? TC_OK : fail_missing("lease", id, err);
}

/* --- writing back --- */

static struct sqlite_query write_ready(struct sqlite_store *store,
                                       const struct sqlite_group *group,
                                       struct tc_bytes members)
{
    enum sqlite_statement statement = !group->is_stored  ? SQLITE_READY_INSERT_STATEMENT
                                      : group->left == 0 ? SQLITE_READY_DELETE_STATEMENT
                                                         : SQLITE_READY_SET_STATEMENT;
    struct sqlite_query query = sqlite_query(&store->writer, statement);
    int at = 5;

    bind_lane(&query, &group->lane, group->place);
    if (!group->is_stored)
        query_bind_int(&query, at++, group->since_ms);
    if (group->left > 0) {
        query_bind_int(&query, at++, (int64_t)group->left);
        query_bind_blob(&query, at, members);
    }
    return query;
}

static struct sqlite_query insert_lease(struct sqlite_store *store,
                                        const struct sqlite_group *group,
                                        struct tc_bytes members)
{
    struct sqlite_query query = sqlite_query(&store->writer, SQLITE_LEASE_INSERT_STATEMENT);

    query_bind_int(&query, 1, group->place);
    query_bind_text(&query, 2, group->lane.queue);
    query_bind_text(&query, 3, group->owner);
    query_bind_int(&query, 4, group->due_ms);
    query_bind_int(&query, 5, group->duration_ms);
    query_bind_int(&query, 6, group->of_process);
    query_bind_int(&query, 7, group->rescue);
    query_bind_int(&query, 8, (int64_t)group->left);
    query_bind_blob(&query, 9, members);
    return query;
}

static struct sqlite_query set_lease(struct sqlite_store *store,
                                     const struct sqlite_group *group, struct tc_bytes members)
{
    struct sqlite_query query = sqlite_query(&store->writer, SQLITE_LEASE_SET_STATEMENT);

    query_bind_int(&query, 1, group->place);
    query_bind_text(&query, 2, group->owner);
    query_bind_int(&query, 3, group->due_ms);
    query_bind_int(&query, 4, group->duration_ms);
    query_bind_int(&query, 5, group->of_process);
    query_bind_int(&query, 6, group->rescue);
    query_bind_int(&query, 7, (int64_t)group->left);
    query_bind_blob(&query, 8, members);
    return query;
}

static struct sqlite_query write_lease(struct sqlite_store *store,
                                       const struct sqlite_group *group,
                                       struct tc_bytes members)
{
    if (!group->is_stored)
        return insert_lease(store, group, members);
    if (group->left > 0 && group->is_reset)
        return set_lease(store, group, members);

    /* Shortening alone leaves the index on due_at alone. */
    struct sqlite_query query =
        sqlite_query(&store->writer, group->left == 0 ? SQLITE_LEASE_DELETE_STATEMENT
                                                      : SQLITE_LEASE_SHORTEN_STATEMENT);

    query_bind_int(&query, 1, group->place);
    if (group->left > 0) {
        query_bind_int(&query, 2, (int64_t)group->left);
        query_bind_blob(&query, 3, members);
    }
    return query;
}

static enum tc_code flush(struct sqlite_store *store, const struct sqlite_group *group,
                          struct tc_error *err)
{
    unsigned char bytes[SQLITE_MEMBERS_BYTES_MAX];
    struct tc_bytes members = { bytes, sqlite_members_write(group->nums, group->count, bytes) };
    AUTO_QUERY query = group->is_lease ? write_lease(store, group, members)
                                       : write_ready(store, group, members);

    return query_run(&query) ? TC_OK : sqlite_fail(&store->writer, "write a group", err);
}

enum tc_code sqlite_groups_flush(struct sqlite_store *store, struct tc_error *err)
{
    enum tc_code code = TC_OK;

    for (size_t i = 0; i < store->groups.count && code == TC_OK; i++) {
        const struct sqlite_group *group = store->groups.items[i];
        bool is_needed = group->is_stored ? group->is_cut || group->is_reset : group->left > 0;

        if (is_needed)
            code = flush(store, group, err);
    }
    return code;
}
