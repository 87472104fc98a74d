#include "adapters/http/http_problem.h"

#include "adapters/http/json_writer.h"

/* Long enough for a commit that waits for its disk, short enough not to be noticed. */
#define RETRY_AFTER_S 1

static const struct {
    const char *code;
    int status;
    bool retry_after;
} problem_kinds[HTTP_PROBLEM_COUNT] = {
    [HTTP_MALFORMED_JSON] = { "malformed_json", 400, false },
    [HTTP_MALFORMED_REQUEST] = { "malformed_request", 400, false },
    [HTTP_NOT_FOUND] = { "not_found", 404, false },
    [HTTP_METHOD_NOT_ALLOWED] = { "method_not_allowed", 405, false },
    [HTTP_INVALID_TRANSITION] = { "invalid_transition", 409, false },
    [HTTP_STALE_LEASE] = { "stale_lease", 409, false },
    [HTTP_PAYLOAD_TOO_LARGE] = { "payload_too_large", 413, false },
    [HTTP_UNSUPPORTED_MEDIA_TYPE] = { "unsupported_media_type", 415, false },
    [HTTP_VALIDATION_FAILED] = { "validation_failed", 422, false },
    [HTTP_IDEMPOTENCY_MISMATCH] = { "idempotency_mismatch", 422, false },
    [HTTP_UNAVAILABLE] = { "unavailable", 503, true },
    [HTTP_INTERNAL] = { "internal", 500, false },
};

static const struct {
    int status;
    const char *phrase;
} phrases[] = {
    { 200, "OK" },
    { 201, "Created" },
    { 204, "No Content" },
    { 400, "Bad Request" },
    { 404, "Not Found" },
    { 405, "Method Not Allowed" },
    { 408, "Request Timeout" },
    { 409, "Conflict" },
    { 413, "Content Too Large" },
    { 414, "URI Too Long" },
    { 415, "Unsupported Media Type" },
    { 417, "Expectation Failed" },
    { 422, "Unprocessable Content" },
    { 431, "Request Header Fields Too Large" },
    { 500, "Internal Server Error" },
    { 503, "Service Unavailable" },
    { 505, "HTTP Version Not Supported" },
};

const char *http_status_phrase(int status)
{
    for (size_t i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++)
        if (phrases[i].status == status)
            return phrases[i].phrase;
    return "Unknown";
}

void http_response_begin(struct http_response *ret_response, const struct http_request *request)
{
    *ret_response = (struct http_response){ 0 };
    http_buffer_puts(&ret_response->headers, "X-Request-Id: ");
    http_buffer_puts(&ret_response->headers, request->request_id);
    http_buffer_puts(&ret_response->headers, "\r\nX-Content-Type-Options: nosniff\r\n");
}

static struct json_writer begin(struct http_response *response,
                                const struct http_request *request, enum http_problem problem,
                                int status, const char *detail)
{
    struct json_writer writer = { .out = &response->body };

    http_buffer_clear(&response->body);
    http_buffer_puts(&response->headers, "Cache-Control: no-store\r\n");
    if (problem_kinds[problem].retry_after)
        http_buffer_printf(&response->headers, "Retry-After: %d\r\n", RETRY_AFTER_S);
    response->status = status;
    response->content_type = "application/problem+json";
    json_open_object(&writer);
    json_member(&writer, "type", "about:blank");
    json_member(&writer, "title", http_status_phrase(status));
    json_member_int(&writer, "status", status);
    json_member(&writer, "detail", detail);
    json_member(&writer, "code", problem_kinds[problem].code);
    json_member(&writer, "request_id", request->request_id);
    return writer;
}

void http_problem_write_status(struct http_response *response,
                               const struct http_request *request, enum http_problem problem,
                               int status, const char *detail)
{
    struct json_writer writer = begin(response, request, problem, status, detail);

    json_close_object(&writer);
}

void http_problem_write(struct http_response *response, const struct http_request *request,
                        enum http_problem problem, const char *detail)
{
    http_problem_write_status(response, request, problem, problem_kinds[problem].status,
                              detail);
}

void http_problem_write_violations(struct http_response *response,
                                   const struct http_request *request,
                                   const struct tc_violations *violations)
{
    struct json_writer writer =
        begin(response, request, HTTP_VALIDATION_FAILED, 422,
              violations->total == 1 ? "a field breaks a rule" : "some fields break rules");

    json_key(&writer, "errors");
    json_open_array(&writer);
    for (size_t i = 0; i < violations->kept; i++) {
        json_open_object(&writer);
        json_member(&writer, "pointer", violations->items[i].pointer);
        json_member(&writer, "detail", violations->items[i].detail);
        json_close_object(&writer);
    }
    json_close_array(&writer);
    json_close_object(&writer);
}

void http_problem_write_stale(struct http_response *response,
                              const struct http_request *request, const char *reason,
                              const char *detail)
{
    struct json_writer writer = begin(response, request, HTTP_STALE_LEASE,
                                      problem_kinds[HTTP_STALE_LEASE].status, detail);

    json_member(&writer, "reason", reason);
    json_close_object(&writer);
}
