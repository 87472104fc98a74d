#ifndef TESTS_SUPPORT_LIBRARY_HEAD_H
#define TESTS_SUPPORT_LIBRARY_HEAD_H

/**
 * @file library_head.h
 * Parses a request head as leniently as the HTTP library does, in place, so that tests can
 * show the guard (adapters/http/http_guard.h) the memory that it would see.
 */

#include "adapters/http/http_guard.h"

struct library_head {
    struct http_header headers[HTTP_FIELDS_MAX];
    struct http_head head;
    size_t len; /**< of the head in the text, with the empty line */
};

/**
 * Parse the head at the beginning of `text` (`len` bytes, changed in place; `size` bytes may
 * be read). @return false: the library refuses it by itself, or waits for more.
 */
bool library_head_parse(char *text, size_t len, size_t size, struct library_head *ret_head);

#endif
