#ifndef TASKCORE_ADAPTERS_POSTGRES_OUTCOMES_H
#define TASKCORE_ADAPTERS_POSTGRES_OUTCOMES_H

/** @file postgres_outcomes.h The statements that write outcomes, for postgres_finish.c. */

#include "adapters/postgres/postgres_internal.h"

/** One outcome on its way. */
struct postgres_ending {
    const struct tc_outcome *outcome;
    struct tc_verdict *verdict;
    int64_t place;  /**< the lease that its task is believed to stand in; 0: not known */
    bool applied;   /**< by one of the statements here */
    bool settled;   /**< the verdict is final */
    bool committed; /**< it stays so whatever comes */
};

/** A pick of endings, each of another task, by rising ids. Borrowed. */
struct postgres_endings {
    struct postgres_ending **items;
    size_t count;
};

/**
 * Apply outcomes of the kind DONE (or, the second, of the other kinds), as far as their tasks
 * hold the epoch and stand in that place; sets `applied`. In one statement each.
 */
enum tc_code postgres_apply_done(struct postgres_store *store,
                                 struct postgres_connection *connection,
                                 const struct postgres_endings *endings,
                                 struct tc_error *err) TC_MUST_CHECK;
enum tc_code postgres_apply_others(struct postgres_store *store,
                                   struct postgres_connection *connection,
                                   const struct postgres_endings *endings,
                                   struct tc_error *err) TC_MUST_CHECK;

/**
 * In the open transaction, lock the tasks and judge: `place` is set for those that hold the
 * epoch, all others are settled.
 */
enum tc_code postgres_judge(struct postgres_connection *connection,
                            const struct postgres_endings *endings,
                            struct tc_error *err) TC_MUST_CHECK;

#endif
