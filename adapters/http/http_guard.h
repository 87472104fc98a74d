#ifndef TASKCORE_ADAPTERS_HTTP_GUARD_H
#define TASKCORE_ADAPTERS_HTTP_GUARD_H

/**
 * @file http_guard.h
 * Is this request head framed so that nobody could read it in two ways (http-api §8)?
 *
 * The library parses heads leniently: it takes the first of two lengths, drops fields past
 * the 64th, stops at a folded line and leaves the rest to be read as the next request. The
 * guard looks at the result together with the memory it was parsed in, where every byte that
 * ended a token has become NUL: leniency shows there. Pure functions, no allocation.
 */

#include "adapters/http/http_message.h"

#include <stdint.h>

#define HTTP_REQUEST_LINE_MAX 8192
#define HTTP_HEAD_MAX         16384
#define HTTP_FIELDS_MAX       64

/** A parsed head. All pointers lie in [start, limit), in this order. */
struct http_head {
    const char *start;   /**< the method */
    const char *limit;   /**< one past the last byte that may be read */
    const char *target;  /**< as sent, cut at '?' */
    const char *path;    /**< in `target`; later than it when that is "http://…" */
    const char *query;   /**< NULL: none */
    const char *version; /**< "1.1", after "HTTP/" */
    const struct http_header *headers;
    size_t header_count;
};

/** What the head says about the rest of the request. */
struct http_framing {
    bool chunked;
    uint64_t content_length; /**< saturates; 0 when there is none */
    bool expects_continue;   /**< the client waits for "100 Continue" */
    bool keep_alive;         /**< the client lets the connection stay open */
};

struct http_verdict {
    int status;         /**< 0: sound; else what to answer before closing */
    const char *detail; /**< static text; NULL when sound */
};

/** `*ret_framing` is written when the head is sound. */
struct http_verdict http_guard_head(const struct http_head *head,
                                    struct http_framing *ret_framing);

/** The rule for paths alone: no bad escapes, NUL, separators in escapes, dot segments. */
bool http_guard_path(const char *path);

/** Letters, digits and !#$%&'*+-.^_`|~, at least one (RFC 9110, token). */
bool http_guard_is_token(const char *text);

/** True when the comma list `value` names `token`, in any case. */
bool http_guard_has_token(const char *value, const char *token);

/** True when `value` may be echoed as X-Request-Id. */
bool http_guard_is_request_id(const char *value);

#endif
