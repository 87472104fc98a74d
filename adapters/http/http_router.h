#ifndef TASKCORE_ADAPTERS_HTTP_ROUTER_H
#define TASKCORE_ADAPTERS_HTTP_ROUTER_H

/**
 * @file http_router.h
 * Everything between a request whose framing is sound and its response.
 *
 * Threads: any, at once; needs about 16 KiB of stack. Blocks for the store, and for up to
 * 20 s when a client asks to wait and `request->may_wait` is set.
 *
 * Who writes what: the router fills the status, the content type, the body and all headers
 * that depend on the request, X-Request-Id among them. The glue adds the status line,
 * Content-Type, Content-Length and Connection. To HEAD the response is that of GET: the glue
 * sends the length of the body, not the body. `content_type` NULL (204) means no body.
 */

#include "adapters/http/http_message.h"
#include "adapters/http/http_services.h"

/**
 * Answer one request. Never fails: what goes wrong is a problem document.
 * `*ret_response` is overwritten; release it with http_response_release(). A body that could
 * not be built for want of memory leaves `body.failed` set and the status 503.
 */
void http_route(struct http_services *services, const struct http_request *request,
                struct http_response *ret_response);

/** How many bytes the body of such a request may have; over it the answer is 413. */
size_t http_body_limit(const struct http_services *services, const char *method,
                       const char *path);

#endif
