/* Taking over ended leases, and waking what is due. */

#include "adapters/sqlite/sqlite_internal.h"

#include <string.h>

/* --- take_ended --- */

struct rescue {
    const char *owner;
    size_t max;
    int64_t lease_ms;
    int64_t now_ms;
};

/* Ids of ended leases, the longest ended first: enough of them, for each has a member. */
static enum tc_code find_ended(struct sqlite_store *store, const struct rescue *rescue,
                               int64_t *ret_ids, size_t *ret_count, struct tc_error *err)
{
    AUTO_QUERY query = sqlite_query(&store->writer, SQLITE_LEASE_ENDED_STATEMENT);
    size_t count = 0;

    query_bind_int(&query, 1, rescue->now_ms);
    query_bind_int(&query, 2, (int64_t)rescue->max);
    while (query_next(&query))
        ret_ids[count++] = query_int(&query, 0);
    *ret_count = count;
    return query_is_bad(&query) ? sqlite_fail(&store->writer, "look for ended leases", err)
                                : TC_OK;
}

/* The members that the rescuer takes stand in a lease of their own. */
static enum tc_code move_to_rescuer(struct sqlite_store *store, const struct rescue *rescue,
                                    struct sqlite_group *ended, size_t max,
                                    struct sqlite_group **ret_lease, struct tc_error *err)
{
    enum tc_code code = sqlite_groups_lease(store, ended->lane.queue, ret_lease, err);
    struct sqlite_group *lease = *ret_lease;

    if (code != TC_OK)
        return code;
    memcpy(lease->owner, rescue->owner, strlen(rescue->owner) + 1);
    lease->duration_ms = rescue->lease_ms;
    lease->due_ms = rescue->now_ms + rescue->lease_ms;
    lease->of_process = true;
    lease->rescue = true;
    sqlite_group_move(ended, lease, max);
    return TC_OK;
}

static enum tc_code take_lease(struct sqlite_store *store, const struct rescue *rescue,
                               int64_t id, struct sqlite_grip *grip, struct tc_error *err)
{
    struct sqlite_group *ended = NULL;
    struct sqlite_group *lease = NULL;
    enum tc_code code = sqlite_groups_find_lease(store, id, &ended, err);

    if (code == TC_OK)
        code = move_to_rescuer(store, rescue, ended, rescue->max - grip->count, &lease, err);
    if (code != TC_OK)
        return code;

    /* What a lost rescuer held was counted when it took it. */
    return sqlite_grip_take(store, grip, lease, 0, ended->rescue ? 0 : 1, err);
}

enum tc_code sqlite_take_ended(struct tc_lease_repo *repo, const char *owner, size_t max,
                               int64_t lease_ms, struct tc_task *ret_tasks, size_t *ret_count,
                               struct tc_error *err)
{
    struct sqlite_store *store = sqlite_store_of_leases(repo);
    struct rescue rescue = { .owner = owner, .max = max, .lease_ms = lease_ms };
    struct sqlite_grip grip = { .tasks = ret_tasks };
    int64_t ids[TC_LEASE_GROUP_MAX];
    size_t count = 0;
    enum tc_code code;

    if (max > TC_LEASE_GROUP_MAX)
        return tc_fail(err, TC_INTERNAL, "a rescue of %zu tasks", max);
    code = sqlite_writer_lock(store, err);
    if (code != TC_OK)
        return code;
    rescue.now_ms = grip.now_ms = tc_clock_now_ms(store->clock);
    code = find_ended(store, &rescue, ids, &count, err);
    if (code != TC_OK || count == 0) {
        sqlite_writer_unlock(store);
        if (code == TC_OK)
            *ret_count = 0;
        return code;
    }
    code = sqlite_writer_begin(store, err);
    if (code != TC_OK)
        return code;
    for (size_t i = 0; i < count && code == TC_OK && grip.count < max; i++)
        code = take_lease(store, &rescue, ids[i], &grip, err);
    code = sqlite_writer_end(store, code, err);
    if (code != TC_OK)
        sqlite_grip_release(&grip);
    else
        *ret_count = grip.count;
    return code;
}

/* --- wake --- */

struct due {
    struct tc_id id;
    struct sqlite_lane lane;
    int64_t num;
};

static bool read_due(const struct sqlite_query *query, struct due *due)
{
    due->num = query_int(query, 0);
    due->lane.rank = TC_PRIORITY_MAX - (int)query_int(query, 4);
    return query_copy_id(query, 1, &due->id) &&
           query_copy_text(query, 2, due->lane.queue, sizeof(due->lane.queue)) &&
           query_copy_text(query, 3, due->lane.type, sizeof(due->lane.type));
}

