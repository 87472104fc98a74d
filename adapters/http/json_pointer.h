#ifndef TASKCORE_ADAPTERS_HTTP_JSON_POINTER_H
#define TASKCORE_ADAPTERS_HTTP_JSON_POINTER_H

/** @file json_pointer.h Naming a field that a client sent, in a violation. */

#include "core/domain/content.h"
#include "core/domain/violations.h"

#define JSON_POINTER_TOKEN_SIZE 72 /**< leaves room for "/tasks/999/" in a violation */

/**
 * Write `name` as one token of a JSON Pointer (RFC 6901: '~' is "~0", '/' is "~1") and a
 * NUL; a long name is cut between characters.
 */
void json_pointer_token(struct tc_bytes name, char ret_token[JSON_POINTER_TOKEN_SIZE]);

/** Note that `name`, a member of the object at the pointer `at`, is not one that a request
 *  may have. */
void json_pointer_refuse(struct tc_violations *violations, const char *at,
                         struct tc_bytes name);

#endif
