#include "apps/embedded/service.h"

#include "adapters/decorators/coalescing_task_repo.h"
#include "adapters/decorators/metered_lease_repo.h"
#include "adapters/decorators/metered_task_repo.h"
#include "adapters/local/local_task_events.h"
#include "adapters/local/local_task_queue.h"
#include "adapters/memory/memory_store.h"
#include "adapters/sqlite/sqlite_store.h"
#include "adapters/system/system_clock.h"
#include "adapters/system/system_ids.h"
#include "adapters/worker/worker.h"
#include "ports/ids.h"
#include "ports/task_events.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Reading order is opening order; closing goes back up. */
struct service {
    struct tc_policy policy;
    struct tc_ids *ids;
    const struct store_driver *driver;
    void *store;
    struct tc_task_repo *metered_repo;
    struct tc_lease_repo *metered_leases;
    struct tc_task_repo *coalescing_repo;
    struct tc_task_queue *queue;
    struct tc_task_events *events;
    struct worker *worker;
    struct service_ports ports;
    struct tc_logger *logger;
    struct tc_metrics *metrics;
    char owner[TC_OWNER_MAX + 1];
};

/* A store by the scheme of its URL. */
struct store_driver {
    const char *scheme;
    enum tc_code (*open)(const char *rest, struct tc_logger *logger, void **ret_store,
                         struct tc_error *err);
    struct tc_task_repo *(*task_repo)(void *store);
    struct tc_lease_repo *(*lease_repo)(void *store);
    void (*close)(void *store);
};

static enum tc_code memory_open(const char *rest, struct tc_logger *logger, void **ret_store,
                                struct tc_error *err)
{
    struct memory_store *store = NULL;
    enum tc_code code = memory_store_open(system_clock(), &store, err);

    (void)rest;
    (void)logger;
    if (code == TC_OK)
        *ret_store = store;
    return code;
}

static struct tc_task_repo *memory_task_repo(void *store)
{
    return memory_store_task_repo(store);
}

static struct tc_lease_repo *memory_lease_repo(void *store)
{
    return memory_store_lease_repo(store);
}

static void memory_close(void *store)
{
    memory_store_close(store);
}

static enum tc_code sqlite_open(const char *rest, struct tc_logger *logger, void **ret_store,
                                struct tc_error *err)
{
    const struct sqlite_store_config config = {
        .path = rest,
        .clock = system_clock(),
        .logger = logger,
    };
    struct sqlite_store *store = NULL;
    enum tc_code code = sqlite_store_open(&config, &store, err);

    if (code == TC_OK)
        *ret_store = store;
    return code;
}

static struct tc_task_repo *sqlite_task_repo(void *store)
{
    return sqlite_store_task_repo(store);
}

static struct tc_lease_repo *sqlite_lease_repo(void *store)
{
    return sqlite_store_lease_repo(store);
}

static void sqlite_close(void *store)
{
    sqlite_store_close(store);
}

static const struct store_driver drivers[] = {
    { "memory:", memory_open, memory_task_repo, memory_lease_repo, memory_close },
    { "sqlite:", sqlite_open, sqlite_task_repo, sqlite_lease_repo, sqlite_close },
};

static const struct store_driver *find_driver(const char *url)
{
    for (size_t i = 0; i < sizeof(drivers) / sizeof(drivers[0]); i++)
        if (strncmp(url, drivers[i].scheme, strlen(drivers[i].scheme)) == 0)
            return &drivers[i];
    return NULL;
}

bool service_knows_url(const char *url)
{
    return strcmp(url, "memory:") == 0 || (strncmp(url, "sqlite:", 7) == 0 && url[7] != '\0');
}

static enum tc_code open_store(struct service *self, const struct service_config *config,
                               struct tc_error *err)
{
    const char *url = config->database_url;

    const struct store_driver *driver = service_knows_url(url) ? find_driver(url) : NULL;

    if (!driver)
        return tc_fail(err, TC_INVALID, "'%.80s' is neither sqlite:PATH nor memory:", url);

    enum tc_code code =
        driver->open(url + strlen(driver->scheme), config->logger, &self->store, err);

