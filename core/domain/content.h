#ifndef TASKCORE_CORE_DOMAIN_CONTENT_H
#define TASKCORE_CORE_DOMAIN_CONTENT_H

/** @file content.h Runs of bytes, and what kind of text or data they hold. */

#include <stdbool.h>
#include <stddef.h>

/** A run of bytes. Says nothing about ownership: the struct that holds it does. */
struct tc_bytes {
    const void *data; /**< may be NULL when len is 0 */
    size_t len;
};

/** The values are stored by adapters: never renumber. */
enum tc_content_kind {
    TC_CONTENT_NONE = 0,  /**< nothing there */
    TC_CONTENT_JSON = 1,  /**< the text of one JSON value, kept byte for byte */
    TC_CONTENT_TEXT = 2,  /**< other valid UTF-8 text */
    TC_CONTENT_BYTES = 3, /**< anything else */
    TC_CONTENT_COUNT,     /* not a kind; keep last */
};

struct tc_content {
    enum tc_content_kind kind;
    struct tc_bytes bytes;
};

/** Equal kind and equal bytes. */
bool tc_content_equals(const struct tc_content *a, const struct tc_content *b);

/** Equal length and bytes; two empty runs are equal whatever their pointers. */
bool tc_bytes_equals(struct tc_bytes a, struct tc_bytes b);

/** The bytes of a NUL-terminated string, borrowed; NULL gives an empty run. */
struct tc_bytes tc_bytes_of(const char *text);

/** True when the bytes are well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms). */
bool tc_utf8_is_valid(struct tc_bytes text);

/** Number of code points in valid UTF-8. */
size_t tc_utf8_count(struct tc_bytes text);

#endif
