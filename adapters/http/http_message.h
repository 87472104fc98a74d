#ifndef TASKCORE_ADAPTERS_HTTP_MESSAGE_H
#define TASKCORE_ADAPTERS_HTTP_MESSAGE_H

/**
 * @file http_message.h
 * A request and its response as plain values: what lies between the socket glue
 * (http_server.c) and everything else in this folder, which tests call without a socket.
 */

#include "core/domain/content.h"
#include "core/domain/id.h"

#define HTTP_REQUEST_ID_MAX 128

struct http_header {
    const char *name;
    const char *value;
};

/** Borrowed for the length of one call. The framing has been checked (http-api §8). */
struct http_request {
    const char *method; /**< as sent: "GET" */
    const char *path;   /**< as sent, still percent-encoded, without the query */
    const char *query;  /**< as sent, without '?'; NULL: there was no '?' */
    const struct http_header *headers;
    size_t header_count;
    struct tc_bytes body;
    char request_id[HTTP_REQUEST_ID_MAX + 1]; /**< sent and valid, or made by the glue */
    bool may_wait; /**< false: the budget for long polls is used up; answer at once */
    /** Has the client closed its end meanwhile? For who has waited; NULL: nobody can tell. */
    bool (*has_left)(void *connection);
    void *connection; /**< what has_left() is asked about */
};

/** The value of the only header of that name (any case); NULL when absent. `*ret_count`
 *  (may be NULL) says how many there were. */
const char *http_request_header(const struct http_request *request, const char *name,
                                size_t *ret_count);

/** Growing text. Zero to start; `failed` stays set once memory ran out. */
struct http_buffer {
    char *data; /**< malloc'ed, NUL-terminated when not NULL */
    size_t len;
    size_t size;
    bool failed;
};

/** Filled by the router; release with http_response_release(). */
struct http_response {
    int status;
    const char *content_type;   /**< static text; NULL: no body */
    struct http_buffer headers; /**< further lines, each "Name: value\r\n" */
    struct http_buffer body;
    const char *route;    /**< the pattern, for metrics: "/api/v1/tasks/{id}"; static text */
    bool has_task_id;     /**< for the log line */
    struct tc_id task_id; /**< the (first) task it is about */
};

void http_response_release(struct http_response *response);

#endif
