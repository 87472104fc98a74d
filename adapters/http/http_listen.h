#ifndef TASKCORE_ADAPTERS_HTTP_LISTEN_H
#define TASKCORE_ADAPTERS_HTTP_LISTEN_H

/** @file http_listen.h Where to listen, checked before the library sees it. */

#include "core/domain/error.h"

#include <stdint.h>

#define HTTP_LISTEN_SIZE 32

struct http_listen {
    char text[HTTP_LISTEN_SIZE]; /**< "8000" or "127.0.0.1:8000", as the library wants it */
    uint16_t port;
};

/**
 * Read "PORT", "IPV4-ADDRESS:PORT" or "localhost:PORT". Pure.
 * @return TC_OK; TC_INVALID for anything else, with its own message for a TLS port ("443s"),
 *   which would crash the library, and for IPv6, which it cannot do.
 */
enum tc_code http_listen_parse(const char *text, struct http_listen *ret_listen,
                               struct tc_error *err) TC_MUST_CHECK;

#endif
