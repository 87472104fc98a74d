/* sqlite:PATH: one file, one process. */
#include "adapters/sqlite/sqlite_store.h"
#include "adapters/system/system_clock.h"
#include "apps/service/store_local.h"

#include <stdlib.h>
#include <string.h>

#define SCHEME "sqlite:"

struct sqlite {
    struct sqlite_store *store;
    struct local_signals signals;
};

static bool knows(const char *url)
{
    return url[strlen(SCHEME)] != '\0';
}

static void close_store(void *store)
{
    struct sqlite *self = store;

    local_signals_close(&self->signals);
    sqlite_store_close(self->store);
    free(self);
}

static enum tc_code open_store(const struct service_config *config, void **ret_store,
                               struct tc_error *err)
{
    const struct sqlite_store_config store_config = {
        .path = config->database_url + strlen(SCHEME),
        .clock = system_clock(),
        .logger = config->logger,
    };
    struct sqlite *self = calloc(1, sizeof(*self));

    if (!self)
        return tc_fail(err, TC_NO_MEMORY, "the store");

    enum tc_code code = sqlite_store_open(&store_config, &self->store, err);

    if (code == TC_OK)
        code = local_signals_open(&self->signals, err);
    if (code != TC_OK)
        close_store(self);
    else
        *ret_store = self;
    return code;
}

static void get_ports(void *store, struct store_ports *ret_ports)
{
    struct sqlite *self = store;

    *ret_ports = (struct store_ports){
        .repo = sqlite_store_task_repo(self->store),
        .leases = sqlite_store_lease_repo(self->store),
        .queue = self->signals.queue,
        .events = self->signals.events,
    };
}

static const char *const schemes[] = { SCHEME, NULL };

const struct store_driver store_sqlite = {
    .schemes = schemes,
    .knows = knows,
    .open = open_store,
    .ports = get_ports,
    .close = close_store,
};
