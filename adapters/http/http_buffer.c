#include "adapters/http/http_buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_SIZE 256

bool http_buffer_reserve(struct http_buffer *buffer, size_t more)
{
    size_t wanted = buffer->len + more + 1;
    size_t size = buffer->size > 0 ? buffer->size * 2 : FIRST_SIZE;

    if (buffer->failed)
        return false;
    if (wanted <= buffer->size)
        return true;
    if (size < wanted)
        size = wanted;

    char *data = wanted > more ? realloc(buffer->data, size) : NULL;

    if (!data) {
        buffer->failed = true;
        return false;
    }
    buffer->data = data;
    buffer->size = size;
    return true;
}

void http_buffer_append(struct http_buffer *buffer, const void *data, size_t len)
{
    if (!http_buffer_reserve(buffer, len))
        return;
    if (len > 0)
        memcpy(buffer->data + buffer->len, data, len);
    buffer->len += len;
    buffer->data[buffer->len] = '\0';
}

void http_buffer_puts(struct http_buffer *buffer, const char *text)
{
    http_buffer_append(buffer, text, strlen(text));
}

void http_buffer_printf(struct http_buffer *buffer, const char *fmt, ...)
{
    va_list args;
    va_list again;

    va_start(args, fmt);
    va_copy(again, args);

    int len = vsnprintf(NULL, 0, fmt, args);

    if (len < 0) {
        buffer->failed = true;
    } else if (http_buffer_reserve(buffer, (size_t)len)) {
        vsnprintf(buffer->data + buffer->len, (size_t)len + 1, fmt, again);
        buffer->len += (size_t)len;
    }
    va_end(again);
    va_end(args);
}

void http_buffer_clear(struct http_buffer *buffer)
{
    buffer->len = 0;
    buffer->failed = false;
}

void http_buffer_release(struct http_buffer *buffer)
{
    free(buffer->data);
    *buffer = (struct http_buffer){ 0 };
}
