#ifndef TASKCORE_ADAPTERS_HTTP_BODY_H
#define TASKCORE_ADAPTERS_HTTP_BODY_H

/** @file http_body.h Reading the body of a request, bounded in size and time. */

#include "adapters/http/http_connections.h"
#include "adapters/http/http_guard.h"

#define HTTP_BODY_INLINE 2048

/** Zero `heap` to start; release with http_body_release(). */
struct http_body {
    char *data; /**< NUL-terminated */
    size_t len;
    char *heap;                         /**< what `data` points at when it is long */
    char inline_data[HTTP_BODY_INLINE]; /**< and when it is short */
};

/** How long a body may be and take. */
struct http_body_limits {
    size_t max;
    int64_t since_ms;   /**< monotonic: when the request began */
    int64_t request_ms; /**< time until its end, plus a second for every KiB received */
};

/**
 * Read the body that `framing` promises. The slot is in HTTP_BODY; its deadline is moved on
 * as bytes come in, and the watchdog cuts the connection when it has passed.
 * @return status 0; 400: it is malformed or ended early; 408: it was too slow; 413: longer
 *   than `limits->max`; 503: no memory. Whatever it is, release the body.
 */
struct http_verdict http_body_read(struct mg_connection *connection, struct http_slot *slot,
                                   const struct http_framing *framing,
                                   const struct http_body_limits *limits,
                                   struct http_body *body);

void http_body_release(struct http_body *body);

#endif
