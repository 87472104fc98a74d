#ifndef TASKCORE_ADAPTERS_HTTP_EXCHANGE_H
#define TASKCORE_ADAPTERS_HTTP_EXCHANGE_H

/**
 * @file http_exchange.h
 * One request and its response on a connection of the library: guard, body, route, write,
 * account. Runs on the connection's thread; needs about 24 KiB of stack besides http_route().
 */

#include "adapters/http/http_glue.h"

/**
 * Serve the request whose head the library has parsed.
 * @return the status that was sent, for the library's own log.
 */
int http_exchange_serve(struct http_glue *glue, struct http_slot *slot,
                        struct mg_connection *connection);

/**
 * The library refuses what it got, with this status and text, and will close the connection:
 * say so in our own words.
 */
void http_exchange_refuse(struct http_glue *glue, struct http_slot *slot,
                          struct mg_connection *connection, int status, const char *text);

#endif
