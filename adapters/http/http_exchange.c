#include "adapters/http/http_exchange.h"

#include "adapters/http/http_account.h"
#include "adapters/http/http_body.h"
#include "adapters/http/http_complaint.h"
#include "adapters/http/http_guard.h"
#include "adapters/http/http_problem.h"
#include "adapters/http/http_respond.h"
#include "adapters/http/http_router.h"
#include "adapters/http/http_watchdog.h"

#include <civetweb.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define QUIET_MS      250 /**< see http_respond_linger() */
#define QUIET_FULL_MS 20  /**< the same when places are short */

/** One request and what becomes of it; lives on the thread's stack. */
struct exchange {
    struct http_glue *glue;
    struct http_slot *slot;
    struct mg_connection *connection;
    int64_t began_us;
    struct http_header headers[HTTP_FIELDS_MAX];
    struct http_request request;
    struct http_framing framing;
    struct http_response response;
};

static uint64_t mix(uint64_t x)
{
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

static void make_request_id(struct http_glue *glue, char ret_id[HTTP_REQUEST_ID_MAX + 1])
{
    uint64_t number = atomic_fetch_add_explicit(&glue->id_count, 1, memory_order_relaxed);
    uint64_t tail = mix(glue->id_seed + number * UINT64_C(0x9e3779b97f4a7c15));
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    struct tc_id id = tc_id_make((int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000,
                                 (unsigned)(glue->id_seed >> 52), tail);

    tc_id_format(&id, ret_id);
}

/** The X-Request-Id that was sent, when it may be echoed; else a new one. */
static void take_request_id(struct exchange *x)
{
    size_t count = 0;
    const char *sent = http_request_header(&x->request, "X-Request-Id", &count);

    if (count == 1 && http_guard_is_request_id(sent))
        memcpy(x->request.request_id, sent, strlen(sent) + 1);
    else
        make_request_id(x->glue, x->request.request_id);
}

/** The client has closed its end, or the connection is broken. What lies unread, as a further
 *  request would, says that it is there. */
static bool has_left(void *connection)
{
    const struct exchange *x = connection;
    int fd = http_connections_socket(&x->glue->table, x->slot);
    char byte;
    ssize_t got = fd >= 0 ? recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) : 1;

    return got == 0 || (got < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
}

static void begin(struct exchange *x, struct http_glue *glue, struct http_slot *slot,
                  struct mg_connection *connection)
{
    x->glue = glue;
    x->slot = slot;
    x->connection = connection;
    x->began_us = http_now_us();
    x->request = (struct http_request){
        .method = "", .path = "", .may_wait = true, .has_left = has_left, .connection = x
    };
    x->request.headers = x->headers;
    x->framing = (struct http_framing){ 0 };
    http_slot_enter(slot, HTTP_BODY, x->began_us / 1000, x->began_us / 1000 + glue->request_ms);
}

/** Write the response, account for it, and wait for the next request. */
static void finish(struct exchange *x, bool keep_alive)
{
    struct http_respond respond = {
        .connection = x->connection,
        .slot = x->slot,
        .request_ms = x->glue->request_ms,
        .is_head = strcmp(x->request.method, "HEAD") == 0,
        .keep_alive = keep_alive,
    };

    http_respond_write(&respond, &x->response, x->request.request_id);
    int64_t now_us = http_now_us();

    http_account(x->glue->services, &x->request, &x->response, now_us - x->began_us);
    http_response_release(&x->response);
    atomic_fetch_add_explicit(&x->slot->served, 1, memory_order_relaxed);
    http_slot_enter(x->slot, HTTP_HEAD, now_us / 1000, now_us / 1000 + x->glue->request_ms);
}

static enum http_problem problem_of(int status)
{
    switch (status) {
    case 413:
        return HTTP_PAYLOAD_TOO_LARGE;
    case 500:
        return HTTP_INTERNAL;
    case 503:
        return HTTP_UNAVAILABLE;
    default:
        return HTTP_MALFORMED_REQUEST;
    }
}

/** Answer with a problem document, and close so that no byte after it means anything. */
static int refuse(struct exchange *x, struct http_verdict verdict)
{
    const struct http_connections *table = &x->glue->table;
    bool is_full = atomic_load(&table->open) > table->bound;

    if (!x->request.request_id[0])
        take_request_id(x);
    http_response_begin(&x->response, &x->request);
    http_problem_write_status(&x->response, &x->request, problem_of(verdict.status),
                              verdict.status, verdict.detail);
    int fd = http_connections_socket(&x->glue->table, x->slot);

    finish(x, false);
    http_slot_enter(x->slot, HTTP_WRITE, http_now_ms(), http_now_ms() + x->glue->request_ms);
    http_respond_linger(fd, is_full ? QUIET_FULL_MS : QUIET_MS);
    return verdict.status;
}

/** Cut the blanks after a value. The text lies in the library's buffer, which it may. */
static void trim(const char *value)
{
    char *end = (char *)(uintptr_t)value + strlen(value);

    while (end > value && (end[-1] == ' ' || end[-1] == '\t'))
        *--end = '\0';
}

/**
 * True when the head begins where the library's buffer does. Blank lines before a head make
 * the library count its length wrong and take the head for the body. The buffer of a thread
 * never moves and comes from malloc, which aligns it.
 */
static bool begins_at_buffer(struct http_slot *slot, const char *start)
{
    if ((uintptr_t)start % 16 != 0)
        return false;
    if (!slot->buffer || start < slot->buffer)
        slot->buffer = start;
    return start == slot->buffer;
}

static struct http_verdict take_head(struct exchange *x)
{
    const struct mg_request_info *info = mg_get_request_info(x->connection);
    size_t count = (size_t)info->num_headers;

    for (size_t i = 0; i < count; i++)
        x->headers[i] =
            (struct http_header){ info->http_headers[i].name, info->http_headers[i].value };
    x->request.method = info->request_method;
    x->request.path = info->local_uri_raw;
    x->request.query = info->query_string;
    x->request.header_count = count;
    if (!begins_at_buffer(x->slot, info->request_method))
        return (struct http_verdict){ 400, "there is something before the request line" };
    struct http_head head = {
        .start = info->request_method,
        .limit = info->request_method + HTTP_READ_BUFFER_SIZE,
        .target = info->request_uri,
        .path = info->local_uri_raw,
        .query = info->query_string,
        .version = info->http_version,
        .headers = x->headers,
        .header_count = count,
    };
    struct http_verdict verdict = http_guard_head(&head, &x->framing);

    if (verdict.status)
        return verdict;
    for (size_t i = 0; i < count; i++)
        trim(x->headers[i].value);
    return verdict;
}

/** A connection beyond the bound is served all the same when idle ones can make room. */
static bool is_beyond_bound(struct exchange *x)
{
    struct http_connections *table = &x->glue->table;

    if (!x->slot->is_over)
        return false;
    pthread_mutex_lock(&table->lock);
    x->slot->is_over = http_watchdog_make_room(table, http_now_ms()) > table->bound;
    pthread_mutex_unlock(&table->lock);
    return x->slot->is_over;
}

static struct http_verdict read_body(struct exchange *x, struct http_body *body)
{
    struct http_body_limits limits = {
        .max = http_body_limit(x->glue->services, x->request.method, x->request.path),
        .since_ms = x->began_us / 1000,
        .request_ms = x->glue->request_ms,
    };
    bool has_body = x->framing.chunked || x->framing.content_length;

    if (has_body && x->framing.expects_continue && x->framing.content_length <= limits.max)
        http_respond_continue(x->connection);
    struct http_verdict verdict =
        http_body_read(x->connection, x->slot, &x->framing, &limits, body);

    x->request.body = (struct tc_bytes){ body->data, body->len };
    return verdict;
}

/** Does the client ask to wait? In the query of a task, in the body of a lease. */
static bool asks_to_wait(const struct http_request *request)
{
    static const char leases[] = "/leases";
    const char *found = strstr(request->path, leases);

    if (request->query && strstr(request->query, "wait_ms="))
        return true;
    return found &&
           (found[sizeof(leases) - 1] == '\0' || strcmp(found + sizeof(leases) - 1, "/") == 0);
}

static void route(struct exchange *x)
{
    bool is_wait = asks_to_wait(&x->request);

    if (is_wait)
        x->request.may_wait = http_connections_enter_wait(&x->glue->table);
    http_slot_enter(x->slot, HTTP_ROUTE, http_now_ms(), INT64_MAX);
    http_route(x->glue->services, &x->request, &x->response);
    if (is_wait && x->request.may_wait)
        http_connections_leave_wait(&x->glue->table);
}

int http_exchange_serve(struct http_glue *glue, struct http_slot *slot,
                        struct mg_connection *connection)
{
    struct exchange x;
    struct http_body body;
    int status;

    begin(&x, glue, slot, connection);
    struct http_verdict verdict = take_head(&x);

    if (!verdict.status && is_beyond_bound(&x))
        verdict = (struct http_verdict){ 503, "too many connections; try again soon" };
    if (verdict.status)
        return refuse(&x, verdict);
    take_request_id(&x);
    verdict = read_body(&x, &body);
    if (verdict.status) {
        http_body_release(&body);
        return refuse(&x, verdict);
    }
    route(&x);
    http_body_release(&body);
    status = x.response.status;
    finish(&x, x.framing.keep_alive && !atomic_load(&glue->is_closing));
    return status;
}

/**
 * A head that the library gave up on only because it does not know the method: let the router
 * say 405 or 404. The fields have not been read, and nothing after them will be.
 */
static bool serve_unknown_method(struct exchange *x)
{
    const struct mg_request_info *info = mg_get_request_info(x->connection);
    char path[512];
    size_t len;

    if (!http_complaint_is_method(x->connection))
        return false;
    len = strcspn(info->request_uri, "?");
    if (len >= sizeof(path))
        return false;
    memcpy(path, info->request_uri, len);
    path[len] = '\0';
    if (!http_guard_path(path))
        return false;
    x->request.method = info->request_method;
    x->request.path = path;
    take_request_id(x);
    http_route(x->glue->services, &x->request, &x->response);
    int fd = http_connections_socket(&x->glue->table, x->slot);

    finish(x, false);
    http_respond_linger(fd, QUIET_MS);
    x->request.method = x->request.path = "";
    return true;
}

void http_exchange_refuse(struct http_glue *glue, struct http_slot *slot,
                          struct mg_connection *connection, int status, const char *text)
{
    struct exchange x;
    struct http_complaint complaint = { status, text, false };
    int64_t head_since_ms = atomic_load(&slot->since_ms);

    begin(&x, glue, slot, connection);
    complaint.is_late =
        atomic_load(&slot->cut) || x.began_us / 1000 - head_since_ms >= glue->request_ms;
    struct http_verdict verdict =
        http_complaint_verdict(&complaint, &glue->table, slot, connection);

    if (verdict.status == 400 && serve_unknown_method(&x))
        return;
    refuse(&x, verdict);
}
