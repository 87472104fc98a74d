#include "adapters/system/log_line.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static void add_bytes(struct log_line *line, const char *data, size_t len)
{
    size_t room = sizeof(line->text) - line->len;

    if (len > room)
        len = room;
    memcpy(line->text + line->len, data, len);
    line->len += len;
}

void log_line_add(struct log_line *line, const char *text)
{
    add_bytes(line, text, strlen(text));
}

/* The length of the character at `text`, and the character; 0 when it is no UTF-8. */
static size_t decode(const unsigned char *text, uint32_t *ret_char)
{
    static const struct {
        unsigned char mask;
        unsigned char lead;
        uint32_t min;
    } forms[] = {
        { 0x80, 0x00, 0 }, { 0xE0, 0xC0, 0x80 }, { 0xF0, 0xE0, 0x800 }, { 0xF8, 0xF0, 0x10000 }
    };

    for (size_t extra = 0; extra < sizeof(forms) / sizeof(forms[0]); extra++) {
        if ((text[0] & forms[extra].mask) != forms[extra].lead)
            continue;

        uint32_t value = text[0] & (unsigned char)~forms[extra].mask;

        for (size_t i = 1; i <= extra; i++) {
            if ((text[i] & 0xC0) != 0x80) /* the NUL at the end fails here as well */
                return 0;
            value = value << 6 | (text[i] & 0x3F);
        }
        if (value < forms[extra].min || value > 0x10FFFF || (value >= 0xD800 && value < 0xE000))
            return 0;
        *ret_char = value;
        return extra + 1;
    }
    return 0;
}

/* Would it act on a terminal, break the line, or turn the direction of reading? */
static bool is_hostile(uint32_t c)
{
    return c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0x061C || c == 0x200E || c == 0x200F ||
           (c >= 0x2028 && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069) || c == 0xFEFF;
}

/* Write the character at `text` as it may be shown. Returns how far to go on. */
static size_t show(const char *text, bool quotes, char ret_shown[8], size_t *ret_len)
{
    uint32_t value = 0xFFFD;
    size_t len = decode((const unsigned char *)text, &value);

    if (len == 0 || is_hostile(value)) {
        *ret_len = (size_t)snprintf(ret_shown, 8, "\\u%04x", (unsigned)value & 0xFFFF);
        return len ? len : 1;
    }

    bool escape = value == '\\' || (quotes && value == '"');

    ret_shown[0] = '\\';
    memcpy(ret_shown + (escape ? 1 : 0), text, len);
    *ret_len = len + (escape ? 1 : 0);
    return len;
}

void log_line_add_escaped(struct log_line *line, const char *text, bool quotes, size_t limit)
{
    while (*text) {
        char shown[8];
        size_t len;
        size_t step = show(text, quotes, shown, &len);

        if (line->len + len + 3 > limit) {
            log_line_add(line, "...");
            return;
        }
        add_bytes(line, shown, len);
        text += step;
    }
}

void log_line_add_time(struct log_line *line, int64_t ms)
{
    time_t seconds = (time_t)(ms / 1000);
    struct tm parts;
    char text[80]; /* what the compiler believes six ints could need */

    gmtime_r(&seconds, &parts);
    snprintf(text, sizeof(text), "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", parts.tm_year + 1900,
             parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
             (int)(ms % 1000));
    log_line_add(line, text);
}
