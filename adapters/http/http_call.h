#ifndef TASKCORE_ADAPTERS_HTTP_CALL_H
#define TASKCORE_ADAPTERS_HTTP_CALL_H

/** @file http_call.h What a route handler gets, and the answers that all of them give. */

#include "adapters/http/http_params.h"
#include "adapters/http/http_problem.h"
#include "adapters/http/http_services.h"
#include "adapters/http/json_writer.h"

/** One request on its way through a handler. Lives for the call. */
struct http_call {
    struct http_services *services;
    const struct http_request *request;
    struct http_response *response;
    struct http_params params;       /**< good query parameters */
    struct tc_violations violations; /**< of the query, at first */
    struct tc_id id;                 /**< of the path, when `has_id` */
    bool has_id;                     /**< the path names a task by a UUID */
};

/** A refusal. */
void http_call_refuse(struct http_call *call, enum http_problem problem, const char *detail);

/** True when there were violations: then 422 has been answered. */
bool http_call_is_invalid(struct http_call *call);

/** True when the path names no task by a UUID: then 404 has been answered. */
bool http_call_lacks_task(struct http_call *call);

/**
 * Answer with what a use case's failure means, and log what the client is not told.
 * `unknown`: the sentence for TC_UNKNOWN.
 */
void http_call_fail(struct http_call *call, enum tc_code code, const struct tc_error *err,
                    const char *unknown);

/** Begin an answer of JSON with room for `size` bytes (0: the body comes otherwise). */
struct json_writer http_call_json(struct http_call *call, int status, size_t size);

/** Note for the log which task this is about. */
void http_call_set_task(struct http_call *call, const struct tc_id *id);

#endif
