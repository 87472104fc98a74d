#ifndef TASKCORE_ADAPTERS_HTTP_SERVICES_H
#define TASKCORE_ADAPTERS_HTTP_SERVICES_H

/**
 * @file http_services.h
 * What the routes need from the rest of the program, filled in by the composition root.
 *
 * Everything is borrowed and must outlive the server. Read by many threads at once; the
 * only member that changes after http_server_open() is `draining`.
 */

#include "core/domain/policy.h"

#include <stdatomic.h>

struct http_lessees;
struct tc_clock;
struct tc_ids;
struct tc_lease_repo;
struct tc_logger;
struct tc_metrics;
struct tc_task_events;
struct tc_task_queue;
struct tc_task_repo;
struct tc_worker_pool;

/** Which rows of the table of routes are served; the others are answered 404. */
enum http_surface {
    HTTP_SURFACE_API = 0, /**< all */
    HTTP_SURFACE_ADMIN,   /**< what tells of the process: health, probes, metrics, version */
};

struct http_services {
    enum http_surface surface;
    struct tc_task_repo *repo;
    struct tc_lease_repo *leases;
    struct tc_task_queue *queue;
    struct tc_task_events *events;
    struct tc_ids *ids;
    struct tc_clock *clock;
    const struct tc_policy *policy;
    struct tc_metrics *metrics;     /**< NULL: none are kept */
    struct tc_logger *logger;       /**< NULL: nothing is logged */
    struct tc_worker_pool *workers; /**< NULL: this process runs no tasks */
    struct http_lessees *lessees;   /**< NULL: who asks for leases is never kept waiting */

    const char *name;       /**< of the program: "taskcore" */
    const char *version;    /**< "0.1.0" */
    const char *commit;     /**< of the source, "unknown" when not known */
    const char *queue_kind; /**< for /health: "database" or "kafka" */
    const char *docs_dir;   /**< folder with swagger-ui-bundle.js and .css; NULL: none */

    /** Set once, when the process has been told to stop: creates and leases are refused
     *  and readiness turns 503; reads and reports go on. */
    _Atomic bool draining;
};

#endif
