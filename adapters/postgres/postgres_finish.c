/* Finishing groups. Outcomes of the kind DONE, of tasks that this process has claimed, take one
 * statement. Whatever is not applied by that (other kinds, stale epochs, claims of others) is
 * locked, judged and written in one transaction. */

#include "adapters/postgres/postgres_claims.h"
#include "adapters/postgres/postgres_outcomes.h"

#include <stdlib.h>
#include <string.h>

struct finishing {
    struct postgres_ending *endings; /* by rising ids; of one task, as they came */
    size_t count;
    struct postgres_ending **picked; /* room for all */
    bool wrote;                      /* something is there to stay */
};

static int by_task(const void *a, const void *b)
{
    const struct postgres_ending *first = a;
    const struct postgres_ending *second = b;
    int order = tc_id_compare(&first->outcome->id, &second->outcome->id);

    return order ? order
                 : (first->outcome > second->outcome) - (first->outcome < second->outcome);
}

typedef bool is_picked(const struct postgres_ending *ending);

/* Those that are not settled and fit, but only the first of each task. */
static struct postgres_endings pick(const struct finishing *finishing, is_picked *fits)
{
    struct postgres_endings picked = { .items = finishing->picked };
    const struct postgres_ending *before = NULL;

    for (size_t i = 0; i < finishing->count; i++) {
        struct postgres_ending *ending = &finishing->endings[i];

        if (ending->settled ||
            (before && tc_id_compare(&before->outcome->id, &ending->outcome->id) == 0))
            continue;
        before = ending;
        if (fits(ending))
            picked.items[picked.count++] = ending;
    }
    return picked;
}

static bool is_any(const struct postgres_ending *ending)
{
    (void)ending;
    return true;
}

static bool is_not_done(const struct postgres_ending *ending)
{
    return ending->outcome->kind != TC_OUTCOME_DONE;
}

static bool is_done(const struct postgres_ending *ending)
{
    return ending->place != 0 && ending->outcome->kind == TC_OUTCOME_DONE;
}

static bool is_other(const struct postgres_ending *ending)
{
    return ending->place != 0 && ending->outcome->kind != TC_OUTCOME_DONE;
}

/* What was not applied is not where it was thought to be. */
static void settle(struct postgres_endings picked)
{
    for (size_t i = 0; i < picked.count; i++) {
        struct postgres_ending *ending = picked.items[i];

        ending->place = 0;
        ending->settled = ending->applied;
        if (ending->applied)
            *ending->verdict = (struct tc_verdict){ .kind = TC_VERDICT_APPLIED };
    }
}

static enum tc_code apply(struct postgres_store *store, struct postgres_connection *connection,
                          const struct finishing *finishing, bool others, struct tc_error *err)
{
    struct postgres_endings picked = pick(finishing, others ? is_other : is_done);
    enum tc_code code = TC_OK;

    if (picked.count == 0)
        return TC_OK;
    code = others ? postgres_apply_others(store, connection, &picked, err)
                  : postgres_apply_done(store, connection, &picked, err);
    if (code == TC_OK)
        settle(picked);
    return code;
}

static bool is_settled(const struct finishing *finishing)
{
    for (size_t i = 0; i < finishing->count; i++)
        if (!finishing->endings[i].settled)
            return false;
    return true;
}

/* One round for each outcome of the same task. */
static enum tc_code settle_all(struct postgres_store *store,
                               struct postgres_connection *connection,
                               const struct finishing *finishing, struct tc_error *err)
{
    enum tc_code code = TC_OK;

    while (code == TC_OK && !is_settled(finishing)) {
        struct postgres_endings picked = pick(finishing, is_any);

        code = postgres_judge(connection, &picked, err);
        if (code == TC_OK)
            code = apply(store, connection, finishing, false, err);
        if (code == TC_OK)
            code = apply(store, connection, finishing, true, err);
    }
    return code;
}

/* As before the transaction, which may be a repeated one. */
static void start_over(const struct postgres_store *store, struct finishing *finishing)
{
    struct postgres_places *places = postgres_lanes_places(store->lanes);

    for (size_t i = 0; i < finishing->count; i++) {
        struct postgres_ending *ending = &finishing->endings[i];

        ending->settled = ending->applied = ending->committed;
        ending->place = 0;
        if (ending->outcome->kind == TC_OUTCOME_DONE && !finishing->wrote)
            ending->place = postgres_places_get(places, &ending->outcome->id);
    }
}

