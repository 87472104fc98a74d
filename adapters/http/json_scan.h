#ifndef TASKCORE_ADAPTERS_HTTP_JSON_SCAN_H
#define TASKCORE_ADAPTERS_HTTP_JSON_SCAN_H

/** @file json_scan.h The scalars of JSON: strings, numbers, and what is in a string. */

#include "core/domain/content.h"

#include <stdint.h>

/**
 * Check the string whose opening quote is text[*at]; `*at` moves behind the closing one.
 * @return NULL, or what is wrong.
 */
const char *json_scan_string(const unsigned char *text, size_t len, size_t *at,
                             bool *ret_has_escapes);

/** From `at` on, the first byte that is not plain: no printing ASCII, or a quote, or a
 *  backslash; `len` when there is none. */
size_t json_skip_plain(const unsigned char *text, size_t len, size_t at);

/** Check the number that begins at text[*at]; `*at` moves behind it. */
const char *json_scan_number(const unsigned char *text, size_t len, size_t *at,
                             bool *ret_is_integer);

/**
 * Write the value of a checked string (without or with its quotes) as UTF-8 into `ret_text`,
 * which has room for `string.len` bytes. @return the length.
 */
size_t json_unescape(struct tc_bytes string, char *ret_text);

/** The value of a checked integer; what does not fit is the nearest end of
 *  -INT64_MAX..INT64_MAX. */
int64_t json_integer(struct tc_bytes digits);

#endif
