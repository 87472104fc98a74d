#include "adapters/postgres/postgres_split.h"

#include "adapters/postgres/postgres_claims.h"

#include <stdlib.h>

/* Tasks are locked before leases, both by rising ids, as a finish does. $1 ids, $2 how many. */
#define NUMBERED_IDS POSTGRES_ROWS_OF("unnest($1::uuid[])", "$2")

static const struct postgres_statement lock_tasks_statement = {
    .name = "split_lock_tasks",
    .sql = "SELECT g.num, t.status, t.epoch, t.place "
           "FROM " NUMBERED_IDS " AS g (id, num) JOIN taskcore.task t ON t.id = g.id "
           "WHERE t.id = ANY ($1::uuid[]) ORDER BY t.id FOR UPDATE OF t",
    .writes = true,
};

enum task_column { NUM, STATUS, EPOCH, PLACE };

static const struct postgres_statement lock_leases_statement = {
    .name = "split_lock_leases",
    .writes = true,
    .sql = "SELECT id, live, duration_ms FROM taskcore.lease "
           "WHERE id = ANY ($1::int8[]) ORDER BY id FOR UPDATE",
};

enum lease_column { LEASE, LIVE, DURATION_MS };

/*
 * $1 now; of each group $2 its lease, $3 how long, $4 whether it stays there, $5 how many
 * groups; of each member $6 id, $7 group, $8 how many members.
 */
#define GIVEN_PARTS                                                                            \
    POSTGRES_ROWS_OF("unnest($2::int8[]), unnest($3::int8[]), unnest($4::bool[])", "$5")
#define GIVEN_MEMBERS POSTGRES_ROWS_OF("unnest($6::uuid[]), unnest($7::int4[])", "$8")
#define PART                                                                                   \
    "part AS MATERIALIZED ("                                                                   \
    "    SELECT p.num, p.lease, p.stays, (SELECT at FROM clock) + p.lease_ms AS due_at,"       \
    "           CASE WHEN p.stays THEN p.lease ELSE nextval('taskcore.lease_id') END AS id"    \
    "    FROM " GIVEN_PARTS "         AS p (lease, lease_ms, stays, num)),"
#define KEPT                                                                                   \
    "kept AS ("                                                                                \
    "    UPDATE taskcore.lease l SET due_at = p.due_at FROM part p"                            \
    "    WHERE l.id = ANY ($2::int8[]) AND l.id = p.id AND p.stays),"
#define MEMBER                                                                                 \
    "member AS MATERIALIZED ("                                                                 \
    "    SELECT m.id, p.id AS place, p.lease"                                                  \
    "    FROM " GIVEN_MEMBERS "         AS m (id, part, num)"                                  \
    "    JOIN part p ON p.num = m.part WHERE NOT p.stays),"
#define MADE                                                                                   \
    "made AS ("                                                                                \
    "    INSERT INTO taskcore.lease (id, due_at, duration_ms, incarnation, live, rescue,"      \
    "                                queue, owner, ids)"                                       \
    "    SELECT p.id, p.due_at, l.duration_ms, l.incarnation, m.count, l.rescue, l.queue,"     \
    "           l.owner, m.ids"                                                                \
    "    FROM part p"                                                                          \
    "    JOIN (SELECT place, count(*) AS count, array_agg(id) AS ids"                          \
    "          FROM member GROUP BY place) m ON m.place = p.id"                                \
    "    CROSS JOIN LATERAL (SELECT * FROM taskcore.lease WHERE id = p.lease) l),"             \
    "moved AS ("                                                                               \
    "    UPDATE taskcore.task t SET place = m.place FROM member m"                             \
    "    WHERE t.id = ANY ($6::uuid[]) AND t.id = m.id),"
#define LOWERED POSTGRES_LOWER_LEASES("(SELECT lease AS place FROM member) m")

