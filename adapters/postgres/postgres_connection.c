#include "adapters/postgres/postgres_wire.h"

#include <stdlib.h>

enum tc_code postgres_connection_new(const struct postgres_connection_config *config,
                                     struct postgres_connection **ret_connection,
                                     struct tc_error *err)
{
    enum tc_code code = postgres_check_url(config->url, err);

    if (code != TC_OK)
        return code;

    struct postgres_connection *connection = calloc(1, sizeof(*connection));

    if (!connection)
        return tc_fail(err, TC_NO_MEMORY, "postgres: a connection");
    connection->config = *config;
    *ret_connection = connection;
    return TC_OK;
}

void postgres_connection_free(struct postgres_connection *connection)
{
    if (!connection)
        return;
    PQfinish(connection->pg);
    free(connection);
}

bool postgres_is_connected(const struct postgres_connection *connection)
{
    return connection->pg;
}

uint64_t postgres_generation(const struct postgres_connection *connection)
{
    return connection->generation;
}

void postgres_disconnect(struct postgres_connection *connection)
{
    postgres_lose(connection);
    connection->backoff_ms = 0;
}

int postgres_socket(const struct postgres_connection *connection)
{
    return connection->pg ? PQsocket(connection->pg) : -1;
}

const char *postgres_sqlstate(const struct postgres_connection *connection)
{
    return connection->sqlstate;
}

enum tc_code postgres_next_notify(struct postgres_connection *connection, PGnotify **ret_notify,
                                  struct tc_error *err)
{
    if (!connection->pg)
        return tc_fail(err, TC_UNAVAILABLE, "postgres: not connected");
    if (!PQconsumeInput(connection->pg))
        return postgres_fail_lost(connection, false, true, err);
    *ret_notify = PQnotifies(connection->pg);
    return TC_OK;
}
