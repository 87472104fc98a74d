#include "adapters/http/http_guard.h"

#include <string.h>

static const struct http_verdict sound = { 0, NULL };

static struct http_verdict refuse(int status, const char *detail)
{
    return (struct http_verdict){ status, detail };
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_alnum(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/** True when the `len` bytes at `text` are `word`, in any case. */
static bool is_word(const char *text, size_t len, const char *word)
{
    for (size_t i = 0; i < len; i++) {
        if (!word[i] || lower(text[i]) != lower(word[i]))
            return false;
    }
    return word[len] == '\0';
}

static bool is_name(const char *text, const char *word)
{
    return is_word(text, strlen(text), word);
}

/** Length without the blanks that may follow a field value. */
static size_t value_len(const char *value)
{
    size_t len = strlen(value);

    while (len && is_blank(value[len - 1]))
        len--;
    return len;
}

bool http_guard_is_token(const char *text)
{
    if (!*text)
        return false;
    for (; *text; text++) {
        if (!is_alnum(*text) && !strchr("!#$%&'*+-.^_`|~", *text))
            return false;
    }
    return true;
}

bool http_guard_has_token(const char *value, const char *token)
{
    while (*value) {
        size_t len = strcspn(value, ",");
        const char *item = value;
        size_t item_len = len;

        while (item_len && is_blank(*item)) {
            item++;
            item_len--;
        }
        while (item_len && is_blank(item[item_len - 1]))
            item_len--;
        if (is_word(item, item_len, token))
            return true;
        value += len;
        if (*value)
            value++;
    }
    return false;
}

bool http_guard_is_request_id(const char *value)
{
    size_t len = strlen(value);

    if (len < 1 || len > HTTP_REQUEST_ID_MAX)
        return false;
    for (size_t i = 0; i < len; i++) {
        if (!is_alnum(value[i]) && !strchr("._-", value[i]))
            return false;
    }
    return true;
}

static int hex_value(char c)
{
    if (is_digit(c))
        return c - '0';
    c = lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/** Decode one character of a path at `*at` and step over it; -1: not allowed there. */
static int next_path_byte(const char **at)
{
    const char *p = *at;
    int high = *p == '%' ? hex_value(p[1]) : -1;
    int low = high >= 0 ? hex_value(p[2]) : -1;

    if (*p == '%') {
        *at = p + 3;
        if (low < 0)
            return -1;
        int byte = high * 16 + low;

        return byte < 0x20 || byte == 0x7f || byte == '/' || byte == '\\' ? -1 : byte;
    }
    *at = p + 1;
    return *p <= ' ' || *p == 0x7f || *p == '\\' || *p == '#' ? -1 : *p;
}

bool http_guard_path(const char *path)
{
    size_t segment_len = 0;
    size_t dots = 0;

    if (*path++ != '/')
        return false;
    for (;;) {
        bool ends = *path == '/' || *path == '\0';

        if (ends && segment_len && segment_len == dots && dots <= 2)
            return false;
        if (*path == '\0')
            return true;
        if (ends) {
            segment_len = dots = 0;
            path++;
            continue;
        }
        int byte = next_path_byte(&path);

        if (byte < 0)
            return false;
        segment_len++;
        dots += byte == '.';
    }
}

/** The words of the request line must be one space apart, and CR LF must end it. */
static struct http_verdict check_request_line(const struct http_head *head)
{
    size_t method_len = strlen(head->start);
    const char *target_end =
        head->query ? head->query + strlen(head->query) : head->target + strlen(head->target);
    const char *protocol = head->version - strlen("HTTP/");
    const char *end = head->version + strlen(head->version);

    if (end - head->start > HTTP_REQUEST_LINE_MAX)
        return refuse(414, "the request line is longer than 8 KiB");
    if (head->target != head->start + method_len + 1 || protocol != target_end + 1)
        return refuse(400, "the request line has more than one space between its words");
    if (head->header_count && head->headers[0].name != end + 2)
        return refuse(400, "the request line is not followed by CR LF and a header field");
    if (strcmp(head->version, "1.1") != 0 && strcmp(head->version, "1.0") != 0)
        return refuse(505, "only HTTP/1.0 and HTTP/1.1 are spoken here");
    return sound;
}

static bool is_field_value(const char *value)
{
    for (; *value; value++) {
        if ((*value >= 0 && *value < ' ' && *value != '\t') || *value == 0x7f)
            return false;
    }
    return true;
}

/** One field: nothing but blanks between colon and value, CR LF and no folding after it. */
static struct http_verdict check_field(const struct http_head *head, size_t i)
{
    const struct http_header *field = &head->headers[i];
    const char *end = field->value + strlen(field->value);

    if (!http_guard_is_token(field->name))
        return refuse(400, "a header field has a name with characters that are not allowed");
    for (const char *p = field->name + strlen(field->name) + 1; p < field->value; p++) {
        if (!is_blank(*p))
            return refuse(400, "a header field has a space before its colon");
    }
    if (!is_field_value(field->value))
        return refuse(400, "a header field has a value with control characters");
    if (end + 2 >= head->limit)
        return refuse(431, "the request head is longer than 16 KiB");
    if (end[1] != '\0')
        return refuse(400, "a header line does not end with CR LF");
    if (i + 1 < head->header_count && head->headers[i + 1].name != end + 2)
        return refuse(400, "a header line is folded or empty");
    return sound;
}

/** The library turns the white space after the version into NUL, and stops at what is no
 *  field: then fields that it did not see may follow. */
static struct http_verdict check_end_without_fields(const struct http_head *head)
{
    const char *end = head->version + strlen(head->version);

    if (end + 3 >= head->limit || end[1] || end[2] || end[3])
        return refuse(400, "the request line is not followed by CR LF and a header field");
    return sound;
}

/** What follows the last field the library saw must be the empty line. */
static struct http_verdict check_end(const struct http_head *head)
{
    if (!head->header_count)
        return check_end_without_fields(head);
    const char *value = head->headers[head->header_count - 1].value;
    const char *end = value + strlen(value);

    /* CR LF CR LF has become NUL NUL CR NUL; LF LF would have lost two bytes only. */
    if (end + 3 >= head->limit || end[2] != '\r' || end[3]) {
        if (head->header_count >= HTTP_FIELDS_MAX && end[2] != '\r')
            return refuse(431, "the request has more than 64 header fields");
        return refuse(400, "a header line is folded or does not end with CR LF");
    }
    if (end + 4 - head->start > HTTP_HEAD_MAX)
        return refuse(431, "the request head is longer than 16 KiB");
    return sound;
}

/** The fields that frame the request, each NULL when absent. */
struct framing_fields {
    const char *host, *length, *coding, *expect, *connection;
    size_t host_count, length_count, coding_count, expect_count;
};

static void collect(const struct http_head *head, struct framing_fields *fields)
{
    for (size_t i = 0; i < head->header_count; i++) {
        const struct http_header *field = &head->headers[i];

        if (is_name(field->name, "Host")) {
            fields->host = field->value;
            fields->host_count++;
        } else if (is_name(field->name, "Content-Length")) {
            fields->length = field->value;
            fields->length_count++;
        } else if (is_name(field->name, "Transfer-Encoding")) {
            fields->coding = field->value;
            fields->coding_count++;
        } else if (is_name(field->name, "Expect")) {
            fields->expect = field->value;
            fields->expect_count++;
        } else if (is_name(field->name, "Connection") && !fields->connection) {
            fields->connection = field->value; /* the library obeys the first one */
        }
    }
}

static bool is_host(const char *value)
{
    size_t len = value_len(value);

    for (size_t i = 0; i < len; i++) {
        if (!is_alnum(value[i]) && !strchr("-._~%!$&'()*+;=:[]", value[i]))
            return false;
    }
    return true;
}

/** Plain decimal digits; what does not fit saturates and is too large for any limit. */
static bool parse_length(const char *value, uint64_t *ret_length)
{
    size_t len = value_len(value);
    uint64_t length = 0;

    if (!len)
        return false;
    for (size_t i = 0; i < len; i++) {
        if (!is_digit(value[i]))
            return false;
        if (__builtin_mul_overflow(length, 10, &length) ||
            __builtin_add_overflow(length, (uint64_t)(value[i] - '0'), &length))
            length = UINT64_MAX;
    }
    *ret_length = length;
    return true;
}

static struct http_verdict check_framing(const struct framing_fields *fields, bool is_1_1,
                                         struct http_framing *framing)
{
    if (fields->host_count > 1 || (is_1_1 && fields->host_count == 0))
        return refuse(400, "exactly one Host header is needed");
    if (fields->host && !is_host(fields->host))
        return refuse(400, "the Host header is malformed");
    if (fields->length_count && fields->coding_count)
        return refuse(400, "Content-Length and Transfer-Encoding exclude each other");
    if (fields->length_count > 1)
        return refuse(400, "Content-Length is sent more than once");
    if (fields->length && !parse_length(fields->length, &framing->content_length))
        return refuse(400, "Content-Length is not a plain decimal number");
    if (fields->coding_count > 1 || (fields->coding_count && !is_1_1))
        return refuse(400, "Transfer-Encoding is sent more than once, or in HTTP/1.0");
    if (fields->coding && !is_word(fields->coding, value_len(fields->coding), "chunked"))
        return refuse(400, "the only transfer coding taken is chunked");
    framing->chunked = fields->coding != NULL;
    return sound;
}

static struct http_verdict check_expect(const struct framing_fields *fields, bool is_1_1,
                                        struct http_framing *framing)
{
    if (!fields->expect)
        return sound;
    if (fields->expect_count > 1 ||
        !is_word(fields->expect, value_len(fields->expect), "100-continue"))
        return refuse(417, "the only expectation met is 100-continue");
    framing->expects_continue = is_1_1;
    return sound;
}

/** As the library decides it, but "close" anywhere wins. */
static bool keeps_alive(const struct http_head *head, const struct framing_fields *fields,
                        bool is_1_1)
{
    for (size_t i = 0; i < head->header_count; i++) {
        if (is_name(head->headers[i].name, "Connection") &&
            http_guard_has_token(head->headers[i].value, "close"))
            return false;
    }
    return fields->connection ? http_guard_has_token(fields->connection, "keep-alive") : is_1_1;
}

struct http_verdict http_guard_head(const struct http_head *head,
                                    struct http_framing *ret_framing)
{
    struct framing_fields fields = { 0 };
    struct http_framing framing = { 0 };
    struct http_verdict verdict = check_request_line(head);

    for (size_t i = 0; i < head->header_count && !verdict.status; i++)
        verdict = check_field(head, i);
    if (!verdict.status)
        verdict = check_end(head);
    if (verdict.status)
        return verdict;
    bool is_1_1 = strcmp(head->version, "1.1") == 0;

    collect(head, &fields);
    verdict = check_framing(&fields, is_1_1, &framing);
    if (!verdict.status)
        verdict = check_expect(&fields, is_1_1, &framing);
    if (!verdict.status && !http_guard_path(head->path))
        verdict = refuse(400, "the path has a bad escape, a dot segment or a character that "
                              "is not allowed");
    if (verdict.status)
        return verdict;
    framing.keep_alive = keeps_alive(head, &fields, is_1_1);
    *ret_framing = framing;
    return sound;
}
