#ifndef TASKCORE_APPS_EMBEDDED_SERVICE_H
#define TASKCORE_APPS_EMBEDDED_SERVICE_H

/**
 * @file service.h
 * The embedded form as one object: a store in this process with its workers, wired from
 * adapters. Shared by taskapi and by the C API (taskcore.c).
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

/** Borrowed for as long as the service is open, but for `database_url`. */
struct service_config {
    const char *database_url; /**< "sqlite:PATH" or "memory:" */
    struct tc_policy policy;
    struct tc_logger *logger;   /**< NULL: silent */
    struct tc_metrics *metrics; /**< NULL: none */
};

/** The ports of the open service, for driving adapters and use cases. */
struct service_ports {
    struct tc_task_repo *repo;
    struct tc_lease_repo *leases;
    struct tc_task_queue *queue;
    struct tc_task_events *events;
    struct tc_clock *clock;
    struct tc_ids *ids;
    const struct tc_policy *policy;
};

/** True when `url` names a store that this build can open. */
bool service_knows_url(const char *url);

/**
 * Open the store and all that belongs to it; nothing runs yet.
 * @return TC_OK; TC_INVALID (bad URL, file or folder); TC_UNAVAILABLE (in use, not writable);
 *         TC_NO_MEMORY; TC_INTERNAL.
 */
enum tc_code service_open(const struct service_config *config, struct service **ret_service,
                          struct tc_error *err) TC_MUST_CHECK;

const struct service_ports *service_ports(const struct service *service);

/**
 * Start `slots` worker threads on `handlers` (borrowed), and the keeper that rescues, wakes
 * and tidies; 0 slots: the keeper alone.
 * @return TC_OK; TC_NO_MEMORY; TC_INTERNAL.
 */
enum tc_code service_start(struct service *service, size_t slots,
                           const struct tc_handler_entry *handlers, size_t handler_count,
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
