#include "core/domain/violations.h"

#include "core/domain/content.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* A client's long field name may have been cut inside a character of up to four bytes. */
static void drop_half_a_char(char *text)
{
    size_t len = strlen(text);

    for (int i = 0; i < 3 && !tc_utf8_is_valid((struct tc_bytes){ text, len }); i++)
        text[--len] = '\0';
}

void tc_violations_add(struct tc_violations *violations, const char *at, const char *field,
                       const char *fmt, ...)
{
    violations->total++;
    if (violations->kept == TC_VIOLATIONS_MAX)
        return;

    struct tc_violation *item = &violations->items[violations->kept++];
    va_list args;

    snprintf(item->pointer, sizeof(item->pointer), "%s%s%s", at, field[0] ? "/" : "", field);
    va_start(args, fmt);
    vsnprintf(item->detail, sizeof(item->detail), fmt, args);
    va_end(args);
    drop_half_a_char(item->pointer);
    drop_half_a_char(item->detail);
}
