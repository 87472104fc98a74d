#ifndef TASKCORE_ADAPTERS_HTTP_COMPLAINT_H
#define TASKCORE_ADAPTERS_HTTP_COMPLAINT_H

/** @file http_complaint.h What the library means when it refuses a request by itself. */

#include "adapters/http/http_connections.h"
#include "adapters/http/http_guard.h"

/** Bytes of head that the library reads at most: enough to see a head that is too long. */
#define HTTP_READ_BUFFER_SIZE 32768

struct http_complaint {
    int status;       /**< of the library */
    const char *text; /**< of the library */
    bool is_late;     /**< the time for a head was over */
};

/** The status and words that http-api §8 wants for it. On the connection's own thread. */
struct http_verdict http_complaint_verdict(const struct http_complaint *complaint,
                                           struct http_connections *table,
                                           struct http_slot *slot,
                                           const struct mg_connection *connection);

/**
 * True when the library gave up only because it does not know the method, which is a matter
 * for the router: 405 or 404. It has read the request line then and nothing after it.
 */
bool http_complaint_is_method(const struct mg_connection *connection);

#endif
