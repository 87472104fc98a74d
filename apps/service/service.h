#ifndef TASKCORE_APPS_SERVICE_H
#define TASKCORE_APPS_SERVICE_H

/**
 * @file service.h
 * Store, queue, events and workers as one object, wired from adapters by two URLs. Shared by
 * taskapi, taskworker, taskpublisher and the C API (apps/embedded/).
 */

#include "core/usecases/change_task.h"
#include "core/usecases/create_tasks.h"
#include "core/usecases/get_task.h"
#include "ports/handler.h"
#include "ports/lease_repo.h"
#include "ports/logger.h"
#include "ports/metrics.h"
#include "ports/worker_pool.h"

struct service;

struct kafka_option;
struct tc_announcement_repo;

/** What URLs look like, for messages. */
#define SERVICE_DATABASE_URLS "sqlite:PATH, memory: or postgresql://..."
#define SERVICE_QUEUE_URLS    "kafka://HOST:PORT,...[/PREFIX]"

/** Who tells a broker that tasks wait. */
enum service_announce {
    SERVICE_ANNOUNCE_DIRECT,    /**< whoever creates them, at once; a publisher checks later */
    SERVICE_ANNOUNCE_PUBLISHER, /**< taskpublisher alone */
};

/** What this process does with a broker's queue. */
enum service_part {
    SERVICE_CREATES = 0,   /**< creates tasks, and tells it when announced directly */
    SERVICE_RECEIVES = 1,  /**< runs workers */
    SERVICE_PUBLISHES = 2, /**< is a publisher */
};

/** Borrowed for as long as the service is open. */
struct service_config {
    const char *program;      /**< "taskapi": names connections and lease owners */
    const char *database_url; /**< SERVICE_DATABASE_URLS */
    bool transaction_pooler;  /**< PostgreSQL behind PgBouncer in transaction mode */
    const char *queue_url;    /**< SERVICE_QUEUE_URLS; NULL or "": the store's own queue */
    const struct kafka_option *kafka_options;
    size_t kafka_option_count;
    enum service_announce announce; /**< with a queue_url */
    unsigned parts;                 /**< of enum service_part */
    bool names_settings; /**< errors begin with the setting to blame: TASK_DATABASE_URL */
    struct tc_policy policy;
    struct tc_logger *logger;   /**< NULL: silent */
    struct tc_metrics *metrics; /**< NULL: none */
};

/** The ports of the open service, for driving adapters and use cases. */
struct service_ports {
    struct tc_task_repo *repo;
    struct tc_lease_repo *leases;
    struct tc_announcement_repo *announcements; /**< NULL: the store has none */
    struct tc_task_queue *queue;  /**< whom to tell of new tasks: `broker` or `bell` */
    struct tc_task_queue *bell;   /**< the store's own queue */
    struct tc_task_queue *broker; /**< NULL: this process has no business with one */
    struct tc_task_events *events;
    struct tc_clock *clock;
    struct tc_ids *ids;
    const struct tc_policy *policy;
};

/** True when `url` names a store, or a queue, that this build can open. */
bool service_knows_database_url(const char *url);
bool service_knows_queue_url(const char *url);

/** True when several processes may work on this store at the same time. */
bool service_database_is_shared(const char *url);

/** What one of the ports' queues is, for /health: "database" or "kafka". */
const char *service_queue_kind(const struct service *service,
                               const struct tc_task_queue *queue);

/**
 * Open the store and all that belongs to it; nothing runs yet.
 * @return TC_OK; TC_INVALID (bad URL, file or folder; a schema that is too old or too new);
 *         TC_UNAVAILABLE (in use, not writable, no server); TC_NO_MEMORY; TC_INTERNAL.
 */
enum tc_code service_open(const struct service_config *config, struct service **ret_service,
                          struct tc_error *err) TC_MUST_CHECK;

const struct service_ports *service_ports(const struct service *service);

/** What workers do; borrowed for as long as the service is open. */
struct service_work {
    size_t slots; /**< tasks at a time; 0: the keeper alone, which rescues, wakes and tidies */
    const struct tc_handler_entry *handlers;
    size_t handler_count;
    const char *const *queues; /**< NULL: all */
    size_t queue_count;
    int64_t stop_grace_ms; /**< how long a stopped handler keeps its slot; 0: by default */
};

/**
 * Start the worker threads and the keeper.
 * @return TC_OK; TC_INVALID (worker.h); TC_NO_MEMORY; TC_UNAVAILABLE: no more threads.
 */
enum tc_code service_start(struct service *service, const struct service_work *work,
                           struct tc_error *err) TC_MUST_CHECK;

/** What the workers are doing; NULL before service_start(). */
struct tc_worker_pool *service_worker_pool(const struct service *service);

/** As worker_drain(); nothing before service_start(). May be called again with 0 to hurry. */
void service_drain(struct service *service, int64_t drain_ms);

/** End all waits for tasks, now and to come. */
void service_interrupt_waits(struct service *service);

/**
 * Close everything in reverse order. NULL and half-open services are fine.
 * @return true; false: a handler ignores its stop and keeps its thread, so everything was
 *         left as it is, and the process had better end with _exit() (worker.h).
 */
bool service_close(struct service *service);

#endif
