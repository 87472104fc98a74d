#include "adapters/http/http_routes.h"
#include "core/usecases/store_status.h"
#include "ports/clock.h"
#include "ports/metrics.h"
#include "ports/task_queue.h"
#include "ports/worker_pool.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static const struct tc_metric tasks_gauge = {
    .name = "taskcore_tasks",
    .help = "Tasks by queue and status; done and cancelled ones are not counted.",
    .kind = TC_METRIC_GAUGE,
    .labels = { "queue", "status" },
};

static const struct tc_metric oldest_gauge = {
    .name = "taskcore_oldest_waiting_seconds",
    .help = "How long the oldest waiting task of a queue has waited.",
    .kind = TC_METRIC_GAUGE,
    .labels = { "queue" },
};

/* Gauges are dropped and set anew: two scrapes at once must not see each other's half. */
static pthread_mutex_t scrape_lock = PTHREAD_MUTEX_INITIALIZER;

static int64_t waited_ms(const struct http_services *services, const struct tc_queue_count *row)
{
    int64_t ms = tc_clock_now_ms(services->clock) - row->oldest_waiting_ms;

    return ms > 0 ? ms : 0;
}

static void write_queue(struct json_writer *writer, const struct http_services *services,
                        const struct tc_queue_count *row)
{
    json_open_object(writer);
    json_member(writer, "queue", row->queue);
    json_member_int(writer, "waiting", row->waiting);
    json_member_int(writer, "processing", row->processing);
    json_member_int(writer, "scheduled", row->scheduled);
    json_member_int(writer, "failed", row->failed);
    json_key(writer, "oldest_waiting_ms");
    if (row->oldest_waiting_ms == 0)
        json_null(writer);
    else
        json_int(writer, waited_ms(services, row));
    json_close_object(writer);
}

void http_get_stats(struct http_call *call)
{
    const struct http_services *services = call->services;
    struct tc_queue_count *rows = NULL;
    struct tc_error err = { 0 };
    size_t count = 0;

    if (http_call_is_invalid(call))
        return;

    enum tc_code code = tc_count_tasks(services->repo, &rows, &count, &err);

    if (code != TC_OK) {
        http_call_fail(call, code, &err, "the store's answer was lost");
        return;
    }

    struct json_writer writer = http_call_json(call, 200, 32 + count * 200);

    json_open_object(&writer);
    json_key(&writer, "queues");
    json_open_array(&writer);
    for (size_t i = 0; i < count; i++)
        write_queue(&writer, services, &rows[i]);
    json_close_array(&writer);
    json_close_object(&writer);
    free(rows);
}

/* What /health says of each part. */
struct health {
    struct tc_store_health store;
    bool queue_up;
    struct tc_worker_pool_status workers;
    const char *workers_status; /* up, down, none */
};

/* A queue that is the database is as well as that; another one is asked to take a hint. */
static bool queue_is_up(const struct http_services *services, bool store_up)
{
    struct tc_task_queue *queue = services->queue;

    if (strcmp(services->queue_kind, "database") == 0)
        return store_up;
    return queue->ops->publish(queue, NULL, 0, NULL) == TC_OK;
}

static struct health look_at(const struct http_services *services)
{
    struct health health = { .workers_status = "none" };

    health.store = tc_check_store(services->repo, services->clock, NULL);
    health.queue_up = queue_is_up(services, health.store.up);
    if (services->workers)
        services->workers->ops->status(services->workers, &health.workers);
    if (health.workers.threads > 0)
        health.workers_status = "up";
    else if (health.workers.stuck > 0)
        health.workers_status = "down"; /* every thread hangs in a handler */
    return health;
}

static const char *summary_of(const struct health *health)
{
    if (!health->store.up)
        return "unhealthy";
    if (!health->queue_up || strcmp(health->workers_status, "down") == 0)
        return "degraded";
    return "healthy";
}

