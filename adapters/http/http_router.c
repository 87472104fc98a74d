#include "adapters/http/http_router.h"

#include "adapters/http/http_buffer.h"
#include "adapters/http/http_routes.h"

#include <string.h>

#define ENVELOPE_MAX ((size_t)64 * 1024)
#define BATCH_MAX    ((size_t)16 * 1024 * 1024)
#define LEASES_MAX   ((size_t)256 * 1024) /* a thousand, each with some blanks */

static const char *const no_params[] = { NULL };

/* The rows of one path, and what stood in the place of {id}. */
struct match {
    const struct http_route *rows;
    size_t count;
    struct tc_bytes id;
};

static bool is_end(const char *path)
{
    return path[0] == '\0' || (path[0] == '/' && path[1] == '\0');
}

/* One trailing slash is allowed; anything percent-encoded matches no literal and no UUID. */
static bool matches(const char *pattern, const char *path, struct tc_bytes *ret_id)
{
    *ret_id = (struct tc_bytes){ 0 };
    while (*pattern) {
        if (*pattern == '{') {
            size_t len = strcspn(path, "/");

            if (len == 0)
                return false;
            *ret_id = (struct tc_bytes){ path, len };
            path += len;
            pattern = strchr(pattern, '}') + 1;
        } else if (*pattern++ != *path++) {
            return false;
        }
    }
    return is_end(path);
}

static const char *skip_prefix(const char *text, const char *prefix)
{
    size_t len = strlen(prefix);

    return strncmp(text, prefix, len) == 0 ? text + len : NULL;
}

/* The tasks are also there without the prefix, as the models' users know them. */
static bool matches_route(const struct http_route *route, const char *path, bool is_short,
                          struct tc_bytes *ret_id)
{
    const char *short_pattern = skip_prefix(route->pattern, "/api/v1/tasks")
                                    ? skip_prefix(route->pattern, "/api/v1")
                                    : NULL;

    if (is_short)
        return short_pattern && matches(short_pattern, path, ret_id);
    /* "/" and one trailing slash more would be "//". */
    if (strcmp(route->pattern, "/") == 0)
        return strcmp(path, "/") == 0;
    return matches(route->pattern, path, ret_id);
}

static bool is_served(const struct http_services *services, const struct http_route *route)
{
    return services->surface == HTTP_SURFACE_API || route->of_process;
}

static bool find_match(const struct http_services *services, const char *path,
                       struct match *ret_match)
{
    const char *rest = skip_prefix(path, "/tasks");
    bool is_short = rest && (rest[0] == '\0' || rest[0] == '/');
    size_t count;
    const struct http_route *routes = http_routes(&count);
    size_t first = 0;

    while (first < count && !(is_served(services, &routes[first]) &&
                              matches_route(&routes[first], path, is_short, &ret_match->id)))
        first++;
    if (first == count)
        return false;

    size_t end = first;

    while (end < count && strcmp(routes[end].pattern, routes[first].pattern) == 0)
        end++;
    ret_match->rows = &routes[first];
    ret_match->count = end - first;
    return true;
}

static const struct http_route *find_row(const struct match *match, const char *method)
{
    const char *wanted = strcmp(method, "HEAD") == 0 ? "GET" : method;

    for (size_t i = 0; i < match->count; i++)
        if (strcmp(match->rows[i].method, wanted) == 0)
            return &match->rows[i];
    return NULL;
}

static void write_allow(const struct match *match, struct http_response *response)
{
    http_buffer_puts(&response->headers, "Allow: ");
    for (size_t i = 0; i < match->count; i++) {
        http_buffer_puts(&response->headers, match->rows[i].method);
        if (strcmp(match->rows[i].method, "GET") == 0)
            http_buffer_puts(&response->headers, ", HEAD");
        http_buffer_puts(&response->headers, ", ");
    }
    http_buffer_puts(&response->headers, "OPTIONS\r\n");
}

static size_t limit_of(const struct http_services *services, const struct http_route *row)
{
    if (row && row->body == HTTP_BODY_TASK)
        return services->policy->payload_max + ENVELOPE_MAX;
    if (row && row->body == HTTP_BODY_BATCH)
        return BATCH_MAX;
    if (row && row->body == HTTP_BODY_RESULT)
        return services->policy->result_max + ENVELOPE_MAX;
    if (row && row->body == HTTP_BODY_LEASES)
        return LEASES_MAX;
    return ENVELOPE_MAX;
}

size_t http_body_limit(const struct http_services *services, const char *method,
                       const char *path)
{
    struct match match;

    return limit_of(services,
                    find_match(services, path, &match) ? find_row(&match, method) : NULL);
}

static void handle(struct http_call *call, const struct http_route *row)
{
    const char *const *known = row->params ? row->params : no_params;

    if (!http_params_parse(call->request->query, known, &call->params, &call->violations))
        http_call_refuse(call, HTTP_UNAVAILABLE, "the service is out of memory");
    else
        row->handle(call);
    http_params_release(&call->params);
}

static void answer(struct http_call *call, const struct match *match)
{
    const struct http_request *request = call->request;
    struct http_response *response = call->response;
    const struct http_route *row = match->rows ? find_row(match, request->method) : NULL;

    if (request->body.len > limit_of(call->services, row)) {
        http_call_refuse(call, HTTP_PAYLOAD_TOO_LARGE, "the body is over the limit");
    } else if (!match->rows) {
        http_call_refuse(call, HTTP_NOT_FOUND, "no such path");
    } else if (strcmp(request->method, "OPTIONS") == 0) {
        response->status = 204;
        write_allow(match, response);
    } else if (!row) {
        write_allow(match, response);
        http_call_refuse(call, HTTP_METHOD_NOT_ALLOWED, "this path does not know the method");
    } else {
        handle(call, row);
    }
}

void http_route(struct http_services *services, const struct http_request *request,
                struct http_response *ret_response)
{
    struct http_call call = { .services = services,
                              .request = request,
                              .response = ret_response };
    struct match match = { 0 };

    http_response_begin(ret_response, request);
    ret_response->route = "(none)";
    if (find_match(services, request->path, &match))
        ret_response->route = match.rows[0].pattern;
    else
        match = (struct match){ 0 };
    call.has_id = tc_id_parse(match.id.data, match.id.len, &call.id);
    if (call.has_id)
        http_call_set_task(&call, &call.id);
    answer(&call, &match);
    if (ret_response->body.failed)
        http_call_refuse(&call, HTTP_UNAVAILABLE, "the service is out of memory");
}
