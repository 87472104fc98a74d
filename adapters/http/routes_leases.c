#include "adapters/http/http_lessees.h"
#include "adapters/http/http_routes.h"
#include "adapters/http/lease_input.h"
#include "adapters/http/task_json.h"
#include "core/usecases/claim_tasks.h"
#include "core/usecases/heartbeat_tasks.h"

#include <stdlib.h>

static const char lost_claim[] =
    "the store's answer was lost: tasks may have been leased to this worker; they come back "
    "when their leases end";
static const char lost_beats[] =
    "the store's answer was lost: the leases may have been renewed; doing it again is safe";

/* One request for leases on its way through the waiting room. */
struct lessee {
    const struct http_call *call;
    const struct tc_claim *claim;
    struct tc_task *tasks; /* room for claim->max */
    size_t count;
    enum tc_code code;
    struct tc_error err;
};

/* Claim only for who is still there: what goes to one who left waits for its lease to end. */
static enum http_look look(void *ctx, bool is_first)
{
    struct lessee *lessee = ctx;
    const struct http_services *services = lessee->call->services;
    const struct http_request *request = lessee->call->request;

    if (!is_first && request->has_left && request->has_left(request->connection))
        return HTTP_LOOK_LEFT;
    lessee->code = tc_claim_tasks(services->leases, services->policy, lessee->claim,
                                  lessee->tasks, &lessee->count, &lessee->err);
    if (lessee->code != TC_OK)
        return HTTP_LOOK_FAILED;
    if (lessee->count == 0)
        return HTTP_LOOK_EMPTY;
    return lessee->count == lessee->claim->max ? HTTP_LOOK_FULL : HTTP_LOOK_SOME;
}

static void look_or_wait(struct lessee *lessee, const struct lease_wish *wish)
{
    const struct http_lessee_wish wanted = {
        .queues = wish->queues.items,
        .queue_count = wish->queues.count,
        .types = wish->types.items,
        .type_count = wish->types.count,
    };
    struct http_lessees *lessees = lessee->call->services->lessees;

    if (lessees && lessee->call->request->may_wait)
        http_lessees_wait(lessees, &wanted, wish->wait_ms, look, lessee);
    else
        look(lessee, true);
}

static void answer_leased(struct http_call *call, const struct tc_task *tasks, size_t count)
{
    static const struct task_json_options whole = { 0 };
    size_t size = 16;

    for (size_t i = 0; i < count; i++)
        size += task_json_size(&tasks[i]);

    struct json_writer writer = http_call_json(call, 200, size);

    json_open_object(&writer);
    json_key(&writer, "tasks");
    json_open_array(&writer);
    for (size_t i = 0; i < count; i++)
        task_json_write(&writer, &tasks[i], &whole);
    json_close_array(&writer);
    json_close_object(&writer);
}

static void lease(struct http_call *call, const struct lease_wish *wish)
{
    const struct tc_claim claim = {
        .owner = wish->worker,
        .queues = wish->queues.items,
        .queue_count = wish->queues.count,
        .types = wish->types.items,
        .type_count = wish->types.count,
        .max = (size_t)wish->max,
        .lease_ms = wish->lease_ms,
    };
    struct lessee lessee = { .call = call, .claim = &claim };

    lessee.tasks = calloc(claim.max, sizeof(*lessee.tasks));
    if (!lessee.tasks) {
        http_call_refuse(call, HTTP_UNAVAILABLE, "the service is out of memory");
        return;
    }
    look_or_wait(&lessee, wish);
    if (lessee.code == TC_OK)
        answer_leased(call, lessee.tasks, lessee.count);
    else
        http_call_fail(call, lessee.code, &lessee.err, lost_claim);
    for (size_t i = 0; i < lessee.count; i++)
        tc_task_release(&lessee.tasks[i]);
    free(lessee.tasks);
}

void http_post_leases(struct http_call *call)
{
    struct lease_wish wish;
    struct body_input input;

    if (atomic_load_explicit(&call->services->draining, memory_order_relaxed)) {
        http_call_refuse(call, HTTP_UNAVAILABLE, "this process is being stopped");
        return;
    }
    if (lease_input_wish(call, &wish, &input))
        lease(call, &wish);
    body_input_release(&input);
}

/* --- heartbeats of many */

static void answer_beats(struct http_call *call, const struct lease_named *leases,
                         const struct tc_renewed *renewed, size_t count)
{
    struct json_writer writer = http_call_json(call, 200, 16 + count * 96);
    char id[TC_ID_TEXT_SIZE];

    json_open_object(&writer);
    json_key(&writer, "leases");
    json_open_array(&writer);
    for (size_t i = 0; i < count; i++) {
        bool is_stale = renewed[i].stale != TC_STALE_NONE;

        tc_id_format(&leases[i].id, id);
        json_open_object(&writer);
        json_member(&writer, "id", id);
        json_member(&writer, "status", is_stale ? "stale" : "ok");
        if (is_stale)
            json_member(&writer, "reason", tc_stale_reason_name(renewed[i].stale));
        json_close_object(&writer);
    }
    json_close_array(&writer);
    json_close_object(&writer);
}

static void renew(struct http_call *call, const struct lease_beats *beats)
{
    const struct lease_named *leases = beats->leases.data;
    size_t count = beats->leases.count;
    struct tc_renewal *renewals = calloc(count, sizeof(*renewals));
    struct tc_renewed *renewed = calloc(count, sizeof(*renewed));
    struct tc_error err = { 0 };
    enum tc_code code = TC_NO_MEMORY;

    if (renewals && renewed) {
        for (size_t i = 0; i < count; i++)
            renewals[i] = (struct tc_renewal){ .id = leases[i].id,
                                               .epoch = leases[i].epoch,
                                               .lease_ms = beats->lease_ms };
        code = tc_heartbeat_tasks(call->services->leases, renewals, count, renewed, &err);
    }
    if (code == TC_OK)
        answer_beats(call, leases, renewed, count);
    else
        http_call_fail(call, code, &err, lost_beats);
    free(renewals);
    free(renewed);
}

void http_post_leases_heartbeat(struct http_call *call)
{
    struct lease_beats beats;
    struct body_input input;

    if (lease_input_beats(call, &beats, &input))
        renew(call, &beats);
    body_input_release(&input);
}
