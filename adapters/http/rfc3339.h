#ifndef TASKCORE_ADAPTERS_HTTP_RFC3339_H
#define TASKCORE_ADAPTERS_HTTP_RFC3339_H

/** @file rfc3339.h Times on the wire: RFC 3339, UTC with milliseconds when written. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RFC3339_LEN  24 /**< "2026-11-21T10:00:00.000Z" */
#define RFC3339_SIZE (RFC3339_LEN + 1)

/** Write the time and a NUL; what lies outside the years 0..9999 is written as the nearest
 *  end. */
void rfc3339_format(int64_t ms, char ret_text[RFC3339_SIZE]);

/**
 * Read a date and time with offset, exactly `len` bytes. `T` and `Z` in either case; any
 * number of digits of a second, of which three count: `*ret_cut` (may be NULL) says whether
 * something other than zeros was cut. A leap second is read as the second after it.
 */
bool rfc3339_parse(const char *text, size_t len, int64_t *ret_ms, bool *ret_cut);

#endif
