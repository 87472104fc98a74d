#include "adapters/http/http_respond.h"

#include "adapters/http/http_problem.h"

#include <civetweb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define INLINE_MAX 4096
#define PIECE      16384
#define LINGER_MS  2000

/** Text in memory that is known to be large enough. */
struct composer {
    char *data;
    size_t len;
};

static void put(struct composer *composer, const void *data, size_t len)
{
    if (len)
        memcpy(composer->data + composer->len, data, len);
    composer->len += len;
}

static void puts_text(struct composer *composer, const char *text)
{
    put(composer, text, strlen(text));
}

static void put_number(struct composer *composer, size_t number)
{
    char digits[24];
    size_t at = sizeof(digits);

    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number);
    put(composer, digits + at, sizeof(digits) - at);
}

/** "Date: …\r\n", made anew once a second. */
static void put_date(struct composer *composer, struct http_slot *slot)
{
    static const char days[][4] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
    static const char months[][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
    time_t now = time(NULL);
    struct tm t;

    if (slot->date_s != now && gmtime_r(&now, &t)) {
        snprintf(slot->date, sizeof(slot->date), "%s, %02d %s %04d %02d:%02d:%02d GMT",
                 days[t.tm_wday], t.tm_mday, months[t.tm_mon], t.tm_year + 1900, t.tm_hour,
                 t.tm_min, t.tm_sec);
        slot->date_s = now;
    }
    puts_text(composer, "Date: ");
    puts_text(composer, slot->date);
    puts_text(composer, "\r\n");
}

static bool may_have_body(int status)
{
    return status >= 200 && status != 204 && status != 304;
}

static void compose_head(struct composer *composer, const struct http_respond *respond,
                         const struct http_response *response)
{
    puts_text(composer, "HTTP/1.1 ");
    put_number(composer, (size_t)response->status);
    puts_text(composer, " ");
    puts_text(composer, http_status_phrase(response->status));
    puts_text(composer, "\r\n");
    put_date(composer, respond->slot);
    if (may_have_body(response->status)) {
        if (response->content_type) {
            puts_text(composer, "Content-Type: ");
            puts_text(composer, response->content_type);
            puts_text(composer, "\r\n");
        }
        puts_text(composer, "Content-Length: ");
        put_number(composer, response->content_type ? response->body.len : 0);
        puts_text(composer, "\r\n");
    }
    put(composer, response->headers.data, response->headers.len);
    puts_text(composer, respond->keep_alive ? "Connection: keep-alive\r\n\r\n"
                                            : "Connection: close\r\n\r\n");
}

/**
 * One call for all but long responses: two would cost a round trip each. Long ones go in
 * pieces, each of which must be taken in time.
 */
static void write_all(const struct http_respond *respond, const char *data, size_t len)
{
    size_t done = 0;

    while (done < len) {
        size_t piece = len - done < PIECE ? len - done : PIECE;
        int64_t now_ms = http_now_ms();

        http_slot_enter(respond->slot, HTTP_WRITE, now_ms, now_ms + respond->request_ms);
        if (mg_write(respond->connection, data + done, piece) != (int)piece) {
            mg_disable_connection_keep_alive(respond->connection);
            return;
        }
        done += piece;
    }
}

/** No memory for the text of the response: this much always fits. */
static void write_bare(const struct http_respond *respond, const char *request_id)
{
    char text[512];
    int len = snprintf(text, sizeof(text),
                       "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n"
                       "Retry-After: 1\r\nX-Request-Id: %s\r\nConnection: %s\r\n\r\n",
                       request_id, respond->keep_alive ? "keep-alive" : "close");

    write_all(respond, text, (size_t)len);
}

void http_respond_write(const struct http_respond *respond,
                        const struct http_response *response, const char *request_id)
{
    bool has_body =
        response->content_type && may_have_body(response->status) && !respond->is_head;
    size_t type_len = response->content_type ? strlen(response->content_type) : 0;
    size_t size = 256 + type_len + response->headers.len + (has_body ? response->body.len : 0);
    char small[INLINE_MAX];
    struct composer composer = { size > sizeof(small) ? malloc(size) : small, 0 };

    if (!respond->keep_alive)
        mg_disable_connection_keep_alive(respond->connection);
    if (!composer.data || response->body.failed || response->headers.failed) {
        write_bare(respond, request_id);
    } else {
        compose_head(&composer, respond, response);
        if (has_body)
            put(&composer, response->body.data, response->body.len);
        write_all(respond, composer.data, composer.len);
    }
    if (composer.data != small)
        free(composer.data);
}

void http_respond_continue(struct mg_connection *connection)
{
    static const char text[] = "HTTP/1.1 100 Continue\r\n\r\n";

    mg_write(connection, text, sizeof(text) - 1);
}

void http_respond_linger(int fd, int quiet_ms)
{
    struct pollfd wait = { .fd = fd, .events = POLLIN };
    int64_t end_ms = http_now_ms() + LINGER_MS;
    char dropped[4096];

    if (fd < 0)
        return;
    shutdown(fd, SHUT_WR);
    while (http_now_ms() < end_ms && poll(&wait, 1, quiet_ms) > 0) {
        if (recv(fd, dropped, sizeof(dropped), MSG_DONTWAIT) <= 0)
            return;
    }
}
