/* Groups go back into their rows. */

#include "adapters/sqlite/sqlite_internal.h"

static struct sqlite_query write_ready(struct sqlite_store *store,
                                       const struct sqlite_group *group,
                                       struct tc_bytes members)
{
    enum sqlite_statement statement = !group->is_stored  ? SQLITE_READY_INSERT_STATEMENT
                                      : group->left == 0 ? SQLITE_READY_DELETE_STATEMENT
                                                         : SQLITE_READY_SET_STATEMENT;
    struct sqlite_query query = sqlite_query(&store->writer, statement);
    int at = 5;

    sqlite_bind_lane(&query, &group->lane, group->place);
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
    struct tc_bytes members = {
        store->scratch,
        sqlite_members_write(group->nums, group->count, store->scratch),
    };
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
