#ifndef TASKCORE_ADAPTERS_HTTP_RESPOND_H
#define TASKCORE_ADAPTERS_HTTP_RESPOND_H

/** @file http_respond.h Writing a response, head and body in one piece. */

#include "adapters/http/http_connections.h"
#include "adapters/http/http_message.h"

struct http_respond {
    struct mg_connection *connection;
    struct http_slot *slot;
    int64_t request_ms; /**< time to take each 16 KiB of the response */
    bool is_head;       /**< to HEAD: the length of the body, not the body */
    bool keep_alive;    /**< false: say that the connection closes, and make it so */
};

/**
 * Write the status line, the headers of the response and those of the framing, and the body.
 * A response whose text failed for want of memory becomes an empty 503. Blocks until the
 * client has taken it or is cut; a failure closes the connection.
 */
void http_respond_write(const struct http_respond *respond,
                        const struct http_response *response, const char *request_id);

/** "100 Continue": the client may send the body. */
void http_respond_continue(struct mg_connection *connection);

/**
 * After a refusal, before closing: tell the client that no more comes, and read what it
 * still sends until it is silent for `quiet_ms`, closes, or two seconds are over. Closing
 * with unread data would make the kernel take the response back.
 */
void http_respond_linger(int fd, int quiet_ms);

#endif
