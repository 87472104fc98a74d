#ifndef TASKCORE_ADAPTERS_POSTGRES_SPLIT_H
#define TASKCORE_ADAPTERS_POSTGRES_SPLIT_H

/** @file postgres_split.h Tasks that are to live longer than others of their lease. */

#include "adapters/postgres/postgres_internal.h"

struct postgres_part {
    struct tc_id id;
    int64_t epoch;
    int64_t lease_ms;          /**< 0: as leased */
    struct tc_renewed renewed; /**< filled */
    size_t index;              /**< the caller's */
    int64_t place;             /* of its lease, in between */
    int group;                 /* the new lease */
};

/**
 * In the open transaction, renew tasks one by one: those of one lease and length together move
 * to a lease of their own, or stay where they are when they are all that lives in theirs. No
 * id comes twice with an epoch that holds. What does not hold its task (any more) gets the
 * reason. `parts` come back in another order.
 */
enum tc_code postgres_split(struct postgres_store *store,
                            struct postgres_connection *connection, struct postgres_part *parts,
                            size_t count, struct tc_error *err) TC_MUST_CHECK;

#endif
