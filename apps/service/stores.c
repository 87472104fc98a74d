#include "apps/service/stores.h"

#include "ports/announcement_repo.h"

#include <string.h>

static const struct store_driver *const drivers[] = {
    &store_memory,
    &store_postgres,
    &store_sqlite,
};

static bool has_scheme(const struct store_driver *driver, const char *url)
{
    for (const char *const *scheme = driver->schemes; *scheme; scheme++)
        if (strncmp(url, *scheme, strlen(*scheme)) == 0)
            return true;
    return false;
}

static const struct store_driver *find_driver(const char *url)
{
    for (size_t i = 0; i < sizeof(drivers) / sizeof(drivers[0]); i++)
        if (has_scheme(drivers[i], url))
            return drivers[i]->knows(url) ? drivers[i] : NULL;
    return NULL;
}

bool store_knows_url(const char *url)
{
    return find_driver(url) != NULL;
}

bool store_is_shared(const char *url)
{
    const struct store_driver *driver = find_driver(url);

    return driver && driver->is_shared;
}

static enum tc_code validate(const struct store_ports *ports, struct tc_error *err)
{
    enum tc_code code = tc_task_repo_validate(ports->repo, err);

    if (code == TC_OK)
        code = tc_lease_repo_validate(ports->leases, err);
    if (code == TC_OK && ports->announcements)
        code = tc_announcement_repo_validate(ports->announcements, err);
    return code;
}

enum tc_code store_open(const struct service_config *config, struct store *ret_store,
                        struct tc_error *err)
{
    const struct store_driver *driver = find_driver(config->database_url);

    if (!driver)
        return tc_fail(err, TC_INVALID, "the address is none of " SERVICE_DATABASE_URLS);

    struct store store = { .driver = driver };
    enum tc_code code = driver->open(config, &store.handle, err);

    if (code != TC_OK)
        return code;
    driver->ports(store.handle, &store.ports);
    code = validate(&store.ports, err);
    if (code != TC_OK) {
        store_close(&store);
        return code;
    }
    *ret_store = store;
    return TC_OK;
}

void store_close(struct store *store)
{
    if (store->driver)
        store->driver->close(store->handle);
    *store = (struct store){ .driver = NULL };
}