/* Tasks are locked before leases: the others' here, those of DONE by their statement. */
static enum tc_code finish_mixed(struct postgres_store *store,
                                 struct postgres_connection *connection,
                                 struct finishing *finishing, struct tc_error *err)
{
    struct postgres_endings others = pick(finishing, is_not_done);
    enum tc_code code = TC_OK;

    if (others.count > 0)
        code = postgres_judge(connection, &others, err);
    if (code == TC_OK)
        code = apply(store, connection, finishing, false, err);
    if (code == TC_OK)
        code = apply(store, connection, finishing, true, err);
    if (code == TC_OK)
        code = settle_all(store, connection, finishing, err);
    return code;
}

static enum tc_code in_transaction(struct postgres_store *store,
                                   struct postgres_connection *connection,
                                   struct finishing *finishing, struct tc_error *err)
{
    enum tc_code code;

    postgres_begin(connection);
    code = finish_mixed(store, connection, finishing, err);
    if (code == TC_OK)
        code = postgres_commit(connection, err);
    if (code != TC_OK)
        postgres_rollback(connection);
    return code;
}

static bool is_pure(const struct finishing *finishing)
{
    for (size_t i = 0; i < finishing->count; i++)
        if (finishing->endings[i].outcome->kind != TC_OUTCOME_DONE)
            return false;
    return true;
}

static enum tc_code finish(struct postgres_store *store, struct postgres_connection *connection,
                           void *ctx, struct tc_error *err)
{
    struct finishing *finishing = ctx;

    start_over(store, finishing);
    if (!finishing->wrote && is_pure(finishing)) {
        enum tc_code code = apply(store, connection, finishing, false, err);

        if (code != TC_OK || is_settled(finishing))
            return code;
        for (size_t i = 0; i < finishing->count; i++) {
            finishing->endings[i].committed = finishing->endings[i].applied;
            finishing->wrote = finishing->wrote || finishing->endings[i].applied;
        }
    }
    return in_transaction(store, connection, finishing, err);
}

static bool makes_waiting(const struct tc_outcome *outcomes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (outcomes[i].next == TC_STATUS_NEW)
            return true;
    return false;
}

static enum tc_code finish_all(struct postgres_store *store, struct finishing *finishing,
                               const struct tc_outcome *outcomes, struct tc_verdict *verdicts,
                               struct tc_error *err)
{
    enum tc_code code;

    for (size_t i = 0; i < finishing->count; i++)
        finishing->endings[i] =
            (struct postgres_ending){ .outcome = &outcomes[i], .verdict = &verdicts[i] };
    qsort(finishing->endings, finishing->count, sizeof(*finishing->endings), by_task);
    code = postgres_do(store, finish, finishing, err);
    if (makes_waiting(outcomes, finishing->count))
        postgres_lanes_touch(store->lanes);
    return code == TC_UNAVAILABLE && finishing->wrote ? TC_UNKNOWN : code;
}

enum tc_code postgres_finish(struct tc_lease_repo *repo, const struct tc_outcome *outcomes,
                             size_t count, struct tc_verdict *ret_verdicts,
                             struct tc_error *err)
{
    struct postgres_store *store = POSTGRES_SELF(repo, lease_repo);
    struct finishing finishing = { .count = count };
    struct tc_verdict verdicts[TC_LEASE_GROUP_MAX];
    enum tc_code code;

    if (count == 0)
        return TC_OK;
    if (count > TC_LEASE_GROUP_MAX)
        return tc_fail(err, TC_INTERNAL, "%zu outcomes in one group", count);
    finishing.endings = malloc(count * sizeof(*finishing.endings));
    finishing.picked = malloc(count * sizeof(struct postgres_ending *));
    if (finishing.endings && finishing.picked)
        code = finish_all(store, &finishing, outcomes, verdicts, err);
    else
        code = tc_fail(err, TC_NO_MEMORY, "postgres: %zu outcomes", count);
    if (code == TC_OK)
        memcpy(ret_verdicts, verdicts, count * sizeof(*verdicts));
    free(finishing.endings);
    free(finishing.picked);
    return code;
}
