#include "core/domain/error.h"

#include <stdarg.h>
#include <stdio.h>

enum tc_code tc_fail(struct tc_error *err, enum tc_code code, const char *fmt, ...)
{
    if (err) {
        va_list args;

        va_start(args, fmt);
        vsnprintf(err->message, sizeof(err->message), fmt, args);
        va_end(args);
        err->code = code;
    }
    return code;
}

const char *tc_code_name(enum tc_code code)
{
    switch (code) {
    case TC_OK:
        return "ok";
    case TC_INVALID:
        return "invalid";
    case TC_NOT_FOUND:
        return "not_found";
    case TC_CONFLICT:
        return "conflict";
    case TC_UNAVAILABLE:
        return "unavailable";
    case TC_UNKNOWN:
        return "unknown";
    case TC_NO_MEMORY:
        return "no_memory";
    case TC_INTERNAL:
        return "internal";
    }
    return "internal";
}

bool tc_code_is_retryable(enum tc_code code)
{
    return code == TC_UNAVAILABLE || code == TC_NO_MEMORY;
}
