/* memory: tasks are forgotten when the process ends. */
#include "adapters/memory/memory_store.h"
#include "adapters/system/system_clock.h"
#include "apps/service/store_local.h"

#include <stdlib.h>
#include <string.h>

struct memory {
    struct memory_store *store;
    struct local_signals signals;
};

static bool knows(const char *url)
{
    return strcmp(url, "memory:") == 0;
}

static void close_store(void *store)
{
    struct memory *self = store;

    local_signals_close(&self->signals);
    memory_store_close(self->store);
    free(self);
}

static enum tc_code open_store(const struct service_config *config, void **ret_store,
                               struct tc_error *err)
{
    struct memory *self = calloc(1, sizeof(*self));

    (void)config;
    if (!self)
        return tc_fail(err, TC_NO_MEMORY, "the store");

    enum tc_code code = memory_store_open(system_clock(), &self->store, err);

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
    struct memory *self = store;

    *ret_ports = (struct store_ports){
        .repo = memory_store_task_repo(self->store),
        .leases = memory_store_lease_repo(self->store),
        .queue = self->signals.queue,
        .events = self->signals.events,
    };
}

static const char *const schemes[] = { "memory:", NULL };

const struct store_driver store_memory = {
    .schemes = schemes,
    .knows = knows,
    .open = open_store,
    .ports = get_ports,
    .close = close_store,
};
