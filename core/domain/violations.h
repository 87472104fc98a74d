#ifndef TASKCORE_CORE_DOMAIN_VIOLATIONS_H
#define TASKCORE_CORE_DOMAIN_VIOLATIONS_H

/** @file violations.h Which fields of an input break which rule; filled by validators. */

#include "core/domain/attributes.h"

#include <stddef.h>

#define TC_VIOLATIONS_MAX         16
#define TC_VIOLATION_POINTER_SIZE 96
#define TC_VIOLATION_DETAIL_SIZE  128

struct tc_violation {
    char
        pointer[TC_VIOLATION_POINTER_SIZE]; /**< JSON Pointer (RFC 6901): "/tasks/3/priority" */
    char detail[TC_VIOLATION_DETAIL_SIZE];  /**< the rule: "must be 0..10" */
};

/** Zero it to start. What comes after TC_VIOLATIONS_MAX is counted but not kept. */
struct tc_violations {
    struct tc_violation items[TC_VIOLATIONS_MAX];
    size_t kept;
    size_t total;
};

/** Note that `field` under the pointer `at` ("" for the top) breaks a rule. */
void tc_violations_add(struct tc_violations *violations, const char *at, const char *field,
                       const char *fmt, ...) TC_PRINTF(4, 5);

#endif