static const struct postgres_statement split_statement = {
    .name = "split",
    .sql = "WITH " POSTGRES_CLOCK PART KEPT MEMBER MADE LOWERED " SELECT num, due_at FROM part",
    .writes = true,
};

/* What was read of a lease. */
struct lease {
    int64_t id;
    int64_t live;
    int64_t duration_ms;
};

/* Members of one lease that are renewed for the same time. */
struct group {
    int64_t place;
    int64_t lease_ms;
    int64_t count;
    bool stays;
};

struct split {
    struct postgres_part *parts;
    size_t count;
    size_t held; /* so many of them hold their task; they come first */
    struct lease *leases;
    size_t lease_count;
    struct group *groups;
    size_t group_count;
};

static int by_terms(const void *a, const void *b)
{
    const struct postgres_part *first = a;
    const struct postgres_part *second = b;
    bool first_stale = first->renewed.stale != TC_STALE_NONE;
    bool second_stale = second->renewed.stale != TC_STALE_NONE;

    if (first_stale != second_stale)
        return first_stale ? 1 : -1;
    if (first->place != second->place)
        return first->place < second->place ? -1 : 1;
    if (first->lease_ms != second->lease_ms)
        return first->lease_ms < second->lease_ms ? -1 : 1;
    return tc_id_compare(&first->id, &second->id);
}

static enum tc_code lock_tasks(struct postgres_connection *connection, struct split *split,
                               struct tc_error *err)
{
    struct postgres_params params;
    AUTO_RESULT result = NULL;

    postgres_params_init(&params, 64 + 20 * split->count);
    postgres_array_begin(&params, POSTGRES_UUID);
    for (size_t i = 0; i < split->count; i++)
        postgres_push_id(&params, &split->parts[i].id);
    postgres_array_end(&params);
    postgres_add_int4(&params, (int)split->count);

    enum tc_code code = postgres_run(connection, &lock_tasks_statement, &params, &result, err);

    postgres_params_release(&params);
    if (code != TC_OK)
        return code;
    for (size_t i = 0; i < split->count; i++)
        split->parts[i].renewed = (struct tc_renewed){ .stale = TC_STALE_NOT_FOUND };
    for (int row = 0; row < PQntuples(result); row++) {
        struct postgres_part *part = &split->parts[postgres_get_int(result, row, NUM) - 1];

        part->renewed.stale =
            tc_lease_judge((enum tc_status)postgres_get_int(result, row, STATUS),
                           postgres_get_int(result, row, EPOCH), part->epoch);
        part->place = postgres_get_int(result, row, PLACE);
    }
    qsort(split->parts, split->count, sizeof(*split->parts), by_terms);
    split->held = 0;
    while (split->held < split->count &&
           split->parts[split->held].renewed.stale == TC_STALE_NONE)
        split->held++;
    return TC_OK;
}

static enum tc_code lock_leases(struct postgres_connection *connection, struct split *split,
                                struct tc_error *err)
{
    struct postgres_params params;
    AUTO_RESULT result = NULL;

    postgres_params_init(&params, 64 + 12 * split->held);
    postgres_array_begin(&params, POSTGRES_INT8);
    for (size_t i = 0; i < split->held; i++)
        if (i == 0 || split->parts[i].place != split->parts[i - 1].place)
            postgres_push_int(&params, POSTGRES_INT8, split->parts[i].place);
    postgres_array_end(&params);

    enum tc_code code = postgres_run(connection, &lock_leases_statement, &params, &result, err);

    postgres_params_release(&params);
    for (int row = 0; code == TC_OK && row < PQntuples(result); row++)
        split->leases[split->lease_count++] =
            (struct lease){ .id = postgres_get_int(result, row, LEASE),
                            .live = postgres_get_int(result, row, LIVE),
                            .duration_ms = postgres_get_int(result, row, DURATION_MS) };
    return code;
}

static const struct lease *find_lease(const struct split *split, int64_t id)
{
    for (size_t i = 0; i < split->lease_count; i++)
        if (split->leases[i].id == id)
            return &split->leases[i];
    return NULL;
}

