#ifndef TASKCORE_ADAPTERS_HTTP_PROBLEM_H
#define TASKCORE_ADAPTERS_HTTP_PROBLEM_H

/**
 * @file http_problem.h
 * Refusals as RFC 9457 problem documents, for the router and for the glue.
 */

#include "adapters/http/http_message.h"
#include "core/domain/error.h"
#include "core/domain/violations.h"

/** One row of the table of codes (http-api §1). The order is that of problem_kinds[]. */
enum http_problem {
    HTTP_MALFORMED_JSON,
    HTTP_MALFORMED_REQUEST,
    HTTP_NOT_FOUND,
    HTTP_METHOD_NOT_ALLOWED,
    HTTP_INVALID_TRANSITION,
    HTTP_STALE_LEASE,
    HTTP_PAYLOAD_TOO_LARGE,
    HTTP_UNSUPPORTED_MEDIA_TYPE,
    HTTP_VALIDATION_FAILED,
    HTTP_IDEMPOTENCY_MISMATCH,
    HTTP_UNAVAILABLE,
    HTTP_INTERNAL,
    HTTP_PROBLEM_COUNT, /* not a problem; keep last */
};

/**
 * Make `response` the refusal: status, content type, body; Retry-After where the contract
 * asks for it. What the body held is dropped, the headers are kept: the caller has written
 * X-Request-Id (the glue: http_response_begin()) and adds Allow. `detail` is shown to the
 * client: one line of UTF-8, nothing from inside.
 */
void http_problem_write(struct http_response *response, const struct http_request *request,
                        enum http_problem problem, const char *detail);

/**
 * The same with another status, for refusals of the framing that share a code:
 * 408, 414, 417, 431, 505 with HTTP_MALFORMED_REQUEST.
 */
void http_problem_write_status(struct http_response *response,
                               const struct http_request *request, enum http_problem problem,
                               int status, const char *detail);

/** HTTP_VALIDATION_FAILED with `errors`, one per violation kept. */
void http_problem_write_violations(struct http_response *response,
                                   const struct http_request *request,
                                   const struct tc_violations *violations);

/** HTTP_STALE_LEASE with the member `reason`: "superseded", …. */
void http_problem_write_stale(struct http_response *response,
                              const struct http_request *request, const char *reason,
                              const char *detail);

/** Zero `*ret_response` and write the headers that every answer has, X-Request-Id first. */
void http_response_begin(struct http_response *ret_response,
                         const struct http_request *request);

/** Reason phrase of a status: "Not Found"; "Unknown" for one that this server never sends. */
const char *http_status_phrase(int status);

#endif
