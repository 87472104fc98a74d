#include "adapters/http/json_scan.h"

#include <string.h>

/* Eight bytes at a time: true when none of them ends or complicates a string. Each term has
 * the top bit of a byte set when that byte is, in this order, not ASCII, below 0x20, a
 * quote, a backslash. A borrow can only mark a byte above a marked one. */
static bool is_plain_word(uint64_t word)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    const uint64_t tops = UINT64_C(0x8080808080808080);
    uint64_t quote = word ^ (ones * '"');
    uint64_t slash = word ^ (ones * '\\');
    uint64_t marks = word | ((word - ones * 0x20) & ~word) | ((quote - ones) & ~quote) |
                     ((slash - ones) & ~slash);

    return (marks & tops) == 0;
}

size_t json_skip_plain(const unsigned char *text, size_t len, size_t at)
{
    uint64_t word;

    while (len - at >= sizeof(word)) {
        memcpy(&word, text + at, sizeof(word));
        if (!is_plain_word(word))
            break;
        at += sizeof(word);
    }
    while (at < len && text[at] >= 0x20 && text[at] < 0x80 && text[at] != '"' &&
           text[at] != '\\')
        at++;
    return at;
}

/* A sequence of UTF-8 consists of bytes from 0x80 up, so a run of them can be judged alone. */
static bool skip_wide(const unsigned char *text, size_t len, size_t *at)
{
    size_t start = *at;

    while (*at < len && text[*at] >= 0x80)
        (*at)++;
    return tc_utf8_is_valid((struct tc_bytes){ text + start, *at - start });
}

static int hex_value(unsigned char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    if (digit >= 'A' && digit <= 'F')
        return digit - 'A' + 10;
    return -1;
}

/* The four digits at `text`, or -1. */
static int32_t hex_unit(const unsigned char *text, size_t left)
{
    int32_t unit = 0;

    if (left < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        int value = hex_value(text[i]);

        if (value < 0)
            return -1;
        unit = unit * 16 + value;
    }
    return unit;
}

static bool is_high(int32_t unit)
{
    return unit >= 0xD800 && unit <= 0xDBFF;
}

static bool is_low(int32_t unit)
{
    return unit >= 0xDC00 && unit <= 0xDFFF;
}

/* `*at` is behind "\u". */
static const char *scan_unit(const unsigned char *text, size_t len, size_t *at)
{
    int32_t unit = hex_unit(text + *at, len - *at);

    if (unit < 0)
        return "a \\u escape needs four hexadecimal digits";
    if (unit == 0)
        return "\\u0000 is not allowed";
    *at += 4;
    if (is_low(unit))
        return "a lone surrogate is not allowed";
    if (!is_high(unit))
        return NULL;
    if (len - *at < 6 || text[*at] != '\\' || text[*at + 1] != 'u' ||
        !is_low(hex_unit(text + *at + 2, 4)))
        return "a lone surrogate is not allowed";
    *at += 6;
    return NULL;
}

/* text[*at] is the backslash. */
static const char *scan_escape(const unsigned char *text, size_t len, size_t *at)
{
    (*at)++;
    if (*at == len)
        return "a string does not end";

    unsigned char letter = text[(*at)++];

    if (letter == 'u')
        return scan_unit(text, len, at);
    return letter != '\0' && strchr("\"\\/bfnrt", letter) ? NULL : "an unknown escape";
}

const char *json_scan_string(const unsigned char *text, size_t len, size_t *at,
                             bool *ret_has_escapes)
{
    const char *problem = NULL;

    *ret_has_escapes = false;
    (*at)++;
    while (!problem) {
        *at = json_skip_plain(text, len, *at);
        if (*at == len)
            return "a string does not end";
        if (text[*at] == '"') {
            (*at)++;
            return NULL;
        }
        if (text[*at] == '\\') {
            *ret_has_escapes = true;
            problem = scan_escape(text, len, at);
        } else if (text[*at] >= 0x80) {
            problem = skip_wide(text, len, at) ? NULL : "a string is not valid UTF-8";
        } else {
            problem = "a control character in a string";
        }
    }
    return problem;
}

static bool skip_digits(const unsigned char *text, size_t len, size_t *at)
{
    size_t start = *at;

    while (*at < len && text[*at] >= '0' && text[*at] <= '9')
        (*at)++;
    return *at > start;
}

const char *json_scan_number(const unsigned char *text, size_t len, size_t *at,
                             bool *ret_is_integer)
{
    static const char bad[] = "a number is badly written";

    if (text[*at] == '-')
        (*at)++;
    if (*at < len && text[*at] == '0')
        (*at)++; /* nothing may follow a leading zero: the caller finds it out of place */
    else if (!skip_digits(text, len, at))
        return bad;
    *ret_is_integer = true;
    if (*at < len && text[*at] == '.') {
        (*at)++;
        *ret_is_integer = false;
        if (!skip_digits(text, len, at))
            return bad;
    }
    if (*at < len && (text[*at] == 'e' || text[*at] == 'E')) {
        (*at)++;
        *ret_is_integer = false;
        if (*at < len && (text[*at] == '+' || text[*at] == '-'))
            (*at)++;
        if (!skip_digits(text, len, at))
            return bad;
    }
    return NULL;
}

static size_t put_utf8(uint32_t point, char *out)
{
    if (point < 0x80) {
        out[0] = (char)point;
        return 1;
    }
    if (point < 0x800) {
        out[0] = (char)(0xC0 | point >> 6);
        out[1] = (char)(0x80 | (point & 0x3F));
        return 2;
    }
    if (point < 0x10000) {
        out[0] = (char)(0xE0 | point >> 12);
        out[1] = (char)(0x80 | (point >> 6 & 0x3F));
        out[2] = (char)(0x80 | (point & 0x3F));
        return 3;
    }
    out[0] = (char)(0xF0 | point >> 18);
    out[1] = (char)(0x80 | (point >> 12 & 0x3F));
    out[2] = (char)(0x80 | (point >> 6 & 0x3F));
    out[3] = (char)(0x80 | (point & 0x3F));
    return 4;
}

static uint32_t read_point(const unsigned char **at)
{
    uint32_t unit = (uint32_t)hex_unit(*at, 4);

    *at += 4;
    if (!is_high((int32_t)unit))
        return unit;

    uint32_t low = (uint32_t)hex_unit(*at + 2, 4);

    *at += 6;
    return 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
}

size_t json_unescape(struct tc_bytes string, char *ret_text)
{
    static const char letters[] = "bfnrt";
    static const char meanings[] = "\b\f\n\r\t";
    const unsigned char *at = string.data;
    const unsigned char *end = at + string.len;
    char *out = ret_text;

    if (string.len >= 2 && at[0] == '"') {
        at++;
        end--;
    }
    while (at < end) {
        if (*at != '\\') {
            *out++ = (char)*at++;
            continue;
        }

        unsigned char letter = at[1];
        const char *known = strchr(letters, letter);

        at += 2;
        if (letter == 'u')
            out += put_utf8(read_point(&at), out);
        else
            *out++ = known ? meanings[known - letters] : (char)letter;
    }
    return (size_t)(out - ret_text);
}

int64_t json_integer(struct tc_bytes digits)
{
    const char *at = digits.data;
    const char *end = at + digits.len;
    bool negative = at < end && *at == '-';
    int64_t value = 0;

    for (at += negative; at < end; at++)
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, *at - '0', &value))
            return negative ? -INT64_MAX : INT64_MAX;
    return negative ? -value : value;
}
