#ifndef TASKCORE_ADAPTERS_HTTP_SERVER_H
#define TASKCORE_ADAPTERS_HTTP_SERVER_H

/**
 * @file http_server.h
 * The sockets: accepts connections, frames and bounds requests (http-api §8), hands them to
 * http_route() and writes the response. Speaks plain HTTP on IPv4; TLS belongs in a front
 * (deploy/).
 *
 * Threads: one per open connection, started by http_server_open() and small (100 KiB of
 * stack), one that accepts and one that watches deadlines. All sleep while nobody calls.
 *
 * SIGPIPE is the program's business: it should ignore it. The library ignores it too, for
 * the whole process, as soon as the server is open.
 */

#include "adapters/http/http_services.h"
#include "core/domain/error.h"

#include <stdint.h>

/** Zero means the default. Read by http_server_open() only. */
struct http_server_config {
    /** "PORT", "ADDRESS:PORT" or "localhost:PORT"; port 0 takes a free one. A port alone is
     *  that port of every address. NULL: "127.0.0.1:8000". */
    const char *listen;
    /** How many connections are served at once (1..16384, default 512). What comes beyond is
     *  answered 503 and closed; to make room, idle connections are closed first, then those
     *  whose request arrives at less than 1 KiB/s. */
    int connections;
    /** How long a request may take to arrive, plus a second for every KiB received, and the
     *  client to take each 16 KiB of the response (1..3600000, default 10000). An idle
     *  connection is kept as long. */
    int64_t request_ms;
    /** How long http_server_close() lets running requests end (default 1000). */
    int64_t close_ms;
};

struct http_server;

/**
 * Bind, start the threads and serve. `services` is borrowed until http_server_close().
 * @return TC_OK; TC_INVALID: an address, number or file limit that cannot be served, the
 *   message says what to change; TC_UNAVAILABLE: the address is in use or not ours;
 *   TC_NO_MEMORY: too little memory, or too few threads allowed.
 */
enum tc_code http_server_open(const struct http_server_config *config,
                              struct http_services *services, struct http_server **ret_server,
                              struct tc_error *err) TC_MUST_CHECK;

/** The port that is listened on: the real one when 0 was asked for. */
int http_server_port(const struct http_server *server);

/** Connections open now. Any thread. */
int http_server_connections(const struct http_server *server);

/**
 * Stop: idle connections are closed at once, running requests have `close_ms` to end, what
 * still reads or writes then is cut. A request inside http_route() is waited for however
 * long it takes, so whoever makes routes wait wakes them first. NULL is legal.
 */
void http_server_close(struct http_server *server);

#endif
