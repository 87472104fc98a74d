#include "adapters/demo/demo_payload.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Four hexadecimal digits; false when they are none. */
static bool read_hex(const char *text, const char *end, uint32_t *ret_value)
{
    uint32_t value = 0;

    if (end - text < 4)
        return false;
    for (int i = 0; i < 4; i++) {
        static const char digits[] = "0123456789abcdefABCDEF";
        const char *digit = memchr(digits, text[i], sizeof(digits) - 1);

        if (!digit)
            return false;

        uint32_t at = (uint32_t)(digit - digits);

        value = value << 4 | (at < 16 ? at : at - 6);
    }
    *ret_value = value;
    return true;
}

static size_t encode(uint32_t c, char *ret_text)
{
    static const unsigned char leads[] = { 0x00, 0xC0, 0xE0, 0xF0 };
    size_t extra = c < 0x80 ? 0 : c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;

    ret_text[0] = (char)(leads[extra] | c >> (6 * extra));
    for (size_t i = 1; i <= extra; i++)
        ret_text[i] = (char)(0x80 | (c >> (6 * (extra - i)) & 0x3F));
    return extra + 1;
}

/* Behind "\u": one escape, or two that make one character. Returns the bytes read, 0: bad. */
static size_t read_unicode(const char *text, const char *end, uint32_t *ret_char)
{
    uint32_t low;

    if (!read_hex(text, end, ret_char))
        return 0;
    if (*ret_char < 0xD800 || *ret_char > 0xDFFF)
        return 4;
    if (*ret_char > 0xDBFF || end - text < 10 || text[4] != '\\' || text[5] != 'u' ||
        !read_hex(text + 6, end, &low) || low < 0xDC00 || low > 0xDFFF)
        return 0;
    *ret_char = 0x10000 + ((*ret_char - 0xD800) << 10) + (low - 0xDC00);
    return 10;
}

/* At the character behind a backslash. Returns the bytes read, 0: bad. */
static size_t read_escape(const char *text, const char *end, uint32_t *ret_char)
{
    static const char names[] = "\"\\/bfnrt";
    static const char values[] = "\"\\/\b\f\n\r\t";

    if (text == end)
        return 0;
    if (*text == 'u') {
        size_t len = read_unicode(text + 1, end, ret_char);

        return len ? len + 1 : 0;
    }

    const char *name = memchr(names, *text, sizeof(names) - 1);

    if (!name)
        return 0;
    *ret_char = (unsigned char)values[name - names];
    return 1;
}

/* The inside of a JSON string; never longer than its source. SIZE_MAX: it is broken. */
static size_t unescape(const char *text, const char *end, char *ret_text)
{
    size_t len = 0;

    while (text < end) {
        uint32_t value;
        size_t step;

        if (*text != '\\') {
            ret_text[len++] = *text++;
            continue;
        }
        step = read_escape(text + 1, end, &value);
        if (step == 0)
            return SIZE_MAX;
        len += encode(value, ret_text + len);
        text += 1 + step;
    }
    return len;
}

bool demo_payload_text(const struct tc_content *payload, struct tc_bytes *ret_text,
                       char **ret_storage)
{
    const char *text = payload->bytes.data;
    size_t len = payload->bytes.len;

    *ret_storage = NULL;
    *ret_text = payload->bytes;
    if (payload->kind == TC_CONTENT_BYTES && !tc_utf8_is_valid(payload->bytes))
        *ret_text = tc_bytes_of("(bytes)");
    if (payload->kind != TC_CONTENT_JSON || len < 2 || text[0] != '"' || text[len - 1] != '"')
        return true;
    *ret_text = (struct tc_bytes){ text + 1, len - 2 };
    if (!memchr(text + 1, '\\', len - 2))
        return true;

    char *value = malloc(len);

    if (!value)
        return false;

    size_t value_len = unescape(text + 1, text + len - 1, value);

    *ret_storage = value;
    *ret_text = value_len == SIZE_MAX ? payload->bytes : (struct tc_bytes){ value, value_len };
    return true;
}
