#ifndef TASKCORE_ADAPTERS_HTTP_JSON_WRITER_H
#define TASKCORE_ADAPTERS_HTTP_JSON_WRITER_H

/**
 * @file json_writer.h
 * Writing JSON into a buffer, left to right. It puts the commas; the caller nests properly.
 * Out of memory shows in `out->failed`.
 */

#include "adapters/http/http_buffer.h"

#include <stdint.h>

struct json_writer {
    struct http_buffer *out;
    bool comma; /**< the next value or key is not the first of its container */
};

void json_open_object(struct json_writer *writer);
void json_close_object(struct json_writer *writer);
void json_open_array(struct json_writer *writer);
void json_close_array(struct json_writer *writer);

/** `key` needs no escapes. */
void json_key(struct json_writer *writer, const char *key);

/** A string from valid UTF-8; what is not valid becomes U+FFFD, so that the text is JSON. */
void json_string(struct json_writer *writer, struct tc_bytes text);

void json_int(struct json_writer *writer, int64_t value);
void json_null(struct json_writer *writer);

/** The text of one JSON value, as it is. */
void json_raw(struct json_writer *writer, struct tc_bytes json);

/** A string: RFC 3339, UTC with milliseconds. */
void json_time(struct json_writer *writer, int64_t ms);

/** A string of standard base64 with padding (RFC 4648, 4). */
void json_base64(struct json_writer *writer, struct tc_bytes bytes);

/** key + string of NUL-terminated text that is valid UTF-8. */
void json_member(struct json_writer *writer, const char *key, const char *text);

/** key + integer. */
void json_member_int(struct json_writer *writer, const char *key, int64_t value);

#endif
