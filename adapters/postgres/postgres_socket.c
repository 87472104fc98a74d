/* Waiting on a connection's socket, never beyond a deadline. */

#include "adapters/postgres/postgres_wire.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <time.h>

int64_t postgres_tick_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* What is left as poll() takes it. */
static int rest_ms(int64_t deadline_ms)
{
    if (deadline_ms == POSTGRES_NO_DEADLINE)
        return -1;

    int64_t rest = deadline_ms - postgres_tick_ms();

    if (rest <= 0)
        return 0;
    return rest < INT_MAX ? (int)rest : INT_MAX;
}

bool postgres_wait_socket(PGconn *pg, short events, int64_t deadline_ms)
{
    struct pollfd socket = { .fd = PQsocket(pg), .events = events };
    int count;

    if (socket.fd < 0)
        return false;
    do
        count = poll(&socket, 1, rest_ms(deadline_ms));
    while (count < 0 && errno == EINTR);
    return count > 0;
}

/* Reading as well: a server that waits until we take its answers takes nothing from us. */
bool postgres_flush(PGconn *pg, int64_t deadline_ms)
{
    int rest;

    while ((rest = PQflush(pg)) > 0) {
        if (!postgres_wait_socket(pg, POLLIN | POLLOUT, deadline_ms) || !PQconsumeInput(pg))
            return false;
    }
    return rest == 0;
}

/* When the connection breaks, PQgetResult() says so in its result. */
PGresult *postgres_await(PGconn *pg, int64_t deadline_ms, bool *ret_in_time)
{
    *ret_in_time = true;
    while (PQisBusy(pg)) {
        if (!postgres_wait_socket(pg, POLLIN, deadline_ms)) {
            *ret_in_time = false;
            return NULL;
        }
        if (!PQconsumeInput(pg))
            break;
    }
    return PQgetResult(pg);
}
