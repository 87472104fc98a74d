#include "adapters/worker/worker_internal.h"

#include "core/domain/container_of.h"

#include <stdlib.h>
#include <string.h>

#define SERVICE_STACK_SIZE ((size_t)512 * 1024)
#define STOP_GRACE_MS      5000
#define AHEAD_MS           500
#define HANDLERS_MAX       1000
#define QUEUES_MAX         32
#define CLOSE_WAIT_US      INT64_C(1000000)

static void pool_status(struct tc_worker_pool *pool, struct tc_worker_pool_status *ret_status)
{
    struct worker *worker = TC_CONTAINER_OF(pool, struct worker, pool);

    pthread_mutex_lock(&worker->lock);
    *ret_status = (struct tc_worker_pool_status){ .threads = worker->active,
                                                  .busy = worker->busy,
                                                  .stuck = worker->stuck };
    pthread_mutex_unlock(&worker->lock);
}

static const struct tc_worker_pool_ops worker_pool_ops = {
    .status = pool_status,
};

struct tc_worker_pool *worker_pool(struct worker *worker)
{
    return &worker->pool;
}

static int compare_entries(const void *left, const void *right)
{
    return strcmp(((const struct tc_handler_entry *)left)->type,
                  ((const struct tc_handler_entry *)right)->type);
}

/* They are sorted. */
static enum tc_code check_types_differ(const struct worker *worker, struct tc_error *err)
{
    for (size_t i = 1; i < worker->config.handler_count; i++)
        if (tc_bytes_equals(tc_bytes_of(worker->types[i - 1]), tc_bytes_of(worker->types[i])))
            return tc_fail(err, TC_INVALID, "two handlers for type '%s'", worker->types[i]);
    return TC_OK;
}

static enum tc_code check_types(const struct worker_config *config, struct tc_error *err)
{
    for (size_t i = 0; i < config->handler_count; i++)
        if (!tc_name_is_valid(tc_bytes_of(config->handlers[i].type)))
            return tc_fail(err, TC_INVALID, "a handler's type must be [a-z0-9._-]{1,64}");
    return TC_OK;
}

static enum tc_code check(const struct worker_config *config, struct tc_error *err)
{
    if (!tc_owner_is_valid(tc_bytes_of(config->owner)))
        return tc_fail(err, TC_INVALID, "owner must be 1..%d of A-Z, a-z, 0-9 and '._:@-'",
                       TC_OWNER_MAX);
    if (config->slots > WORKER_SLOTS_MAX)
        return tc_fail(err, TC_INVALID, "slots must be 0..%d", WORKER_SLOTS_MAX);
    if (config->handler_count > HANDLERS_MAX || (config->slots && !config->handler_count))
        return tc_fail(err, TC_INVALID, "there must be 1..%d handlers", HANDLERS_MAX);
    if (config->queue_count > QUEUES_MAX)
        return tc_fail(err, TC_INVALID, "there must be 0..%d queues", QUEUES_MAX);
    if (config->stop_grace_ms < 0 || config->ahead_ms < 0)
        return tc_fail(err, TC_INVALID, "stop_grace_ms and ahead_ms must not be negative");
    return check_types(config, err);
}

/* The handlers sorted by type, and room for the runners. */
static enum tc_code allocate(struct worker *worker, struct tc_error *err)
{
    size_t count = worker->config.handler_count;

    worker->handlers = calloc(count + 1, sizeof(*worker->handlers));
    worker->types = calloc(count + 1, sizeof(*worker->types));
    worker->runner_max = worker->config.slots * WORKER_THREADS_PER_SLOT;
    worker->runners = calloc(worker->runner_max + 1, sizeof(*worker->runners));
    if (!worker->handlers || !worker->types || !worker->runners)
        return tc_fail(err, TC_NO_MEMORY, "a worker of %zu slots", worker->config.slots);
    if (count > 0)
        memcpy(worker->handlers, worker->config.handlers, count * sizeof(*worker->handlers));
    qsort(worker->handlers, count, sizeof(*worker->handlers), compare_entries);
    for (size_t i = 0; i < count; i++)
        worker->types[i] = worker->handlers[i].type;
    return TC_OK;
}

static void copy_ports(struct worker *worker, const struct worker_ports *ports)
{
    worker->ports = *ports;
    worker->finish_ports = (struct tc_finish_tasks_ports){
        .leases = ports->leases,
        .events = ports->events,
        .queue = ports->queue,
        .clock = ports->clock,
        .ids = ports->ids,
        .policy = ports->policy,
    };
    worker->rescue_ports = (struct tc_rescue_tasks_ports){
        .leases = ports->leases,
        .events = ports->events,
        .queue = ports->queue,
        .clock = ports->clock,
        .policy = ports->policy,
    };
}

static pthread_cond_t *condition(struct worker *worker, size_t i)
{
    pthread_cond_t *const conditions[] = { &worker->work, &worker->room,  &worker->report,
                                           &worker->keep, &worker->watch, &worker->changed };

    return i < sizeof(conditions) / sizeof(conditions[0]) ? conditions[i] : NULL;
}

