#ifndef TASKCORE_CORE_DOMAIN_ERROR_H
#define TASKCORE_CORE_DOMAIN_ERROR_H

/**
 * @file error.h
 * How every fallible call in this code base reports its outcome.
 *
 * The code is what programs branch on; the message is what people read. A fallible
 * function returns the code and, as its last parameter, takes a caller-owned
 * `struct tc_error *err` (NULL: "I only need the code"). Read `*err` only after a
 * failure. On failure every `ret_` parameter is left untouched.
 *
 * Adapters translate backend failures into these codes at their edge. No foreign code
 * ever reaches core/.
 */

#include "core/domain/attributes.h"

#include <stdbool.h>

enum tc_code {
    TC_OK = 0,
    TC_INVALID,     /**< the caller's input breaks a documented rule; do not retry */
    TC_NOT_FOUND,   /**< the thing asked for does not exist */
    TC_CONFLICT,    /**< the state of the thing forbids it, or someone else was first */
    TC_UNAVAILABLE, /**< backend not reachable now; nothing was applied; retry */
    TC_UNKNOWN,     /**< a write may or may not have been applied; re-read before retry */
    TC_NO_MEMORY,   /**< allocation failed; nothing was applied */
    TC_INTERNAL,    /**< a bug, or a backend failure we have no mapping for */
};

#define TC_ERROR_MESSAGE_SIZE 256

struct tc_error {
    enum tc_code code;
    char message[TC_ERROR_MESSAGE_SIZE]; /**< one line, no trailing period, never NULL */
};

/** Fill `*err` (when not NULL) and return `code`, so a failure is one statement. */
enum tc_code tc_fail(struct tc_error *err, enum tc_code code, const char *fmt, ...)
    TC_PRINTF(3, 4);

/** Stable lower-case name for logs, metrics and API bodies, e.g. "not_found". */
const char *tc_code_name(enum tc_code code);

/** True when the same call may succeed later without anyone changing anything. */
bool tc_code_is_retryable(enum tc_code code);

#endif
