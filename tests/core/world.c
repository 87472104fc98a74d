#include "tests/core/world.h"

#include "core/usecases/claim_tasks.h"

#include <string.h>

const struct world_fault world_faults[WORLD_FAULT_COUNT] = {
    { "not reachable", TC_UNAVAILABLE, FAULT_BEFORE },
    { "unknown, not applied", TC_UNKNOWN, FAULT_BEFORE },
    { "unknown, but applied", TC_UNKNOWN, FAULT_AFTER },
};

void world_open(struct world *world)
{
    memset(world, 0, sizeof(*world));
    fake_clock_init(&world->clock, WORLD_NOW);
    fake_ids_init(&world->ids, &world->clock.base);
    fake_queue_init(&world->queue);
    fake_events_init(&world->events, &world->clock);
    world->policy = tc_policy_default();
    ck_assert_int_eq(memory_store_open(&world->clock.base, &world->store, &world->err), TC_OK);
    world->repo = memory_store_task_repo(world->store);
    world_break(world, -1, TC_OK, FAULT_BEFORE);
}

void world_close(struct world *world)
{
    memory_store_close(world->store);
    world->store = NULL;
}

void world_break(struct world *world, int nth, enum tc_code code, enum fault_kind kind)
{
    struct fault_plan plan = { .nth = nth, .code = code, .kind = kind };

    fault_task_repo_init(&world->tasks, world->repo, plan);
    fault_lease_repo_init(&world->leases, memory_store_lease_repo(world->store), plan);
    fault_announcement_repo_init(&world->announcements,
                                 memory_store_announcement_repo(world->store), plan);
}

int world_fired(const struct world *world)
{
    return world->tasks.plan.fired + world->leases.plan.fired + world->announcements.plan.fired;
}

struct tc_create_tasks_ports world_create_ports(struct world *world)
{
    return (struct tc_create_tasks_ports){ &world->tasks.base, &world->queue.base,
                                           &world->ids.base, &world->policy };
}

struct tc_get_task_ports world_get_ports(struct world *world)
{
    return (struct tc_get_task_ports){ &world->tasks.base, &world->events.base,
                                       &world->clock.base };
}

struct tc_change_task_ports world_change_ports(struct world *world)
{
    return (struct tc_change_task_ports){ &world->tasks.base, &world->events.base,
                                          &world->queue.base };
}

struct tc_finish_tasks_ports world_finish_ports(struct world *world)
{
    return (struct tc_finish_tasks_ports){ &world->leases.base, &world->events.base,
                                           &world->queue.base,  &world->clock.base,
                                           &world->ids.base,    &world->policy };
}

struct tc_rescue_tasks_ports world_rescue_ports(struct world *world)
{
    return (struct tc_rescue_tasks_ports){ &world->leases.base, &world->events.base,
                                           &world->queue.base, &world->clock.base,
                                           &world->policy };
}

struct tc_announce_tasks_ports world_announce_ports(struct world *world)
{
    return (struct tc_announce_tasks_ports){ &world->announcements.base, &world->queue.base };
}

struct tc_task_spec world_spec(void)
{
    struct tc_task_spec spec;

    tc_task_spec_init(&spec);
    spec.type = tc_bytes_of("email");
    spec.payload = (struct tc_content){ TC_CONTENT_JSON, tc_bytes_of("{\"to\":\"a\"}") };
    return spec;
}

struct tc_id world_create(struct world *world, const struct tc_task_spec *spec)
{
    struct tc_create_tasks_ports ports = world_create_ports(world);
    struct tc_create_tasks_input input = { .specs = spec, .count = 1 };
    struct tc_create_tasks_result result;

    ck_assert_int_eq(tc_create_tasks(&ports, &input, &result, &world->err), TC_OK);
    ck_assert_int_eq(result.verdict, TC_INSERT_CREATED);

    struct tc_id id = result.first_id;

    tc_create_tasks_result_release(&result);
    return id;
}

struct tc_task world_claim(struct world *world)
{
    struct tc_claim claim = { .owner = WORLD_OWNER, .max = 1 };
    struct tc_task task;
    size_t count = 0;

    ck_assert_int_eq(
        tc_claim_tasks(&world->leases.base, &world->policy, &claim, &task, &count, &world->err),
        TC_OK);
    ck_assert_uint_eq(count, 1);
    return task;
}