static void write_checks(struct json_writer *writer, const struct health *health,
                         const char *queue_kind)
{
    json_key(writer, "database");
    json_open_object(writer);
    json_member(writer, "status", health->store.up ? "up" : "down");
    json_member_int(writer, "latency_ms", health->store.latency_ms);
    json_close_object(writer);
    json_key(writer, "queue");
    json_open_object(writer);
    json_member(writer, "status", health->queue_up ? "up" : "down");
    json_member(writer, "kind", queue_kind);
    json_close_object(writer);
    json_key(writer, "workers");
    json_open_object(writer);
    json_member(writer, "status", health->workers_status);
    json_member_int(writer, "threads", (int64_t)health->workers.threads);
    json_member_int(writer, "busy", (int64_t)health->workers.busy);
    json_close_object(writer);
}

void http_get_health(struct http_call *call)
{
    const struct http_services *services = call->services;

    if (http_call_is_invalid(call))
        return;

    struct health health = look_at(services);
    struct json_writer writer = http_call_json(call, health.store.up ? 200 : 503, 256);

    json_open_object(&writer);
    json_member(&writer, "status", summary_of(&health));
    json_key(&writer, "checks");
    json_open_object(&writer);
    write_checks(&writer, &health, services->queue_kind);
    json_close_object(&writer);
    json_close_object(&writer);
}

static void answer_status(struct http_call *call, const char *status)
{
    struct json_writer writer = http_call_json(call, 200, 64);

    json_open_object(&writer);
    json_member(&writer, "status", status);
    json_close_object(&writer);
}

void http_get_livez(struct http_call *call)
{
    if (!http_call_is_invalid(call))
        answer_status(call, "alive");
}

void http_get_readyz(struct http_call *call)
{
    const struct http_services *services = call->services;

    if (http_call_is_invalid(call))
        return;
    if (atomic_load_explicit(&services->draining, memory_order_relaxed))
        http_call_refuse(call, HTTP_UNAVAILABLE, "this process is being stopped");
    else if (!tc_check_store(services->repo, services->clock, NULL).up)
        http_call_refuse(call, HTTP_UNAVAILABLE, "tasks cannot be stored");
    else
        answer_status(call, "ready");
}

void http_get_version(struct http_call *call)
{
    const struct http_services *services = call->services;

    if (http_call_is_invalid(call))
        return;

    struct json_writer writer = http_call_json(call, 200, 128);

    json_open_object(&writer);
    json_member(&writer, "name", services->name);
    json_member(&writer, "version", services->version);
    json_member(&writer, "commit", services->commit);
    json_close_object(&writer);
}

static void set_gauges(const struct http_services *services)
{
    struct tc_metrics *metrics = services->metrics;
    struct tc_queue_count *rows = NULL;
    size_t count = 0;

    /* A store that is away leaves no numbers rather than old ones. */
    metrics->ops->clear(metrics, &tasks_gauge);
    metrics->ops->clear(metrics, &oldest_gauge);
    if (tc_count_tasks(services->repo, &rows, &count, NULL) != TC_OK)
        return;
    for (size_t i = 0; i < count; i++) {
        const struct tc_queue_count *row = &rows[i];
        int64_t ms = row->oldest_waiting_ms == 0 ? 0 : waited_ms(services, row);

        tc_metrics_record(metrics, &tasks_gauge, row->queue, "waiting", (double)row->waiting);
        tc_metrics_record(metrics, &tasks_gauge, row->queue, "processing",
                          (double)row->processing);
        tc_metrics_record(metrics, &tasks_gauge, row->queue, "scheduled",
                          (double)row->scheduled);
        tc_metrics_record(metrics, &tasks_gauge, row->queue, "failed", (double)row->failed);
        tc_metrics_record(metrics, &oldest_gauge, row->queue, NULL, (double)ms / 1000.0);
    }
    free(rows);
}

void http_get_metrics(struct http_call *call)
{
    struct tc_metrics *metrics = call->services->metrics;
    struct http_response *response = call->response;
    struct http_buffer body = { 0 };

    if (http_call_is_invalid(call))
        return;
    if (metrics) {
        pthread_mutex_lock(&scrape_lock);
        /* How much waits is the same whoever tells it: that is left to the API. */
        if (call->services->surface == HTTP_SURFACE_API)
            set_gauges(call->services);
        body.data = metrics->ops->render(metrics, &body.len);
        pthread_mutex_unlock(&scrape_lock);
        body.size = body.len;
        body.failed = body.data == NULL;
    }
    response->status = 200;
    response->content_type = "text/plain; version=0.0.4; charset=utf-8";
    response->body = body;
}
