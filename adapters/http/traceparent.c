#include "adapters/http/traceparent.h"

#include <string.h>

/* "00-" 32 digits "-" 16 digits "-" 2 digits */
#define TRACE_ID_AT  3
#define TRACE_ID_LEN 32
#define PARENT_AT    36
#define PARENT_LEN   16

static bool has_shape(const char *text)
{
    static const char shape[] = "xx-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx-xxxxxxxxxxxxxxxx-xx";

    for (size_t i = 0; i < TC_TRACEPARENT_LEN; i++) {
        bool is_hex = (text[i] >= '0' && text[i] <= '9') || (text[i] >= 'a' && text[i] <= 'f');

        if (shape[i] == 'x' ? !is_hex : text[i] != '-')
            return false;
    }
    return true;
}

static bool is_zero(const char *digits, size_t len)
{
    return strspn(digits, "0") >= len;
}

static bool is_valid(const char *text)
{
    if (strlen(text) < TC_TRACEPARENT_LEN || !has_shape(text) || strncmp(text, "ff", 2) == 0 ||
        is_zero(text + TRACE_ID_AT, TRACE_ID_LEN) || is_zero(text + PARENT_AT, PARENT_LEN))
        return false;

    char next = text[TC_TRACEPARENT_LEN];

    return next == '\0' || (next == '-' && strncmp(text, "00", 2) != 0);
}

void traceparent_read(const struct http_request *request, char ret_text[TC_TRACEPARENT_LEN + 1])
{
    size_t count = 0;
    const char *value = http_request_header(request, "traceparent", &count);

    ret_text[0] = '\0';
    if (count != 1 || !is_valid(value))
        return;
    memcpy(ret_text, value, TC_TRACEPARENT_LEN);
    ret_text[TC_TRACEPARENT_LEN] = '\0';
    memcpy(ret_text, "00", 2);
}
