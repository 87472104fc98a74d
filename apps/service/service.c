#include "apps/service/service.h"

#include "adapters/decorators/coalescing_task_repo.h"
#include "adapters/decorators/metered_lease_repo.h"
#include "adapters/decorators/metered_task_repo.h"
#include "adapters/system/system_clock.h"
#include "adapters/system/system_ids.h"
#include "adapters/worker/worker.h"
#include "apps/service/queues.h"
#include "apps/service/stores.h"
#include "ports/ids.h"
#include "ports/task_events.h"

#include <assert.h>
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PROGRAM_MAX 32
#define HOST_MAX    64

static_assert(PROGRAM_MAX + 1 + HOST_MAX + 1 + 16 <= TC_OWNER_MAX, "an owner has room");

/* Reading order is opening order; closing goes back up. */
struct service {
    struct tc_policy policy;
    struct tc_ids *ids;
    struct store store;
    struct tc_task_repo *metered_repo;
    struct tc_lease_repo *metered_leases;
    struct tc_task_repo *coalescing_repo;
    struct broker broker;
    struct worker *worker;
    struct service_ports ports;
    struct tc_logger *logger;
    struct tc_metrics *metrics;
    char owner[TC_OWNER_MAX + 1];
};

bool service_knows_database_url(const char *url)
{
    return store_knows_url(url);
}

bool service_knows_queue_url(const char *url)
{
    return broker_knows_url(url);
}

bool service_database_is_shared(const char *url)
{
    return store_is_shared(url);
}

const char *service_queue_kind(const struct service *service, const struct tc_task_queue *queue)
{
    return service->broker.queue == queue && queue ? service->broker.kind : "database";
}

static bool has_queue_url(const struct service_config *config)
{
    return config->queue_url && config->queue_url[0];
}

/* What an adapter refused came from a setting, which only the caller of this file may name. */
static enum tc_code blame(enum tc_code code, const struct service_config *config,
                          const char *setting, struct tc_error *err)
{
    if (code == TC_OK || !config->names_settings || !err)
        return code;

    struct tc_error inner = *err;

    return tc_fail(err, code, "%s: %.220s", setting, inner.message);
}

static enum tc_code open_store(struct service *self, const struct service_config *config,
                               struct tc_error *err)
{
    enum tc_code code = store_open(config, &self->store, err);

    if (code != TC_OK)
        return blame(code, config, "TASK_DATABASE_URL", err);
    self->ports.leases = self->store.ports.leases;
    self->ports.announcements = self->store.ports.announcements;
    self->ports.bell = self->store.ports.queue;
    self->ports.events = self->store.ports.events;
    return TC_OK;
}

/* Metering sits inside, so that a group counts once, as the store sees it. */
static enum tc_code decorate_store(struct service *self, struct tc_error *err)
{
    struct tc_clock *clock = system_clock();
    struct tc_task_repo *repo = self->store.ports.repo;
    enum tc_code code = TC_OK;

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

/* Where a publisher announces, whoever only creates tasks never talks to the broker. */
static bool needs_broker(const struct service_config *config)
{
    return has_queue_url(config) &&
           (config->parts != SERVICE_CREATES || config->announce == SERVICE_ANNOUNCE_DIRECT);
}

static enum tc_code open_queue(struct service *self, const struct service_config *config,
                               struct tc_error *err)
{
    enum tc_code code = TC_OK;

    self->ports.queue = self->ports.bell;
    if (has_queue_url(config) && !self->ports.announcements)
        code = tc_fail(err, TC_INVALID, "a broker needs a store in PostgreSQL");
    else if (needs_broker(config))
        code = broker_open(config, &self->broker, err);
    self->ports.broker = self->broker.queue;
    if (self->ports.broker && config->announce == SERVICE_ANNOUNCE_DIRECT)
        self->ports.queue = self->ports.broker;
    return blame(code, config, "TASK_QUEUE_URL", err);
}

/* PROGRAM-HOST-NUMBER: one name per incarnation, so that no old lease is taken for ours. */
static void name_owner(struct service *self, const char *program)
{
    char host[HOST_MAX + 1] = "";

    if (gethostname(host, sizeof(host) - 1) != 0 || host[0] == '\0')
        snprintf(host, sizeof(host), "localhost");
    for (char *at = host; *at; at++)
        if (!isalnum((unsigned char)*at) && *at != '-' && *at != '.')
            *at = '-';
    snprintf(self->owner, sizeof(self->owner), "%.*s-%s-%016" PRIx64, PROGRAM_MAX,
             program ? program : "taskcore", host, tc_ids_random(self->ids));
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
    self->ports.clock = system_clock();
    self->ports.policy = &self->policy;

    enum tc_code code = system_ids_open(system_clock(), &self->ids, err);

    if (code == TC_OK)
        code = open_store(self, config, err);
    if (code == TC_OK)
        code = decorate_store(self, err);
    if (code == TC_OK)
        code = open_queue(self, config, err);
    if (code != TC_OK) {
        service_close(self);
        return code;
    }
    self->ports.ids = self->ids;
    name_owner(self, config->program);
    *ret_service = self;
    return TC_OK;
}

const struct service_ports *service_ports(const struct service *service)
{
    return &service->ports;
}

enum tc_code service_start(struct service *service, const struct service_work *work,
                           struct tc_error *err)
{
    const struct service_ports *ports = &service->ports;
    const struct worker_ports worker_ports = {
        .leases = ports->leases,
        .repo = ports->repo,
        .queue = ports->broker ? ports->broker : ports->bell,
        .events = ports->events,
        .clock = ports->clock,
        .ids = ports->ids,
        .policy = ports->policy,
        .logger = service->logger,
        .metrics = service->metrics,
    };
    const struct worker_config config = {
        .owner = service->owner,
        .slots = work->slots,
        .handlers = work->handlers,
        .handler_count = work->handler_count,
        .queues = work->queues,
        .queue_count = work->queue_count,
        .stop_grace_ms = work->stop_grace_ms,
    };

    /* The name that stands in leases: so that a log can be found for it. */
    tc_log(service->logger, TC_LOG_INFO, NULL, "working as %s", service->owner);
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
    service->ports.events->ops->interrupt(service->ports.events);
}

bool service_close(struct service *service)
{
    if (!service)
        return true;
    if (!worker_close(service->worker))
        return false;
    broker_close(&service->broker);
    coalescing_task_repo_close(service->coalescing_repo);
    metered_lease_repo_close(service->metered_leases);
    metered_task_repo_close(service->metered_repo);
    store_close(&service->store);
    system_ids_close(service->ids);
    free(service);
    return true;
}
