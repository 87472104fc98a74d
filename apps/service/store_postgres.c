/* postgresql://…: one database for any number of processes. */
#include "adapters/postgres/postgres_store.h"
#include "apps/service/stores.h"

#include <string.h>

/* How long after a direct announcement a publisher looks whether somebody came. */
#define CHECK_AFTER_MS 15000

static bool knows(const char *url)
{
    const char *rest = strstr(url, "://");

    return rest && rest[3] != '\0';
}

static enum tc_code open_store(const struct service_config *config, void **ret_store,
                               struct tc_error *err)
{
    const struct postgres_store_config store_config = {
        .url = config->database_url,
        .name = config->program,
        .logger = config->logger,
        .transaction_pooler = config->transaction_pooler,
        .announces = config->queue_url && config->queue_url[0],
        .announce_after_ms = config->announce == SERVICE_ANNOUNCE_DIRECT ? CHECK_AFTER_MS : 0,
    };
    struct postgres_store *store = NULL;
    enum tc_code code = postgres_store_open(&store_config, &store, err);

    if (code == TC_OK)
        *ret_store = store;
    return code;
}

static void get_ports(void *store, struct store_ports *ret_ports)
{
    *ret_ports = (struct store_ports){
        .repo = postgres_store_task_repo(store),
        .leases = postgres_store_lease_repo(store),
        .announcements = postgres_store_announcement_repo(store),
        .queue = postgres_store_task_queue(store),
        .events = postgres_store_task_events(store),
    };
}

static void close_store(void *store)
{
    postgres_store_close(store);
}

static const char *const schemes[] = { "postgresql://", "postgres://", NULL };

const struct store_driver store_postgres = {
    .is_shared = true,
    .schemes = schemes,
    .knows = knows,
    .open = open_store,
    .ports = get_ports,
    .close = close_store,
};
