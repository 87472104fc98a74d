#include "adapters/http/http_routes.h"

static const char *const wait_params[] = { "wait_ms", NULL };
static const char *const list_params[] = { "status", "queue",         "type",
                                           "tag",    "created_after", "created_before",
                                           "limit",  "cursor",        "order",
                                           NULL };

static const struct http_route routes[] = {
    { "POST", "/api/v1/tasks", http_post_task, "Create a task", HTTP_BODY_TASK, NULL, false },
    { "GET", "/api/v1/tasks", http_list_tasks, "List tasks", HTTP_BODY_IGNORED, list_params,
      false },
    { "POST", "/api/v1/tasks/batch", http_post_batch, "Create up to 1000 tasks at once",
      HTTP_BODY_BATCH, NULL, false },
    { "GET", "/api/v1/tasks/{id}", http_get_task, "Read a task, or wait for its end",
      HTTP_BODY_IGNORED, wait_params, false },
    { "DELETE", "/api/v1/tasks/{id}", http_cancel_task, "Cancel a task", HTTP_BODY_IGNORED,
      NULL, false },
    { "GET", "/api/v1/tasks/{id}/status", http_get_task_status, "Read the status alone",
      HTTP_BODY_IGNORED, NULL, false },
    { "POST", "/api/v1/tasks/{id}/cancel", http_cancel_task, "Cancel a task", HTTP_BODY_IGNORED,
      NULL, false },
    { "POST", "/api/v1/tasks/{id}/retry", http_retry_task,
      "Run a failed or cancelled task anew", HTTP_BODY_IGNORED, NULL, false },
    { "POST", "/api/v1/tasks/{id}/heartbeat", http_heartbeat_task,
      "Renew the lease of a task, and say how far it is", HTTP_BODY_SMALL, NULL, false },
    { "POST", "/api/v1/tasks/{id}/complete", http_complete_task, "Say that a task is done",
      HTTP_BODY_RESULT, NULL, false },
    { "POST", "/api/v1/tasks/{id}/fail", http_fail_task, "Say that a task has failed",
      HTTP_BODY_SMALL, NULL, false },
    { "POST", "/api/v1/tasks/{id}/release", http_release_task, "Give a leased task back",
      HTTP_BODY_SMALL, NULL, false },
    { "POST", "/api/v1/leases", http_post_leases, "Lease tasks to a worker, or wait for some",
      HTTP_BODY_SMALL, NULL, false },
    { "POST", "/api/v1/leases/heartbeat", http_post_leases_heartbeat,
      "Renew up to 1000 leases at once", HTTP_BODY_LEASES, NULL, false },
    { "GET", "/api/v1/stats", http_get_stats, "Count tasks by queue", HTTP_BODY_IGNORED, NULL,
      false },
    { "GET", "/health", http_get_health, "Health of each part", HTTP_BODY_IGNORED, NULL, true },
    { "GET", "/livez", http_get_livez, "The process serves", HTTP_BODY_IGNORED, NULL, true },
    { "GET", "/readyz", http_get_readyz, "Tasks can be stored", HTTP_BODY_IGNORED, NULL, true },
    { "GET", "/metrics", http_get_metrics, "Metrics as Prometheus text", HTTP_BODY_IGNORED,
      NULL, true },
    { "GET", "/version", http_get_version, "Name, version, commit", HTTP_BODY_IGNORED, NULL,
      true },
    { "GET", "/openapi.json", http_get_openapi, "This interface as OpenAPI 3.1",
      HTTP_BODY_IGNORED, NULL, false },
    { "GET", "/docs", http_get_docs, "This interface as a page", HTTP_BODY_IGNORED, NULL,
      false },
    { "GET", "/swagger", http_get_docs, "The same page", HTTP_BODY_IGNORED, NULL, false },
    { "GET", "/docs/init.js", http_get_docs_init, NULL, HTTP_BODY_IGNORED, NULL, false },
    { "GET", "/docs/swagger-ui-bundle.js", http_get_docs_bundle, NULL, HTTP_BODY_IGNORED, NULL,
      false },
    { "GET", "/docs/swagger-ui.css", http_get_docs_style, NULL, HTTP_BODY_IGNORED, NULL,
      false },
    { "GET", "/", http_get_root, "Where to find what", HTTP_BODY_IGNORED, NULL, false },
};

const struct http_route *http_routes(size_t *ret_count)
{
    *ret_count = sizeof(routes) / sizeof(routes[0]);
    return routes;
}
