#include "core/domain/content.h"

#include <stdint.h>
#include <string.h>

bool tc_bytes_equals(struct tc_bytes a, struct tc_bytes b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

bool tc_content_equals(const struct tc_content *a, const struct tc_content *b)
{
    return a->kind == b->kind && tc_bytes_equals(a->bytes, b->bytes);
}

struct tc_bytes tc_bytes_of(const char *text)
{
    return (struct tc_bytes){ .data = text, .len = text ? strlen(text) : 0 };
}

static bool is_continuation(uint8_t byte)
{
    return (byte & 0xC0) == 0x80;
}

/* Length of the well-formed sequence at `at` (1..4), or 0. The second byte's range carries
 * the rules against overlong forms, surrogates and values above U+10FFFF (RFC 3629, 4). */
static size_t sequence_len(const uint8_t *at, size_t left)
{
    uint8_t lead = at[0];

    if (lead < 0x80)
        return 1;
    if (lead >= 0xC2 && lead <= 0xDF)
        return left >= 2 && is_continuation(at[1]) ? 2 : 0;
    if (lead >= 0xE0 && lead <= 0xEF) {
        uint8_t low = lead == 0xE0 ? 0xA0 : 0x80;
        uint8_t high = lead == 0xED ? 0x9F : 0xBF;

        return left >= 3 && at[1] >= low && at[1] <= high && is_continuation(at[2]) ? 3 : 0;
    }
    if (lead >= 0xF0 && lead <= 0xF4) {
        uint8_t low = lead == 0xF0 ? 0x90 : 0x80;
        uint8_t high = lead == 0xF4 ? 0x8F : 0xBF;

        return left >= 4 && at[1] >= low && at[1] <= high && is_continuation(at[2]) &&
                       is_continuation(at[3])
                   ? 4
                   : 0;
    }
    return 0;
}

bool tc_utf8_is_valid(struct tc_bytes text)
{
    const uint8_t *data = text.data;
    size_t at = 0;

    while (at < text.len) {
        size_t len = sequence_len(data + at, text.len - at);

        if (len == 0)
            return false;
        at += len;
    }
    return true;
}

size_t tc_utf8_count(struct tc_bytes text)
{
    const uint8_t *data = text.data;
    size_t count = 0;

    for (size_t i = 0; i < text.len; i++)
        count += !is_continuation(data[i]);
    return count;
}
