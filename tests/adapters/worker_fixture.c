#include "tests/adapters/worker_fixture.h"

#include "adapters/memory/memory_store.h"
#include "adapters/system/system_clock.h"
#include "adapters/system/system_ids.h"
#include "core/domain/container_of.h"
#include "core/domain/task_spec.h"
#include "ports/ids.h"
#include "ports/task_events.h"
#include "ports/task_queue.h"

#include <check.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define HANDLERS_MAX 8
#define DEADLINE_S   30

struct fixture fixture;

static struct memory_store *store;
static struct tc_error err;

/* --- events: whoever waits looks again */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static bool gate_is_open;

void fixture_changed(void)
{
    pthread_mutex_lock(&lock);
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

struct timespec fixture_in_ms(int64_t ms)
{
    struct timespec end;

    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += ms / 1000;
    end.tv_nsec += (long)(ms % 1000) * 1000000;
    if (end.tv_nsec >= 1000000000) {
        end.tv_sec++;
        end.tv_nsec -= 1000000000;
    }
    return end;
}

void await(bool (*predicate)(void *ctx), void *ctx)
{
    time_t end = fixture_in_ms(DEADLINE_S * 1000).tv_sec;

    while (!predicate(ctx)) {
        /* A change between the look and the wait is caught after 20 ms. */
        struct timespec soon = fixture_in_ms(20);

        pthread_mutex_lock(&lock);
        pthread_cond_timedwait(&changed, &lock, &soon);
        pthread_mutex_unlock(&lock);
        ck_assert_msg(fixture_in_ms(0).tv_sec <= end, "waited %d s in vain", DEADLINE_S);
    }
}

void gate_wait(void)
{
    pthread_mutex_lock(&lock);
    while (!gate_is_open)
        pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
}

void gate_open(void)
{
    pthread_mutex_lock(&lock);
    gate_is_open = true;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

/* --- handlers */

static struct test_handler {
    struct tc_handler base;
    test_run_fn *fn;
} handlers[HANDLERS_MAX];
static struct tc_handler_entry entries[HANDLERS_MAX];
static size_t handler_count;

static void run_fn(struct tc_handler *handler, struct tc_run *run, struct tc_report *ret_report)
{
    TC_CONTAINER_OF(handler, struct test_handler, base)->fn(run, ret_report);
}

static const struct tc_handler_ops handler_ops = { .run = run_fn };

void fixture_handle(const char *type, test_run_fn *fn)
{
    handlers[handler_count] = (struct test_handler){ { &handler_ops }, fn };
    entries[handler_count] = (struct tc_handler_entry){ type, &handlers[handler_count].base };
    handler_count++;
}

/* --- the whole */

void fixture_open(void)
{
    memset(&fixture, 0, sizeof(fixture));
    gate_is_open = false;
    handler_count = 0;
    ck_assert_int_eq(memory_store_open(system_clock(), &store, &err), TC_OK);
    ck_assert_int_eq(system_ids_open(system_clock(), &fixture.ids, &err), TC_OK);
    fixture.repo = memory_store_task_repo(store);
    fixture.inner = memory_store_lease_repo(store);
    fixture.leases = &fixture_leases;
    fixture.policy = tc_policy_default();
    fixture.policy.retry_min_ms = 1;
    fixture.policy.retry_max_ms = 2;
    fixture.config = (struct worker_config){ .owner = "test" };
}

void fixture_close(void)
{
    gate_open();
    ck_assert(worker_close(fixture.worker));
    system_ids_close(fixture.ids);
    memory_store_close(store);
}

void fixture_start(size_t slots)
{
    struct worker_ports ports = { .leases = fixture.leases,
                                  .repo = fixture.repo,
                                  .queue = &fixture_queue,
                                  .events = &fixture_events,
                                  .clock = system_clock(),
                                  .ids = fixture.ids,
                                  .policy = &fixture.policy };

    fixture.config.slots = slots;
    fixture.config.handlers = entries;
    fixture.config.handler_count = handler_count;
    ck_assert_int_eq(worker_open(&fixture.config, &ports, &fixture.worker, &err), TC_OK);
}

static struct tc_task make_task(const char *type, struct tc_id id)
{
    int64_t now_ms = tc_clock_now_ms(system_clock());
    struct tc_task task = { .id = id,
                            .status = TC_STATUS_NEW,
                            .queue = TC_DEFAULT_QUEUE,
                            .max_attempts = 3,
                            .max_crashes = 3,
                            .created_at_ms = now_ms,
                            .updated_at_ms = now_ms,
                            .run_at_ms = now_ms,
                            .timeout_ms = 60000,
                            .payload = { TC_CONTENT_JSON, tc_bytes_of("\"x\"") } };

    memcpy(task.type, type, strlen(type) + 1);
    return task;
}

static void store_tasks(const struct tc_task *tasks, size_t count)
{
    struct tc_creation creation = { .tasks = tasks, .task_count = count };
    struct tc_inserted inserted;

    ck_assert_int_eq(fixture.repo->ops->insert(fixture.repo, &creation, 1, &inserted, &err),
                     TC_OK);
    tc_inserted_release(&inserted);
    tc_task_queue_tell_look(&fixture_queue);
}

struct tc_id fixture_create_as(const char *type, int max_attempts, int64_t timeout_ms,
                               int64_t delay_ms)
{
    struct tc_id id;

    tc_ids_make(fixture.ids, 1, &id);

    struct tc_task task = make_task(type, id);

    task.max_attempts = max_attempts;
    task.timeout_ms = timeout_ms;
    task.run_at_ms += delay_ms;
    task.status = delay_ms > 0 ? TC_STATUS_SCHEDULED : TC_STATUS_NEW;
    store_tasks(&task, 1);
    return id;
}

struct tc_id fixture_create(const char *type)
{
    return fixture_create_as(type, 3, 60000, 0);
}

void fixture_create_many(const char *type, size_t count, struct tc_id *ret_ids)
{
    struct tc_task *tasks = calloc(count, sizeof(*tasks));

    ck_assert_ptr_nonnull(tasks);
    tc_ids_make(fixture.ids, count, ret_ids);
    for (size_t i = 0; i < count; i++)
        tasks[i] = make_task(type, ret_ids[i]);
    store_tasks(tasks, count);
    free(tasks);
}

struct tc_task fixture_get(struct tc_id id)
{
    struct tc_task task;

    ck_assert_int_eq(fixture.repo->ops->get(fixture.repo, &id, &task, &err), TC_OK);
    return task;
}

struct wanted {
    struct tc_id id;
    enum tc_status status;
};

static bool has_status(void *ctx)
{
    const struct wanted *wanted = ctx;
    struct tc_task task = fixture_get(wanted->id);
    bool has = task.status == wanted->status;

    tc_task_release(&task);
    return has;
}

void await_status(struct tc_id id, enum tc_status status)
{
    struct wanted wanted = { id, status };

    await(has_status, &wanted);
}

struct least {
    _Atomic int *counter;
    int least;
};

static bool has_count(void *ctx)
{
    const struct least *least = ctx;

    return atomic_load(least->counter) >= least->least;
}

void await_count(_Atomic int *counter, int least)
{
    struct least wanted = { counter, least };

    await(has_count, &wanted);
}

struct tc_worker_pool_status fixture_pool(void)
{
    struct tc_worker_pool *pool = worker_pool(fixture.worker);
    struct tc_worker_pool_status status;

    pool->ops->status(pool, &status);
    return status;
}