static enum tc_code wake_one(struct sqlite_store *store, const struct due *due, int64_t now_ms,
                             struct tc_error *err)
{
    struct sqlite_group *group = NULL;
    enum tc_code code =
        sqlite_aside_take(store, &due->id, due->lane.queue, TC_STATUS_SCHEDULED, err);

    if (code == TC_OK)
        code = sqlite_groups_open(store, &due->lane, now_ms, &group, err);
    if (code != TC_OK)
        return code;
    sqlite_group_add(group, due->num);

    struct sqlite_query query = sqlite_query(&store->writer, SQLITE_STATE_WAKE_STATEMENT);

    query_bind_int(&query, 1, due->num);
    query_bind_int(&query, 2, group->place);
    query_bind_int(&query, 3, now_ms);
    return query_run(&query) ? TC_OK : sqlite_fail(&store->writer, "wake a task", err);
}

/* In portions, because a statement must not read an index that is being changed. */
#define PORTION 64

static enum tc_code read_portion(struct sqlite_store *store, int64_t now_ms, size_t max,
                                 struct due *ret_due, size_t *ret_count, struct tc_error *err)
{
    AUTO_QUERY query = sqlite_query(&store->writer, SQLITE_ASIDE_DUE_STATEMENT);
    size_t count = 0;

    query_bind_int(&query, 1, now_ms);
    query_bind_int(&query, 2, (int64_t)(max < PORTION ? max : PORTION));
    while (query_next(&query))
        if (!read_due(&query, &ret_due[count++]))
            return tc_fail(err, TC_INTERNAL, "sqlite: a scheduled task is malformed");
    *ret_count = count;
    return query_is_bad(&query) ? sqlite_fail(&store->writer, "look for due tasks", err)
                                : TC_OK;
}

static enum tc_code wake_all(struct sqlite_store *store, size_t max, int64_t now_ms,
                             size_t *ret_count, struct tc_error *err)
{
    struct due due[PORTION];
    size_t count = 0;
    size_t read = PORTION;

    while (count < max && read == PORTION) {
        enum tc_code code = read_portion(store, now_ms, max - count, due, &read, err);

        for (size_t i = 0; i < read && code == TC_OK; i++)
            code = wake_one(store, &due[i], now_ms, err);
        if (code != TC_OK)
            return code;
        count += read;
    }
    *ret_count = count;
    return TC_OK;
}

static enum tc_code next_due(struct sqlite_store *store, int64_t now_ms, int64_t *ret_next_ms,
                             struct tc_error *err)
{
    AUTO_QUERY query = sqlite_query(&store->writer, SQLITE_ASIDE_NEXT_STATEMENT);

    if (!query_next(&query))
        return sqlite_fail(&store->writer, "look for due tasks", err);
    *ret_next_ms = -1;
    if (sqlite3_column_type(query.stmt, 0) != SQLITE_NULL) {
        int64_t due_ms = query_int(&query, 0);

        *ret_next_ms = due_ms > now_ms ? due_ms - now_ms : 0;
    }
    return TC_OK;
}

static enum tc_code wake_due(struct sqlite_store *store, size_t max, int64_t now_ms,
                             size_t *ret_count, int64_t *ret_next_ms, struct tc_error *err)
{
    enum tc_code code = sqlite_writer_begin(store, err);

    if (code != TC_OK)
        return code;
    code = wake_all(store, max, now_ms, ret_count, err);
    if (code == TC_OK)
        code = next_due(store, now_ms, ret_next_ms, err);
    return sqlite_writer_end(store, code, err);
}

enum tc_code sqlite_wake(struct tc_lease_repo *repo, size_t max, size_t *ret_count,
                         int64_t *ret_next_ms, struct tc_error *err)
{
    struct sqlite_store *store = sqlite_store_of_leases(repo);
    int64_t next_ms = -1;
    size_t count = 0;
    enum tc_code code = sqlite_writer_lock(store, err);

    if (code != TC_OK)
        return code;

    int64_t now_ms = tc_clock_now_ms(store->clock);

    code = next_due(store, now_ms, &next_ms, err);
    if (code == TC_OK && next_ms == 0)
        code = wake_due(store, max, now_ms, &count, &next_ms, err);
    else
        sqlite_writer_unlock(store);
    if (code != TC_OK)
        return code;
    *ret_count = count;
    *ret_next_ms = next_ms;
    return TC_OK;
}

const struct tc_lease_repo_ops sqlite_lease_repo_ops = {
    .name = "sqlite",
    .claim = sqlite_claim,
    .extend = sqlite_extend,
    .finish = sqlite_finish,
    .take_ended = sqlite_take_ended,
    .wake = sqlite_wake,
};
