#ifndef TASKCORE_ADAPTERS_POSTGRES_PLACES_H
#define TASKCORE_ADAPTERS_POSTGRES_PLACES_H

/**
 * @file postgres_places.h
 * Which lease the tasks stand in that this process has claimed lately: a finish then needs not
 * look before it writes. Only hints: the statement compares, and what is not known or not true
 * any more takes the longer way.
 */

#include "core/domain/id.h"

struct postgres_places;

struct postgres_places *postgres_places_new(void); /**< NULL: no memory */
void postgres_places_free(struct postgres_places *places);

void postgres_places_put(struct postgres_places *places, const struct tc_id *id, int64_t lease);
/** 0: not known. */
int64_t postgres_places_get(struct postgres_places *places, const struct tc_id *id);

#endif
