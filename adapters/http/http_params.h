#ifndef TASKCORE_ADAPTERS_HTTP_PARAMS_H
#define TASKCORE_ADAPTERS_HTTP_PARAMS_H

/**
 * @file http_params.h
 * The query of a request, strictly: unknown, repeated and empty parameters are violations,
 * as are bad escapes, `%00` and invalid UTF-8. A violation points to "/name".
 */

#include "core/domain/content.h"
#include "core/domain/violations.h"

#include <stdint.h>

#define HTTP_PARAMS_MAX 12

/** Release with http_params_release(). */
struct http_params {
    struct http_param {
        const char *name;      /**< from the list of known names */
        struct tc_bytes value; /**< decoded, followed by a NUL, never empty */
    } items[HTTP_PARAMS_MAX];
    size_t count;
    char *storage;
};

/**
 * Read `query` (as sent, without '?'; NULL: none). `known`: up to HTTP_PARAMS_MAX names,
 * ended by NULL. Only good parameters come into `*ret_params`.
 * @return false: no memory.
 */
bool http_params_parse(const char *query, const char *const *known,
                       struct http_params *ret_params, struct tc_violations *violations);

void http_params_release(struct http_params *params);

/** The value of a parameter; NULL: not given. */
const struct tc_bytes *http_params_find(const struct http_params *params, const char *name);

/** Read a parameter of plain decimal digits into `*value`, which keeps its default when the
 *  parameter is absent; out of min..max (>= 0) or anything else is a violation. */
void http_params_int(const struct http_params *params, const char *name, int64_t min,
                     int64_t max, int64_t *value, struct tc_violations *violations);

#endif