struct tc_verdict world_finish(struct world *world, const struct tc_task *task,
                               const struct tc_report *report)
{
    struct tc_finish_tasks_ports ports = world_finish_ports(world);
    struct tc_finished_run run = { task, report };
    struct tc_verdict verdict;

    ck_assert_int_eq(tc_finish_tasks(&ports, &run, 1, &verdict, &world->err), TC_OK);
    return verdict;
}

static void finish_as(struct world *world, enum tc_report_kind kind)
{
    struct tc_report report = { .kind = kind,
                                .reason = TC_REASON_HANDLER,
                                .message = tc_bytes_of("no") };
    struct tc_task task = world_claim(world);

    ck_assert_int_eq(world_finish(world, &task, &report).kind, TC_VERDICT_APPLIED);
    tc_task_release(&task);
}

static void announce(struct world *world, const struct tc_id *id)
{
    struct tc_change change = { .id = *id,
                                .from = tc_status_sources(TC_STATUS_PENDING, TC_CAUSE_ANNOUNCE),
                                .to = TC_STATUS_PENDING };
    struct tc_task task;

    ck_assert_int_eq(world->repo->ops->change(world->repo, &change, &task, &world->err), TC_OK);
    tc_task_release(&task);
}

static void cancel(struct world *world, const struct tc_id *id)
{
    struct tc_change_task_ports ports = world_change_ports(world);
    struct tc_task task;

    ck_assert_int_eq(tc_cancel_task(&ports, id, &task, &world->err), TC_OK);
    tc_task_release(&task);
}

struct tc_id world_create_in(struct world *world, enum tc_status status)
{
    struct tc_task_spec spec = world_spec();

    if (status == TC_STATUS_SCHEDULED)
        spec.delay_ms = 60000;

    struct tc_id id = world_create(world, &spec);
    struct tc_task task;

    if (status == TC_STATUS_PENDING)
        announce(world, &id);
    if (status == TC_STATUS_PROCESSING || status == TC_STATUS_CANCELLED) {
        task = world_claim(world);
        tc_task_release(&task);
    }
    if (status == TC_STATUS_CANCELLED)
        cancel(world, &id);
    if (status == TC_STATUS_DONE)
        finish_as(world, TC_REPORT_DONE);
    if (status == TC_STATUS_FAILED)
        finish_as(world, TC_REPORT_FAILED);
    ck_assert_int_eq(world_peek(world, &id).status, status);
    return id;
}

struct tc_task world_get(struct world *world, const struct tc_id *id)
{
    struct tc_task task;

    ck_assert_int_eq(world->repo->ops->get(world->repo, id, &task, &world->err), TC_OK);
    return task;
}

struct tc_task world_peek(struct world *world, const struct tc_id *id)
{
    struct tc_task task = world_get(world, id);
    struct tc_task copy = task;

    tc_task_release(&task);
    copy.storage = NULL;
    copy.payload.bytes = copy.result.bytes = copy.progress = (struct tc_bytes){ 0 };
    copy.error.message = (struct tc_bytes){ 0 };
    memset(copy.tags, 0, sizeof(copy.tags));
    return copy;
}

size_t world_count(struct world *world)
{
    struct tc_task_filter filter = { .statuses = TC_STATUS_SET_ALL,
                                     .created_after_ms = -1,
                                     .created_before_ms = -1,
                                     .limit = TC_PAGE_LIMIT_MAX,
                                     .large = 4096 };
    struct tc_task_page page;

    ck_assert_int_eq(world->repo->ops->list(world->repo, &filter, &page, &world->err), TC_OK);

    size_t count = page.count;

    tc_task_page_release(&page);
    return count;
}

void world_each_call(const struct world_fault *fault,
                     void (*scenario)(struct world *world, const struct world_fault *fault,
                                      int nth))
{
    static struct world world;
    int fired;
    int nth = 0;

    do {
        world_open(&world);
        scenario(&world, fault, nth);
        fired = world_fired(&world);
        world_close(&world);
        ck_assert_msg(nth > 0 || fired > 0, "%s: nothing ever failed", fault->why);
        nth++;
    } while (fired);
}
