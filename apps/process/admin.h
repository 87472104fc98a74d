#ifndef TASKCORE_APPS_PROCESS_ADMIN_H
#define TASKCORE_APPS_PROCESS_ADMIN_H

/**
 * @file admin.h
 * What programs other than taskapi show of themselves: /health, /livez, /readyz, /metrics and
 * /version, on TASK_ADMIN_LISTEN.
 */

#include "adapters/http/http_services.h"
#include "apps/process/process.h"

struct http_server;

/** Zeroed it is closed. */
struct admin {
    struct http_services services;
    struct http_server *server;
};

/** Serve on `listen`. All is borrowed until admin_close().
 *  @return as http_server_open(), the message names the setting. */
enum tc_code admin_open(struct admin *admin, const char *listen, const struct service *service,
                        struct tc_metrics *metrics, struct process *process,
                        struct tc_error *err) TC_MUST_CHECK;

/** Not ready any more. */
void admin_say_stopping(struct admin *admin);
void admin_close(struct admin *admin);

/** "127.0.0.1:8001": the host of `listen` and the real port. */
void admin_address(const char *listen, const struct http_server *server, char *ret_text,
                   size_t size);

/** What of the service every surface needs. */
void admin_fill_services(const struct service *service, struct http_services *services);

#endif