static enum tc_code form_groups(struct split *split, struct tc_error *err)
{
    struct group *group = NULL;

    for (size_t i = 0; i < split->held; i++) {
        struct postgres_part *part = &split->parts[i];
        const struct lease *lease = find_lease(split, part->place);

        if (!lease)
            return tc_fail(err, TC_INTERNAL, "postgres: a running task has no lease");
        if (i == 0 || part[-1].place != part->place || part[-1].lease_ms != part->lease_ms) {
            group = &split->groups[split->group_count++];
            *group = (struct group){
                .place = part->place,
                .lease_ms = part->lease_ms > 0 ? part->lease_ms : lease->duration_ms,
            };
        }
        group->count++;
        group->stays = group->count == lease->live;
        part->group = (int)split->group_count;
    }
    return TC_OK;
}

static void add_groups(struct postgres_params *params, const struct split *split)
{
    postgres_array_begin(params, POSTGRES_INT8);
    for (size_t i = 0; i < split->group_count; i++)
        postgres_push_int(params, POSTGRES_INT8, split->groups[i].place);
    postgres_array_end(params);
    postgres_array_begin(params, POSTGRES_INT8);
    for (size_t i = 0; i < split->group_count; i++)
        postgres_push_int(params, POSTGRES_INT8, split->groups[i].lease_ms);
    postgres_array_end(params);
    postgres_array_begin(params, POSTGRES_BOOL);
    for (size_t i = 0; i < split->group_count; i++)
        postgres_push_int(params, POSTGRES_BOOL, split->groups[i].stays);
    postgres_array_end(params);
    postgres_add_int4(params, (int)split->group_count);
}

static void add_members(struct postgres_params *params, const struct split *split)
{
    postgres_array_begin(params, POSTGRES_UUID);
    for (size_t i = 0; i < split->held; i++)
        postgres_push_id(params, &split->parts[i].id);
    postgres_array_end(params);
    postgres_array_begin(params, POSTGRES_INT4);
    for (size_t i = 0; i < split->held; i++)
        postgres_push_int(params, POSTGRES_INT4, split->parts[i].group);
    postgres_array_end(params);
    postgres_add_int4(params, (int)split->held);
}

static enum tc_code move(struct postgres_store *store, struct postgres_connection *connection,
                         struct split *split, struct tc_error *err)
{
    struct postgres_params params;
    AUTO_RESULT result = NULL;

    postgres_params_init(&params, 256 + 32 * split->held);
    postgres_add_now(&params, store);
    add_groups(&params, split);
    add_members(&params, split);

    enum tc_code code = postgres_run(connection, &split_statement, &params, &result, err);

    postgres_params_release(&params);
    for (int row = 0; code == TC_OK && row < PQntuples(result); row++)
        for (size_t i = 0; i < split->held; i++)
            if (split->parts[i].group == postgres_get_int(result, row, 0))
                split->parts[i].renewed.expires_at_ms = postgres_get_int(result, row, 1);
    return code;
}

enum tc_code postgres_split(struct postgres_store *store,
                            struct postgres_connection *connection, struct postgres_part *parts,
                            size_t count, struct tc_error *err)
{
    struct split split = { .parts = parts, .count = count };
    enum tc_code code = TC_OK;

    split.leases = malloc(count * sizeof(*split.leases));
    split.groups = malloc(count * sizeof(*split.groups));
    if (!split.leases || !split.groups)
        code = tc_fail(err, TC_NO_MEMORY, "postgres: %zu renewals", count);
    if (code == TC_OK)
        code = lock_tasks(connection, &split, err);
    if (code == TC_OK && split.held > 0)
        code = lock_leases(connection, &split, err);
    if (code == TC_OK && split.held > 0)
        code = form_groups(&split, err);
    if (code == TC_OK && split.held > 0)
        code = move(store, connection, &split, err);
    free(split.leases);
    free(split.groups);
    return code;
}
