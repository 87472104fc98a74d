#include "adapters/http/cursor.h"
#include "adapters/http/http_buffer.h"
#include "adapters/http/http_routes.h"
#include "adapters/http/rfc3339.h"
#include "adapters/http/task_json.h"
#include "core/domain/task_spec.h"
#include "core/usecases/list_tasks.h"

#include <string.h>

static void refuse(struct http_call *call, const char *name, const char *detail)
{
    tc_violations_add(&call->violations, "", name, "%s", detail);
}

/* "new,running": every word must be one. */
static void read_statuses(struct http_call *call, unsigned *statuses)
{
    const struct tc_bytes *list = http_params_find(&call->params, "status");
    unsigned set = 0;

    if (!list)
        return;
    for (const char *at = list->data;; at++) {
        size_t len = strcspn(at, ",");
        unsigned word = tc_status_set_of(at, len);

        if (word == 0) {
            refuse(call, "status",
                   "must be a list of scheduled, new, pending, processing, done, failed, "
                   "cancelled");
            return;
        }
        set |= word;
        at += len;
        if (*at == '\0')
            break;
    }
    *statuses = set;
}

static void read_name(struct http_call *call, const char *name, const char **ret_text)
{
    const struct tc_bytes *text = http_params_find(&call->params, name);

    if (!text)
        return;
    if (tc_name_is_valid(*text))
        *ret_text = text->data;
    else
        refuse(call, name, "must be 1..64 of a-z, 0-9, '.', '_' and '-'");
}

static void read_tag(struct http_call *call, struct tc_bytes *ret_tag)
{
    const struct tc_bytes *tag = http_params_find(&call->params, "tag");

    if (!tag)
        return;
    if (tc_utf8_count(*tag) <= TC_TAG_MAX)
        *ret_tag = *tag;
    else
        tc_violations_add(&call->violations, "", "tag", "must have 1..%d characters",
                          TC_TAG_MAX);
}

/* Tasks carry whole milliseconds. What lies between two of them excludes, as an upper bound,
 * the later one only. Before 1970 there are no tasks. */
static void read_time(struct http_call *call, const char *name, bool is_upper, int64_t *ret_ms)
{
    const struct tc_bytes *text = http_params_find(&call->params, name);
    int64_t ms;
    bool cut;

    if (!text)
        return;
    if (!rfc3339_parse(text->data, text->len, &ms, &cut)) {
        refuse(call, name, "must be an RFC 3339 time with offset ('+' is written %2B)");
        return;
    }
    if (is_upper && cut)
        ms++;
    if (ms < 0)
        ms = is_upper ? 0 : -1;
    *ret_ms = ms;
}

static void read_order(struct http_call *call, bool *ret_ascending)
{
    const struct tc_bytes *order = http_params_find(&call->params, "order");

    if (!order)
        return;
    *ret_ascending = tc_bytes_equals(*order, tc_bytes_of("asc"));
    if (!*ret_ascending && !tc_bytes_equals(*order, tc_bytes_of("desc")))
        refuse(call, "order", "must be asc or desc");
}

static void read_cursor(struct http_call *call, struct tc_task_filter *filter)
{
    const struct tc_bytes *cursor = http_params_find(&call->params, "cursor");

    if (!cursor)
        return;
    filter->has_position = cursor_parse(cursor->data, cursor->len, &filter->position);
    if (!filter->has_position)
        refuse(call, "cursor", "must be a next_cursor of this service");
}

static struct tc_task_filter read_filter(struct http_call *call)
{
    struct tc_task_filter filter = {
        .statuses = TC_STATUS_SET_ALL,
        .created_after_ms = -1,
        .created_before_ms = -1,
    };
    int64_t limit = 0;

    read_statuses(call, &filter.statuses);
    read_name(call, "queue", &filter.queue);
    read_name(call, "type", &filter.type);
    read_tag(call, &filter.tag);
    read_time(call, "created_after", false, &filter.created_after_ms);
    read_time(call, "created_before", true, &filter.created_before_ms);
    read_order(call, &filter.ascending);
    read_cursor(call, &filter);
    http_params_int(&call->params, "limit", 1, TC_PAGE_LIMIT_MAX, &limit, &call->violations);
    filter.limit = (size_t)limit;
    return filter;
}

static bool is_unreserved(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9') || byte == '-' || byte == '.' || byte == '_' ||
           byte == '~' || byte == ',' || byte == ':';
}

static void put_encoded(struct http_buffer *out, struct tc_bytes text)
{
    static const char hex[] = "0123456789ABCDEF";
    const char *at = text.data;

    for (size_t i = 0; i < text.len; i++) {
        char escape[3] = { '%', hex[(unsigned char)at[i] >> 4], hex[at[i] & 0x0F] };
        bool is_plain = is_unreserved(at[i]);

        http_buffer_append(out, is_plain ? &at[i] : escape, is_plain ? 1 : sizeof(escape));
    }
}

/* The same question, behind this page. */
static void write_link(struct http_call *call, const char *next_cursor)
{
    struct http_buffer *out = &call->response->headers;

    http_buffer_puts(out, "Link: </api/v1/tasks?");
    for (size_t i = 0; i < call->params.count; i++) {
        const struct http_param *param = &call->params.items[i];

        if (strcmp(param->name, "cursor") == 0)
            continue;
        http_buffer_puts(out, param->name);
        http_buffer_puts(out, "=");
        put_encoded(out, param->value);
        http_buffer_puts(out, "&");
    }
    http_buffer_puts(out, "cursor=");
    http_buffer_puts(out, next_cursor);
    http_buffer_puts(out, ">; rel=\"next\"\r\n");
}

static void answer_page(struct http_call *call, const struct tc_task_page *page)
{
    char next_cursor[CURSOR_SIZE];
    size_t size = 64;

    for (size_t i = 0; i < page->count; i++)
        size += task_json_size(&page->tasks[i]);

    struct json_writer writer = http_call_json(call, 200, size);

    json_open_object(&writer);
    json_key(&writer, "items");
    json_open_array(&writer);
    for (size_t i = 0; i < page->count; i++) {
        const struct task_json_options options = {
            .omit_payload = page->omitted[i].payload,
            .omit_result = page->omitted[i].result,
        };

        task_json_write(&writer, &page->tasks[i], &options);
    }
    json_close_array(&writer);
    json_key(&writer, "next_cursor");
    if (page->has_more) {
        cursor_format(&page->position, next_cursor);
        json_string(&writer, tc_bytes_of(next_cursor));
        write_link(call, next_cursor);
    } else {
        json_null(&writer);
    }
    json_close_object(&writer);
}

void http_list_tasks(struct http_call *call)
{
    struct tc_task_filter filter = read_filter(call);
    struct tc_task_page page;
    struct tc_error err = { 0 };

    if (http_call_is_invalid(call))
        return;

    enum tc_code code = tc_list_tasks(call->services->repo, &filter, &page, &err);

    if (code != TC_OK) {
        http_call_fail(call, code, &err, "the store's answer was lost");
        return;
    }
    answer_page(call, &page);
    tc_task_page_release(&page);
}
