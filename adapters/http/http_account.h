#ifndef TASKCORE_ADAPTERS_HTTP_ACCOUNT_H
#define TASKCORE_ADAPTERS_HTTP_ACCOUNT_H

/** @file http_account.h Log line and metrics of a request. */

#include "adapters/http/http_message.h"
#include "adapters/http/http_services.h"

#include <stdint.h>

/**
 * Count the request by route and status, observe its duration, and log it: at debug level,
 * at error level when the status is 5xx. `route` NULL: it never got to one.
 */
void http_account(const struct http_services *services, const struct http_request *request,
                  const struct http_response *response, int64_t duration_us);

#endif