    if (code != TC_OK)
        return code;
    self->driver = driver;
    code = tc_task_repo_validate(driver->task_repo(self->store), err);
    if (code == TC_OK)
        code = tc_lease_repo_validate(driver->lease_repo(self->store), err);
    return code;
}

/* Metering sits inside, so that a group counts once, as the store sees it. */
static enum tc_code decorate_store(struct service *self, struct tc_error *err)
{
    struct tc_clock *clock = system_clock();
    struct tc_task_repo *repo = self->driver->task_repo(self->store);
    enum tc_code code = TC_OK;

    self->ports.leases = self->driver->lease_repo(self->store);
    if (self->metrics) {
        code = metered_task_repo_open(repo, self->metrics, clock, &self->metered_repo, err);
        if (code == TC_OK)
            code = metered_lease_repo_open(self->ports.leases, self->metrics, clock,
                                           &self->metered_leases, err);
        if (code != TC_OK)
            return code;
        repo = self->metered_repo;
        self->ports.leases = self->metered_leases;
    }
    code = coalescing_task_repo_open(repo, &self->coalescing_repo, err);
    self->ports.repo = self->coalescing_repo;
    return code;
}

static enum tc_code open_signals(struct service *self, struct tc_error *err)
{
    enum tc_code code = local_task_queue_open(&self->queue, err);

    if (code == TC_OK)
        code = local_task_events_open(&self->events, err);
    self->ports.queue = self->queue;
    self->ports.events = self->events;
    return code;
}

enum tc_code service_open(const struct service_config *config, struct service **ret_service,
                          struct tc_error *err)
{
    struct service *self = calloc(1, sizeof(*self));

    if (!self)
        return tc_fail(err, TC_NO_MEMORY, "the service");
    self->policy = config->policy;
    self->logger = config->logger;
    self->metrics = config->metrics;

    enum tc_code code = system_ids_open(system_clock(), &self->ids, err);

    if (code == TC_OK)
        code = open_store(self, config, err);
    if (code == TC_OK)
        code = decorate_store(self, err);
    if (code == TC_OK)
        code = open_signals(self, err);
    if (code != TC_OK) {
        service_close(self);
        return code;
    }
    self->ports.clock = system_clock();
    self->ports.ids = self->ids;
    self->ports.policy = &self->policy;
    *ret_service = self;
    return TC_OK;
}

const struct service_ports *service_ports(const struct service *service)
{
    return &service->ports;
}

enum tc_code service_start(struct service *service, size_t slots,
                           const struct tc_handler_entry *handlers, size_t handler_count,
                           struct tc_error *err)
{
    const struct service_ports *ports = &service->ports;
    const struct worker_ports worker_ports = {
        .leases = ports->leases,
        .repo = ports->repo,
        .queue = ports->queue,
        .events = ports->events,
        .clock = ports->clock,
        .ids = ports->ids,
        .policy = ports->policy,
        .logger = service->logger,
        .metrics = service->metrics,
    };
    const struct worker_config config = {
        .owner = service->owner,
        .slots = slots,
        .handlers = handlers,
        .handler_count = handler_count,
    };

    /* One name per incarnation, so that no old lease is taken for ours. */
    snprintf(service->owner, sizeof(service->owner), "embedded-%016" PRIx64,
             tc_ids_random(service->ids));
    return worker_open(&config, &worker_ports, &service->worker, err);
}

struct tc_worker_pool *service_worker_pool(const struct service *service)
{
    return service->worker ? worker_pool(service->worker) : NULL;
}

void service_drain(struct service *service, int64_t drain_ms)
{
    if (service->worker)
        worker_drain(service->worker, drain_ms);
}

void service_interrupt_waits(struct service *service)
{
    service->events->ops->interrupt(service->events);
}

bool service_close(struct service *service)
{
    if (!service)
        return true;
    if (!worker_close(service->worker))
        return false;
    local_task_events_close(service->events);
    local_task_queue_close(service->queue);
    coalescing_task_repo_close(service->coalescing_repo);
    metered_lease_repo_close(service->metered_leases);
    metered_task_repo_close(service->metered_repo);
    if (service->driver)
        service->driver->close(service->store);
    system_ids_close(service->ids);
    free(service);
    return true;
}
