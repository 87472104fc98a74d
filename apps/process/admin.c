#include "apps/process/admin.h"

#include "adapters/http/http_server.h"
#include "apps/service/service.h"

#include <string.h>

#define CONNECTIONS 4 /* a few probes and one that scrapes */

void admin_fill_services(const struct service *service, struct http_services *services)
{
    const struct service_ports *ports = service_ports(service);

    services->repo = ports->repo;
    services->leases = ports->leases;
    services->queue = ports->queue;
    services->events = ports->events;
    services->ids = ports->ids;
    services->clock = ports->clock;
    services->policy = ports->policy;
    services->workers = service_worker_pool(service);
    services->name = "taskcore";
    services->version = process_version();
    services->commit = process_commit();
    services->queue_kind = service_queue_kind(service, ports->queue);
}

enum tc_code admin_open(struct admin *admin, const char *listen, const struct service *service,
                        struct tc_metrics *metrics, struct process *process,
                        struct tc_error *err)
{
    const struct http_server_config config = { .listen = listen, .connections = CONNECTIONS };
    const struct service_ports *ports = service_ports(service);

    admin_fill_services(service, &admin->services);
    if (ports->broker) { /* its health counts here, whoever announces */
        admin->services.queue = ports->broker;
        admin->services.queue_kind = service_queue_kind(service, ports->broker);
    }
    admin->services.metrics = metrics;
    admin->services.logger = process->logger;
    admin->services.surface = HTTP_SURFACE_ADMIN;
    return process_blame(http_server_open(&config, &admin->services, &admin->server, err),
                         "TASK_ADMIN_LISTEN", err);
}

void admin_say_stopping(struct admin *admin)
{
    admin->services.draining = true;
}

void admin_close(struct admin *admin)
{
    http_server_close(admin->server);
    admin->server = NULL;
}

void admin_address(const char *listen, const struct http_server *server, char *ret_text,
                   size_t size)
{
    const char *colon = strrchr(listen, ':');
    int host_len = colon ? (int)(colon - listen) : 0;

    snprintf(ret_text, size, "%.*s:%d", host_len ? host_len : 7, host_len ? listen : "0.0.0.0",
             http_server_port(server));
}
