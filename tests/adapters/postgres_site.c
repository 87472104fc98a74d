#include "tests/adapters/postgres_site.h"

#include <stdio.h>
#include <string.h>

static struct postgres_store *postgres;

static void close_store(void)
{
    postgres_store_close(postgres);
    postgres = NULL;
}

void postgres_site_open(struct postgres_store_config config)
{
    close_store();
    if (!config.url)
        config.url = postgres_server_url();
    if (!config.clock)
        config.clock = &store.clock.base;
    ck_assert_msg(postgres_store_open(&config, &postgres, &store.err) == TC_OK, "open: %s",
                  store.err.message);
    store.tasks = postgres_store_task_repo(postgres);
    store.leases = postgres_store_lease_repo(postgres);
}

void postgres_site_open_as(const char *role)
{
    static char url[600];
    const char *mark = strchr(postgres_server_url(), '?') ? "&" : "?";

    snprintf(url, sizeof(url), "%s%soptions=-c%%20role%%3D%s", postgres_server_url(), mark,
             role);
    postgres_site_open((struct postgres_store_config){ .url = url });
}

void postgres_site_setup(void)
{
    postgres_server_empty();
    fake_clock_init(&store.clock, STORE_START_MS);
    postgres_site_open((struct postgres_store_config){ .url = NULL });
}

void postgres_site_teardown(void)
{
    close_store();
}
