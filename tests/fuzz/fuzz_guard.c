/*
 * The guard against a second, strict reader of the same bytes. Whatever head the guard lets
 * through must be one that a strict reader takes, with the same end, the same fields and the
 * same framing; else two parties could disagree about it.
 */

#include "tests/support/library_head.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

/** What the strict reader found. */
struct strict {
    size_t len; /**< of the head */
    size_t fields;
    size_t hosts, lengths, codings;
    char length[64];
};

static void demand(bool condition, const char *what)
{
    if (condition)
        return;
    fprintf(stderr, "the guard let through %s\n", what);
    abort();
}

static bool is_token_byte(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c && strchr("!#$%&'*+-.^_`|~", c));
}

/** Length of a line without its CR LF; -1: there is no such line, or a byte it cannot have. */
static long line_len(const char *at, const char *end)
{
    for (const char *p = at; p + 1 < end; p++) {
        if (p[0] == '\r' && p[1] == '\n')
            return p - at;
        if (*p == '\r' || *p == '\n' || *p == '\0' || *p == 0x7f)
            return -1;
    }
    return -1;
}

/** METHOD SP target SP HTTP/1.x, nothing else. */
static bool is_request_line(const char *line, size_t len)
{
    const char *first = memchr(line, ' ', len);
    const char *second =
        first ? memchr(first + 1, ' ', len - (size_t)(first + 1 - line)) : NULL;

    if (!second || second == first + 1 || first == line || first[1] != '/')
        return false;
    for (const char *p = line; p < first; p++) {
        if (*p < '!' || *p > '~')
            return false;
    }
    return len - (size_t)(second + 1 - line) == 8 &&
           (memcmp(second + 1, "HTTP/1.1", 8) == 0 || memcmp(second + 1, "HTTP/1.0", 8) == 0);
}

static bool is_name(const char *name, size_t len, const char *wanted)
{
    return strlen(wanted) == len && strncasecmp(name, wanted, len) == 0;
}

static bool read_field(const char *line, size_t len, struct strict *strict)
{
    size_t name_len = 0;

    while (name_len < len && is_token_byte(line[name_len]))
        name_len++;
    if (name_len == 0 || name_len == len || line[name_len] != ':')
        return false;
    strict->fields++;
    strict->hosts += is_name(line, name_len, "Host");
    strict->codings += is_name(line, name_len, "Transfer-Encoding");
    if (is_name(line, name_len, "Content-Length")) {
        strict->lengths++;
        snprintf(strict->length, sizeof(strict->length), "%.*s", (int)(len - name_len - 1),
                 line + name_len + 1);
    }
    return true;
}

static bool read_strictly(const char *text, size_t size, struct strict *strict)
{
    const char *at = text;
    const char *end = text + size;
    long len = line_len(at, end);

    *strict = (struct strict){ 0 };
    if (len < 0 || !is_request_line(at, (size_t)len))
        return false;
    for (at += len + 2; (len = line_len(at, end)) > 0; at += len + 2) {
        if (!read_field(at, (size_t)len, strict))
            return false;
    }
    strict->len = (size_t)(at + 2 - text);
    return len == 0;
}

static void compare(const struct library_head *parsed, const struct http_framing *framing,
                    const struct strict *strict)
{

    demand(strict->len == parsed->len, "a head that ends elsewhere for a strict reader");
    demand(strict->fields == parsed->head.header_count, "a head with other fields");
    demand(strict->hosts <= 1, "two hosts");
    demand(strict->lengths <= 1 && strict->codings <= 1, "a framing field twice");
    demand(!(strict->lengths && strict->codings), "two framings");
    demand(framing->chunked == (strict->codings == 1), "another transfer coding");
    if (strict->lengths && strlen(strict->length) < 19)
        demand(strtoull(strict->length, NULL, 10) == framing->content_length, "another length");
    if (!strict->lengths)
        demand(framing->content_length == 0, "a length from nowhere");
}

/**
 * Any two white bytes after the version have become NUL, and look like the CR LF that must be
 * there. The library's reading is the only one acted on, and no front passes such a line on.
 */
static bool has_lost_line_end(const unsigned char *data, size_t size)
{
    size_t end = 0;

    while (end < size && data[end] != '\r' && data[end] != '\n')
        end++;
    return end + 1 >= size || data[end] != '\r' || data[end + 1] != '\n';
}

/** LF LF with CR NUL after it, where a body would begin, looks like CR LF CR LF. The library
 *  and with it the service end the head at LF LF: one reading. */
static bool has_lost_head_end(const unsigned char *data, size_t len)
{
    return data[len - 2] == '\n';
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    struct http_framing framing = { 0 };
    struct library_head parsed;
    struct strict strict;
    char *copy = malloc(size + 1);

    if (!copy)
        return 0;
    memcpy(copy, data, size);
    copy[size] = '\0';
    if (!has_lost_line_end(data, size) && library_head_parse(copy, size, size + 1, &parsed) &&
        http_guard_head(&parsed.head, &framing).status == 0) {
        if (!parsed.head.header_count)
            demand(!framing.keep_alive && !framing.content_length && !framing.chunked,
                   "a head without fields that does not end the connection");
        else if (!has_lost_head_end(data, parsed.len)) {
            demand(read_strictly((const char *)data, size, &strict), "what is no request");
            compare(&parsed, &framing, &strict);
        }
    }
    free(copy);
    return 0;
}
