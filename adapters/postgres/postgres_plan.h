#ifndef TASKCORE_ADAPTERS_POSTGRES_PLAN_H
#define TASKCORE_ADAPTERS_POSTGRES_PLAN_H

/** @file postgres_plan.h In which lanes a claim is to look, and for how much. */

#include "adapters/postgres/postgres_lanes.h"

#define POSTGRES_SIZE_SCALE 16

/** What is known of a lane. */
struct postgres_known {
    struct postgres_lane key; /**< seq: the mark */
    int64_t head;             /**< no row that waits has a lower seq, as far as known */
    int64_t size;             /**< ids of a row, on average, times POSTGRES_SIZE_SCALE */
    bool deep;                /**< the last claim found as many rows as it asked for */
    bool dry;                 /**< the last look found no more */
};

/** Names, sorted; none: any. */
struct postgres_names {
    const char **items;
    size_t count;
};

/** The names are borrowed. @return false: no memory. */
bool postgres_names_sort(const char *const *given, size_t count,
                         struct postgres_names *ret_names);
bool postgres_names_have(const struct postgres_names *names, const char *name);
void postgres_names_release(struct postgres_names *names);

/**
 * Share `wanted` tasks out between the queues of these lanes, beginning with the `turn`th one,
 * and choose lanes of each. Sorts `lanes`.
 */
void postgres_plan_share(const struct postgres_known **lanes, size_t count, size_t wanted,
                         uint64_t turn, struct postgres_plan *plan);

#endif
