#ifndef TASKCORE_ADAPTERS_HTTP_GLUE_H
#define TASKCORE_ADAPTERS_HTTP_GLUE_H

/** @file http_glue.h What all threads of one server share. */

#include "adapters/http/http_connections.h"
#include "adapters/http/http_services.h"

struct http_glue {
    struct http_services *services;
    struct http_connections table;
    int64_t request_ms;
    uint64_t id_seed;          /**< makes request ids differ between processes */
    _Atomic uint64_t id_count; /**< request ids made so far */
    _Atomic bool is_closing;   /**< every response closes its connection */
};

#endif
