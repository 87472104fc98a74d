#ifndef TASKCORE_ADAPTERS_HTTP_BUFFER_H
#define TASKCORE_ADAPTERS_HTTP_BUFFER_H

/**
 * @file http_buffer.h
 * Appending to growing text (struct http_buffer, http_message.h).
 *
 * When memory runs out, `failed` is set and every later append does nothing: write the whole
 * text, then look once. The data is NUL-terminated after every append.
 */

#include "adapters/http/http_message.h"
#include "core/domain/attributes.h"

/** Make room for `more` bytes without growing again. @return false: no memory. */
bool http_buffer_reserve(struct http_buffer *buffer, size_t more);

void http_buffer_append(struct http_buffer *buffer, const void *data, size_t len);

void http_buffer_puts(struct http_buffer *buffer, const char *text);

void http_buffer_printf(struct http_buffer *buffer, const char *fmt, ...) TC_PRINTF(2, 3);

/** Forget the text, keep the memory. */
void http_buffer_clear(struct http_buffer *buffer);

/** Free and zero. */
void http_buffer_release(struct http_buffer *buffer);

#endif
