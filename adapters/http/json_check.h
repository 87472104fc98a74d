#ifndef TASKCORE_ADAPTERS_HTTP_JSON_CHECK_H
#define TASKCORE_ADAPTERS_HTTP_JSON_CHECK_H

/**
 * @file json_check.h
 * Reading JSON text strictly, in one pass, without a tree: the caller steps through the
 * envelope and takes everything inside as byte ranges that have been checked.
 *
 * Refused anywhere: what RFC 8259 refuses, a byte order mark, invalid UTF-8, lone
 * surrogates, `\u0000`, duplicate keys (compared as they read, not as they are written),
 * nesting over the limit. No recursion; the work is linear, whatever the input; memory
 * grows only with the number of keys in the objects that are open (json_keys.h).
 *
 * The text stays where it is: all ranges point into it. Up to 2 GiB.
 */

#include "adapters/http/json_keys.h"
#include "core/domain/content.h"

#include <stdint.h>

#define JSON_DEPTH_MAX    32 /**< of a document, and of a payload's own */
#define JSON_ENVELOPE_MAX 4  /**< levels around a payload, at most */

enum json_kind {
    JSON_NONE, /**< no value begins here */
    JSON_NULL,
    JSON_TRUE,
    JSON_FALSE,
    JSON_NUMBER,
    JSON_STRING,
    JSON_ARRAY,
    JSON_OBJECT,
};

struct json_value {
    enum json_kind kind;
    struct tc_bytes text; /**< as written, with quotes and brackets */
    bool has_escapes;     /**< STRING */
    bool is_integer;      /**< NUMBER: digits only, perhaps after '-' */
};

#define JSON_LEVELS (JSON_ENVELOPE_MAX + JSON_DEPTH_MAX)

/** Start with json_reader_init(). Only `problem` and `no_memory` are for callers to read. */
struct json_reader {
    const unsigned char *text;
    size_t len;
    size_t at;
    const char *problem; /**< what is wrong with the text; NULL: nothing so far */
    bool no_memory;      /**< then `problem` is set as well */
    bool is_first;       /* nothing has been read in the innermost container yet */
    unsigned depth;      /* containers open */
    unsigned limit;      /* on `depth` */
    bool is_object[JSON_LEVELS];
    size_t first_key[JSON_LEVELS]; /* where the keys of each begin */
    struct json_keys keys;         /* of the objects that are open */
};

/** Borrows `text`. */
void json_reader_init(struct json_reader *reader, struct tc_bytes text);

void json_reader_release(struct json_reader *reader);

/** What value begins here; JSON_NONE also after a failure. Reads spaces only. */
enum json_kind json_peek(struct json_reader *reader);

/** Step into the object or array that begins here (json_peek() has said so). */
bool json_enter(struct json_reader *reader);

/**
 * Go on to the next member of the object stepped into; `*ret_key` is what stands between the
 * quotes. False: the object has ended and been left, or `problem` is set.
 */
bool json_next_member(struct json_reader *reader, struct json_value *ret_key);

/** Likewise for the elements of an array. */
bool json_next_element(struct json_reader *reader);

/** Check and take the whole value that begins here. */
bool json_take(struct json_reader *reader, struct json_value *ret_value);

/** The same for a payload: it may nest JSON_DEPTH_MAX levels of its own. */
bool json_take_payload(struct json_reader *reader, struct json_value *ret_value);

/** True when nothing but spaces is left. */
bool json_finish(struct json_reader *reader);

/** Check a whole document. @return NULL, or what is wrong with it (static text). */
const char *json_check(struct tc_bytes text);

#endif
