#ifndef TASKCORE_ADAPTERS_POSTGRES_TAKE_H
#define TASKCORE_ADAPTERS_POSTGRES_TAKE_H

/** @file postgres_take.h The statements of a claim without ids, for postgres_claim.c. */

#include "adapters/postgres/postgres_claims.h"

/** One claim on its way. */
struct postgres_claiming {
    const struct tc_claim *claim;
    struct postgres_catch caught;
    struct postgres_plan plan;
    uint64_t turn;
    bool took_rows; /**< the last look did */
    bool searched;  /**< since the last look that took rows */
    int waits;      /**< for rows that others held */
};

/** Take what the plan says from the front of its lanes, and tell the lanes. `patient`: wait for
 *  rows that others hold, instead of passing them over. */
enum tc_code postgres_take(struct postgres_store *store, struct postgres_connection *connection,
                           struct postgres_claiming *claiming, bool patient,
                           struct tc_error *err) TC_MUST_CHECK;

/** Find the lanes that exist, each with its first row, and tell the lanes. */
enum tc_code postgres_search(struct postgres_store *store,
                             struct postgres_connection *connection,
                             const struct tc_claim *claim, struct tc_error *err) TC_MUST_CHECK;

#endif
