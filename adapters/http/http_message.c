#include "adapters/http/http_message.h"

#include "adapters/http/http_buffer.h"

#include <stddef.h>

static char lower(char letter)
{
    return letter >= 'A' && letter <= 'Z' ? (char)(letter - 'A' + 'a') : letter;
}

static bool is_same_name(const char *a, const char *b)
{
    while (*a && lower(*a) == lower(*b)) {
        a++;
        b++;
    }
    return *a == *b;
}

const char *http_request_header(const struct http_request *request, const char *name,
                                size_t *ret_count)
{
    const char *value = NULL;
    size_t count = 0;

    for (size_t i = 0; i < request->header_count; i++) {
        if (!is_same_name(request->headers[i].name, name))
            continue;
        if (count++ == 0)
            value = request->headers[i].value;
    }
    if (ret_count)
        *ret_count = count;
    return value;
}

void http_response_release(struct http_response *response)
{
    http_buffer_release(&response->headers);
    http_buffer_release(&response->body);
}
