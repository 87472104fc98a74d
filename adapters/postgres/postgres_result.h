#ifndef TASKCORE_ADAPTERS_POSTGRES_RESULT_H
#define TASKCORE_ADAPTERS_POSTGRES_RESULT_H

/** @file postgres_result.h Values out of a result in binary format. NULL reads as 0 or empty.
 */

#include "core/domain/task.h"

#include <libpq-fe.h>

#define AUTO_RESULT __attribute__((cleanup(postgres_clear_result))) PGresult *
void postgres_clear_result(PGresult **result);

bool postgres_is_null(const PGresult *result, int row, int column);
bool postgres_get_bool(const PGresult *result, int row, int column);
/** int2, int4 or int8, by the length of the value. */
int64_t postgres_get_int(const PGresult *result, int row, int column);
struct tc_id postgres_get_id(const PGresult *result, int row, int column);
/** Into a name of TC_NAME_MAX + 1 or another buffer of `size` bytes; cut when longer. */
void postgres_get_text(const PGresult *result, int row, int column, char *ret_text,
                       size_t size);
/** Borrowed from the result. */
struct tc_bytes postgres_get_bytes(const PGresult *result, int row, int column);
/** Of uuid[]: how many, and one of them. */
size_t postgres_get_ids_count(const PGresult *result, int row, int column);
struct tc_id postgres_get_ids_at(const PGresult *result, int row, int column, size_t index);

#endif
