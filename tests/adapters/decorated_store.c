#include "tests/adapters/decorated_store.h"

#include "adapters/decorators/coalescing_task_repo.h"
#include "adapters/decorators/metered_lease_repo.h"
#include "adapters/decorators/metered_task_repo.h"
#include "adapters/memory/memory_store.h"
#include "adapters/metrics/prometheus_metrics.h"

#include <stdlib.h>

struct decorated {
    struct memory_store *memory;
    struct tc_metrics *metrics;
    struct tc_task_repo *metered;
    struct tc_task_repo *tasks;
    struct tc_lease_repo *leases;
};

static void close_all(struct decorated *all)
{
    coalescing_task_repo_close(all->tasks);
    metered_task_repo_close(all->metered);
    metered_lease_repo_close(all->leases);
    prometheus_metrics_close(all->metrics);
    memory_store_close(all->memory);
    free(all);
}

static enum tc_code open_all(struct decorated *all, struct tc_clock *clock,
                             struct tc_error *err)
{
    enum tc_code code = memory_store_open(clock, &all->memory, err);

    if (code == TC_OK)
        code = prometheus_metrics_open(&all->metrics, err);
    if (code == TC_OK)
        code = metered_task_repo_open(memory_store_task_repo(all->memory), all->metrics, clock,
                                      &all->metered, err);
    if (code == TC_OK)
        code = coalescing_task_repo_open(all->metered, &all->tasks, err);
    if (code == TC_OK)
        code = metered_lease_repo_open(memory_store_lease_repo(all->memory), all->metrics,
                                       clock, &all->leases, err);
    return code;
}

static enum tc_code open_store(struct tc_clock *clock, struct store_under_test *ret_store,
                               struct tc_error *err)
{
    struct decorated *all = calloc(1, sizeof(*all));
    enum tc_code code =
        all ? open_all(all, clock, err) : tc_fail(err, TC_NO_MEMORY, "the decorated store");

    if (code != TC_OK) {
        if (all)
            close_all(all);
        return code;
    }
    *ret_store =
        (struct store_under_test){ .tasks = all->tasks, .leases = all->leases, .ctx = all };
    return TC_OK;
}

static void close_store(struct store_under_test *decorated)
{
    close_all(decorated->ctx);
}

const struct store_driver decorated_store_driver = {
    .name = "the memory store behind the decorators",
    .open = open_store,
    .close = close_store,
};
