#include "adapters/http/json_writer.h"

#include "adapters/http/json_scan.h"
#include "adapters/http/rfc3339.h"

#include <string.h>

static void open_with(struct json_writer *writer, const char *bracket)
{
    http_buffer_append(writer->out, writer->comma ? "," : "", writer->comma ? 1 : 0);
    http_buffer_append(writer->out, bracket, 1);
    writer->comma = false;
}

static void close_with(struct json_writer *writer, const char *bracket)
{
    http_buffer_append(writer->out, bracket, 1);
    writer->comma = true;
}

void json_open_object(struct json_writer *writer)
{
    open_with(writer, "{");
}

void json_close_object(struct json_writer *writer)
{
    close_with(writer, "}");
}

void json_open_array(struct json_writer *writer)
{
    open_with(writer, "[");
}

void json_close_array(struct json_writer *writer)
{
    close_with(writer, "]");
}

/* Room for a value of `len` bytes and what surrounds it, with the comma written. */
static bool begin_value(struct json_writer *writer, size_t len)
{
    struct http_buffer *out = writer->out;

    if (!http_buffer_reserve(out, len + 4))
        return false;
    if (writer->comma)
        out->data[out->len++] = ',';
    writer->comma = true;
    return true;
}

static void put(struct http_buffer *out, const void *data, size_t len)
{
    if (len > 0)
        memcpy(out->data + out->len, data, len);
    out->len += len;
    out->data[out->len] = '\0';
}

void json_key(struct json_writer *writer, const char *key)
{
    size_t len = strlen(key);

    if (!begin_value(writer, len))
        return;
    put(writer->out, "\"", 1);
    put(writer->out, key, len);
    put(writer->out, "\":", 2);
    writer->comma = false;
}

void json_raw(struct json_writer *writer, struct tc_bytes json)
{
    if (begin_value(writer, json.len))
        put(writer->out, json.data, json.len);
}

void json_null(struct json_writer *writer)
{
    json_raw(writer, (struct tc_bytes){ "null", 4 });
}

void json_int(struct json_writer *writer, int64_t value)
{
    char digits[24];
    char *at = digits + sizeof(digits);
    uint64_t left = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;

    do {
        *--at = (char)('0' + left % 10);
        left /= 10;
    } while (left > 0);
    if (value < 0)
        *--at = '-';
    json_raw(writer, (struct tc_bytes){ at, (size_t)(digits + sizeof(digits) - at) });
}

void json_time(struct json_writer *writer, int64_t ms)
{
    char text[RFC3339_LEN + 3];

    text[0] = '"';
    rfc3339_format(ms, text + 1);
    text[RFC3339_LEN + 1] = '"';
    json_raw(writer, (struct tc_bytes){ text, RFC3339_LEN + 2 });
}

/* The escape of a byte that a JSON string cannot hold as it is; NULL for all others. */
static const char *escape_of(unsigned char byte, char room[8])
{
    static const char hex[] = "0123456789abcdef";

    switch (byte) {
    case '"':
        return "\\\"";
    case '\\':
        return "\\\\";
    case '\n':
        return "\\n";
    case '\r':
        return "\\r";
    case '\t':
        return "\\t";
    default:
        break;
    }
    if (byte >= 0x20)
        return NULL;
    memcpy(room, "\\u0000", 7);
    room[4] = hex[byte >> 4];
    room[5] = hex[byte & 0x0F];
    return room;
}

static void put_escaped(struct http_buffer *out, const unsigned char *at, size_t len)
{
    size_t done = 0;
    char room[8];

    for (size_t i = json_skip_plain(at, len, 0); i < len; i = json_skip_plain(at, len, i + 1)) {
        const char *escape = escape_of(at[i], room);

        if (!escape)
            continue;
        http_buffer_append(out, at + done, i - done);
        http_buffer_puts(out, escape);
        done = i + 1;
    }
    http_buffer_append(out, at + done, len - done);
}

/* Text that should have been UTF-8 and is not: keep the ASCII, mark the rest. */
static void put_repaired(struct http_buffer *out, const unsigned char *at, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (at[i] < 0x80)
            put_escaped(out, at + i, 1);
        else
            http_buffer_puts(out, "\xEF\xBF\xBD");
    }
}

void json_string(struct json_writer *writer, struct tc_bytes text)
{
    if (!begin_value(writer, text.len))
        return;
    put(writer->out, "\"", 1);
    if (json_skip_plain(text.data, text.len, 0) == text.len)
        put(writer->out, text.data, text.len);
    else if (tc_utf8_is_valid(text))
        put_escaped(writer->out, text.data, text.len);
    else
        put_repaired(writer->out, text.data, text.len);
    http_buffer_append(writer->out, "\"", 1);
}

void json_base64(struct json_writer *writer, struct tc_bytes bytes)
{
    static const char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *at = bytes.data;
    struct http_buffer *out = writer->out;

    if (!begin_value(writer, bytes.len / 3 * 4 + 6))
        return;
    put(out, "\"", 1);
    for (size_t i = 0; i < bytes.len; i += 3) {
        size_t left = bytes.len - i;
        uint32_t group = (uint32_t)at[i] << 16 | (left > 1 ? (uint32_t)at[i + 1] << 8 : 0) |
                         (left > 2 ? at[i + 2] : 0);
        char quad[4] = { digits[group >> 18], digits[group >> 12 & 63],
                         left > 1 ? digits[group >> 6 & 63] : '=',
                         left > 2 ? digits[group & 63] : '=' };

        put(out, quad, sizeof(quad));
    }
    put(out, "\"", 1);
}

void json_member(struct json_writer *writer, const char *key, const char *text)
{
    json_key(writer, key);
    json_string(writer, tc_bytes_of(text));
}

void json_member_int(struct json_writer *writer, const char *key, int64_t value)
{
    json_key(writer, key);
    json_int(writer, value);
}
