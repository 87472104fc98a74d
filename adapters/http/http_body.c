#include "adapters/http/http_body.h"

#include <civetweb.h>
#include <stdlib.h>
#include <string.h>

/** Read in steps this small: the deadline moves on when a step is complete. */
#define STEP 4096

static struct http_verdict refuse(int status, const char *detail)
{
    return (struct http_verdict){ status, detail };
}

static struct http_verdict too_long(void)
{
    return refuse(413, "the body is longer than this request may have");
}

/** Room for `size` bytes and a NUL, keeping what is there. */
static bool reserve(struct http_body *body, size_t *size, size_t wanted)
{
    char *grown;

    if (wanted <= *size)
        return true;
    grown = realloc(body->heap, wanted + 1);
    if (!grown)
        return false;
    if (!body->heap)
        memcpy(grown, body->inline_data, body->len);
    body->heap = body->data = grown;
    *size = wanted;
    return true;
}

static void extend_deadline(struct http_slot *slot, const struct http_body_limits *limits,
                            size_t received)
{
    int64_t deadline_ms =
        limits->since_ms + limits->request_ms + (int64_t)(received / 1024) * 1000;

    atomic_store_explicit(&slot->deadline_ms, deadline_ms, memory_order_relaxed);
}

/** One step. @return bytes; 0: the end; -1: bad chunk, closed or cut. */
static int step(struct mg_connection *connection, struct http_slot *slot,
                const struct http_body_limits *limits, struct http_body *body, size_t want)
{
    int got = mg_read(connection, body->data + body->len, want < STEP ? want : STEP);

    if (atomic_load(&slot->cut) && got < (int)want)
        return -1;
    if (got > 0) {
        body->len += (size_t)got;
        extend_deadline(slot, limits, body->len);
    }
    return got;
}

static struct http_verdict read_known(struct mg_connection *connection, struct http_slot *slot,
                                      size_t length, const struct http_body_limits *limits,
                                      struct http_body *body)
{
    size_t size = HTTP_BODY_INLINE - 1;

    if (length > limits->max)
        return too_long();
    if (!reserve(body, &size, length))
        return refuse(503, "no memory for the body");
    while (body->len < length) {
        if (step(connection, slot, limits, body, length - body->len) <= 0)
            return refuse(400, "the body ended early");
    }
    return refuse(0, NULL);
}

static struct http_verdict read_chunks(struct mg_connection *connection, struct http_slot *slot,
                                       const struct http_body_limits *limits,
                                       struct http_body *body)
{
    size_t size = HTTP_BODY_INLINE - 1;

    for (;;) {
        if (body->len + STEP > size && !reserve(body, &size, 2 * (size + 1) - 1))
            return refuse(503, "no memory for the body");
        int got = step(connection, slot, limits, body, STEP);

        if (got < 0)
            return refuse(400, "the chunked body is malformed or ended early");
        if (body->len > limits->max)
            return too_long();
        if (got == 0)
            return refuse(0, NULL);
    }
}

struct http_verdict http_body_read(struct mg_connection *connection, struct http_slot *slot,
                                   const struct http_framing *framing,
                                   const struct http_body_limits *limits,
                                   struct http_body *body)
{
    struct http_verdict verdict = { 0, NULL };

    body->data = body->inline_data;
    body->heap = NULL;
    body->len = 0;
    if (framing->chunked)
        verdict = read_chunks(connection, slot, limits, body);
    else if (framing->content_length > limits->max)
        verdict = too_long();
    else if (framing->content_length)
        verdict = read_known(connection, slot, (size_t)framing->content_length, limits, body);
    body->data[body->len] = '\0';
    if (verdict.status == 400 && atomic_load(&slot->cut))
        verdict = refuse(408, "the request took too long to arrive");
    return verdict;
}

void http_body_release(struct http_body *body)
{
    free(body->heap);
    body->heap = NULL;
}
