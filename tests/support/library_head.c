#include "tests/support/library_head.h"

#include <ctype.h>
#include <string.h>

static bool is_graphic(char c)
{
    return c > ' ' && c < 0x7f;
}

/** Length of the head with its empty line; 0: not there yet; -1: a byte that it cannot have. */
static long head_len(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];

        if (c < 128 && c != '\r' && c != '\n' && !isprint(c))
            return -1;
        if (i + 1 < len && text[i] == '\n' && text[i + 1] == '\n')
            return (long)i + 2;
        if (i + 3 < len && memcmp(text + i, "\r\n\r\n", 4) == 0)
            return (long)i + 4;
    }
    return 0;
}

/** End the word at `*at` and step over all white space; what follows must fit. */
static bool end_word(char **at, bool ends_line)
{
    while (is_graphic(**at))
        (*at)++;
    if (ends_line ? **at != '\r' && **at != '\n' : **at != ' ')
        return false;
    do {
        *(*at)++ = '\0';
    } while (isspace((unsigned char)**at));
    return ends_line || is_graphic(**at);
}

static bool parse_line(char **at, struct http_head *head)
{
    char *query;

    head->start = *at;
    if (!end_word(at, false))
        return false;
    head->target = *at;
    if (!end_word(at, false))
        return false;
    head->version = *at;
    if (!end_word(at, true) || strncmp(head->version, "HTTP/", 5) != 0)
        return false;
    head->version += 5;
    head->path = head->target;
    query = strchr((char *)(uintptr_t)head->target, '?');
    if (query)
        *query++ = '\0';
    head->query = query;
    return head->path[0] == '/';
}

/** @return 1: one more; 0: that was the last; -1: malformed. */
static int parse_field(char **at, struct http_header *field)
{
    char *p = *at;

    while (*p != ':' && is_graphic(*p))
        p++;
    if (p == *at)
        return 0;
    while (*p == ' ')
        *p++ = '\0';
    if (*p != ':')
        return -1;
    *p = '\0';
    field->name = *at;
    do {
        p++;
    } while (*p == ' ' || *p == '\t');
    field->value = p;
    while (*p && *p != '\r' && *p != '\n')
        p++;
    if (*p == '\r') {
        *p++ = '\0';
        if (*p != '\n')
            return -1;
    }
    if (*p)
        *p++ = '\0';
    *at = p;
    return 1;
}

static bool parse_fields(char *at, struct library_head *parsed)
{
    size_t count = 0;

    while (count < HTTP_FIELDS_MAX) {
        int found = parse_field(&at, &parsed->headers[count]);

        if (found < 0)
            return false;
        count += found == 1;
        if (found == 0 || *at == '\r' || *at == '\n' || *at == '\0')
            break;
    }
    parsed->head.headers = parsed->headers;
    parsed->head.header_count = count;
    return true;
}

bool library_head_parse(char *text, size_t len, size_t size, struct library_head *ret_head)
{
    long found = head_len(text, len);
    char *at = text;

    if (found <= 0 || isspace((unsigned char)*text))
        return false;
    *ret_head = (struct library_head){ .len = (size_t)found };
    ret_head->head.limit = text + size;
    text[found - 1] = '\0';
    return parse_line(&at, &ret_head->head) && parse_fields(at, ret_head);
}
