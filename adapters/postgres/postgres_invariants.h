#ifndef TASKCORE_ADAPTERS_POSTGRES_INVARIANTS_H
#define TASKCORE_ADAPTERS_POSTGRES_INVARIANTS_H

/**
 * @file postgres_invariants.h
 * What must hold in the tables at any committed moment, as queries for `taskctl check`.
 */

#include "core/domain/error.h"

#include <stddef.h>

/** One violated rule: its name, what it says, how many rows break it, and one of them. */
typedef void postgres_violation_note(void *ctx, const char *name, const char *rule, size_t rows,
                                     const char *example);

/**
 * Run every query in one consistent snapshot; each may take up to 10 min. `note` (NULL: none)
 * is called once per broken rule, with texts that live as long as the call.
 * @return TC_OK with the number of rules looked at and of those broken; TC_INVALID: bad URL or
 *         schema; TC_UNAVAILABLE; TC_NO_MEMORY; TC_INTERNAL.
 */
enum tc_code postgres_check_invariants(const char *url, postgres_violation_note *note,
                                       void *ctx, size_t *ret_rules, size_t *ret_broken,
                                       struct tc_error *err) TC_MUST_CHECK;

#endif
