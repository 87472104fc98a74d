#include "adapters/http/http_complaint.h"

#include <civetweb.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#define METHOD_MAX 32

/** The methods whose heads the library reads to the end; it calls all others malformed. */
static bool is_method_of_library(const char *method)
{
    static const char *const known[] = { "GET",    "POST",     "PUT",       "DELETE",
                                         "HEAD",   "OPTIONS",  "CONNECT",   "PATCH",
                                         "MKCOL",  "PROPFIND", "PROPPATCH", "LOCK",
                                         "UNLOCK", "COPY",     "MOVE",      "REPORT" };

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (strcmp(method, known[i]) == 0)
            return true;
    }
    return false;
}

/** True when the library got as far as "HTTP/x.y" in the request line. */
static bool has_version(const struct mg_request_info *info)
{
    return info->request_method && info->http_version &&
           info->http_version - info->request_method > (ptrdiff_t)strlen("HTTP/") &&
           memcmp(info->http_version - strlen("HTTP/"), "HTTP/", strlen("HTTP/")) == 0;
}

/** True when the library would go on reading the head that is in its full buffer. */
static bool is_unfinished_head(const char *buffer)
{
    for (size_t i = 0; i < HTTP_READ_BUFFER_SIZE; i++) {
        char c = buffer[i];

        if ((c >= 0 && c < ' ' && c != '\r' && c != '\n') || c == 0x7f)
            return false;
        if (c == '\n' && i >= 1 &&
            (buffer[i - 1] == '\n' || (i >= 3 && memcmp(buffer + i - 3, "\r\n\r", 3) == 0)))
            return false;
    }
    return true;
}

/** The library does not tell a head that it cannot parse from one that does not fit. */
static bool is_head_too_long(struct http_connections *table, struct http_slot *slot)
{
    struct tcp_info info = { 0 };
    socklen_t len = sizeof(info);
    int fd;

    if (slot->buffer)
        return is_unfinished_head(slot->buffer);
    fd = http_connections_socket(table, slot); /* this thread's first request */
    return fd >= 0 && getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) == 0 &&
           info.tcpi_bytes_received >= HTTP_READ_BUFFER_SIZE;
}

struct http_verdict http_complaint_verdict(const struct http_complaint *complaint,
                                           struct http_connections *table,
                                           struct http_slot *slot,
                                           const struct mg_connection *connection)
{
    const struct mg_request_info *info = mg_get_request_info(connection);
    bool is_unparsed = strcmp(complaint->text, "Malformed message") == 0;

    if (complaint->status == 505 ||
        (complaint->status == 400 && has_version(info) &&
         strcmp(info->http_version, "1.0") != 0 && strcmp(info->http_version, "1.1") != 0))
        return (struct http_verdict){ 505, "only HTTP/1.0 and HTTP/1.1 are spoken here" };
    if (complaint->status >= 500)
        return (struct http_verdict){ 500, "the request could not be served" };
    if (is_unparsed && complaint->is_late)
        return (struct http_verdict){ 408, "the request took too long to arrive" };
    if (complaint->status == 413 || (is_unparsed && is_head_too_long(table, slot)))
        return (struct http_verdict){ 413, "the request head is too long" };
    return (struct http_verdict){ 400, "the request is malformed" };
}

bool http_complaint_is_method(const struct mg_connection *connection)
{
    const struct mg_request_info *info = mg_get_request_info(connection);

    return has_version(info) && !is_method_of_library(info->request_method) &&
           http_guard_is_token(info->request_method) &&
           strlen(info->request_method) <= METHOD_MAX;
}
