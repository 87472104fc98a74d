#ifndef TASKCORE_PORTS_IDS_H
#define TASKCORE_PORTS_IDS_H

/**
 * @file ids.h
 * Port: new task ids and random numbers. Any thread; never blocks; cannot fail.
 *
 * [I1] No id is ever given twice, by any process.
 * [I2] Within one process, ids rise: in one call, from call to call, and also when the wall
 *      clock steps back (then they keep the latest millisecond seen).
 * [I3] All ids of one call carry the same bucket (core/domain/id.h), and the millisecond of
 *      the clock unless [I2] forbids it.
 */

#include "core/domain/id.h"

struct tc_ids;

struct tc_ids_ops {
    /** Fill `ret_ids[0..count)`. */
    void (*make)(struct tc_ids *ids, size_t count, struct tc_id *ret_ids);
    /** 64 bits, uniformly distributed; not for secrets. */
    uint64_t (*random)(struct tc_ids *ids);
};

struct tc_ids {
    const struct tc_ids_ops *ops;
};

static inline void tc_ids_make(struct tc_ids *ids, size_t count, struct tc_id *ret_ids)
{
    ids->ops->make(ids, count, ret_ids);
}

static inline uint64_t tc_ids_random(struct tc_ids *ids)
{
    return ids->ops->random(ids);
}

#endif
