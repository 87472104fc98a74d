#ifndef TASKCORE_APPS_SERVICE_STORES_H
#define TASKCORE_APPS_SERVICE_STORES_H

/** @file stores.h Which adapter stores tasks, by the scheme of TASK_DATABASE_URL. */

#include "apps/service/service.h"

/** What an open store gives; all borrowed from it. */
struct store_ports {
    struct tc_task_repo *repo;
    struct tc_lease_repo *leases;
    struct tc_announcement_repo *announcements; /**< NULL: it works with no broker */
    struct tc_task_queue *queue;                /**< wakes its receivers; carries no ids */
    struct tc_task_events *events;
};

/** One kind of store. Each is a file of its own (store_*.c) and a row in stores.c. */
struct store_driver {
    bool is_shared;                 /**< between processes */
    const char *const *schemes;     /**< "sqlite:", …; the last one is NULL */
    bool (*knows)(const char *url); /**< one that begins with a scheme of its */
    enum tc_code (*open)(const struct service_config *config, void **ret_store,
                         struct tc_error *err);
    void (*ports)(void *store, struct store_ports *ret_ports);
    void (*close)(void *store);
};

extern const struct store_driver store_memory;
extern const struct store_driver store_sqlite;
extern const struct store_driver store_postgres;

/** An open store. Zeroed it is closed. */
struct store {
    const struct store_driver *driver;
    void *handle;
    struct store_ports ports;
};

bool store_knows_url(const char *url);
bool store_is_shared(const char *url);

/** @return as service_open(). */
enum tc_code store_open(const struct service_config *config, struct store *ret_store,
                        struct tc_error *err) TC_MUST_CHECK;
void store_close(struct store *store);

#endif