static void init(struct worker *worker)
{
    pthread_cond_t *cond;

    worker->pool.ops = &worker_pool_ops;
    worker->watch_wake_us = WORKER_NEVER_US;
    if (worker->config.stop_grace_ms == 0)
        worker->config.stop_grace_ms = STOP_GRACE_MS;
    if (worker->config.ahead_ms == 0)
        worker->config.ahead_ms = AHEAD_MS;
    pthread_mutex_init(&worker->lock, NULL);
    for (size_t i = 0; (cond = condition(worker, i)); i++)
        worker_cond_init(cond);
    for (size_t i = 0; i < worker->runner_max; i++) {
        worker->runners[i].worker = worker;
        worker_cond_init(&worker->runners[i].told);
    }
}

static void free_attempts(struct worker *worker)
{
    struct attempt *chain = NULL;

    while (worker->held)
        attempt_unhold(worker, worker->held, &chain);
    attempts_retire(worker, chain);
    while (worker->spares) {
        struct attempt *next = worker->spares->queued;

        free(worker->spares);
        worker->spares = next;
    }
}

void worker_free(struct worker *worker)
{
    pthread_cond_t *cond;

    free_attempts(worker);
    for (size_t i = 0; i < worker->runner_max; i++)
        pthread_cond_destroy(&worker->runners[i].told);
    for (size_t i = 0; (cond = condition(worker, i)); i++)
        pthread_cond_destroy(cond);
    pthread_mutex_destroy(&worker->lock);
    free(worker->handlers);
    free(worker->types);
    free(worker->runners);
    free(worker);
}

/* The lock is held. */
static bool start_threads(struct worker *worker)
{
    const struct {
        struct worker_thread *thread;
        void *(*main)(void *);
        bool needs_slots;
    } services[] = { { &worker->keeper, worker_keep_main, false },
                     { &worker->finisher, worker_finish_main, true },
                     { &worker->watcher, worker_watch_main, true },
                     { &worker->fetcher, worker_fetch_main, true } };

    worker_spawn_runners(worker);
    if (worker->active < worker->config.slots)
        return false;
    for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++)
        if ((worker->config.slots > 0 || !services[i].needs_slots) &&
            !worker_thread_start(worker, services[i].thread, SERVICE_STACK_SIZE,
                                 services[i].main, worker))
            return false;
    return true;
}

enum tc_code worker_open(const struct worker_config *config, const struct worker_ports *ports,
                         struct worker **ret_worker, struct tc_error *err)
{
    enum tc_code code = check(config, err);

    if (code != TC_OK)
        return code;

    struct worker *worker = calloc(1, sizeof(*worker));

    if (!worker)
        return tc_fail(err, TC_NO_MEMORY, "a worker");
    worker->config = *config;
    copy_ports(worker, ports);
    code = allocate(worker, err);
    if (code == TC_OK)
        code = check_types_differ(worker, err);
    if (code != TC_OK) {
        worker->runner_max = 0;
        init(worker);
        worker_free(worker);
        return code;
    }
    init(worker);
    pthread_mutex_lock(&worker->lock);

    bool started = start_threads(worker);

    pthread_mutex_unlock(&worker->lock);
    if (!started) {
        worker_close(worker);
        return tc_fail(err, TC_UNAVAILABLE, "no threads for a worker of %zu slots",
                       config->slots);
    }
    *ret_worker = worker;
    return TC_OK;
}

/* Join what has ended, leave the rest to itself. The lock is held. */
static void part_with(struct worker_thread *thread)
{
    if (thread->state == THREAD_ENDED)
        pthread_join(thread->id, NULL); /* it has given up the lock: no wait */
    else if (thread->state == THREAD_ALIVE)
        pthread_detach(thread->id);
    if (thread->state == THREAD_ENDED)
        thread->state = THREAD_NONE;
}

static void part_with_all(struct worker *worker)
{
    struct worker_thread *const services[] = { &worker->fetcher, &worker->finisher,
                                               &worker->keeper, &worker->watcher };

    for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++)
        part_with(services[i]);
    for (size_t i = 0; i < worker->runner_max; i++)
        part_with(&worker->runners[i].thread);
}

bool worker_close(struct worker *worker)
{
    pthread_cond_t *cond;

    if (!worker)
        return true;
    (void)!worker_drain(worker, 0); /* at once when it has been drained */
    pthread_mutex_lock(&worker->lock);
    worker->closing = true;
    for (size_t i = 0; (cond = condition(worker, i)); i++)
        pthread_cond_broadcast(cond);

    int64_t end_us = worker_now_us() + CLOSE_WAIT_US;

    while (worker->threads_alive > 0 && worker_now_us() < end_us)
        worker_wait_until(worker, &worker->changed, end_us);

    bool ended = worker->threads_alive == 0;

    part_with_all(worker);
    worker->closed = true;
    pthread_mutex_unlock(&worker->lock);
    if (ended)
        worker_free(worker);
    return ended;
}
