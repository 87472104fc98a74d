#include "adapters/http/http_connections.h"

#include <arpa/inet.h>
#include <civetweb.h>
#include <dirent.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

int64_t http_now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t http_now_ms(void)
{
    return http_now_us() / 1000;
}

enum tc_code http_connections_init(struct http_connections *table, int bound, int reserve,
                                   struct tc_error *err)
{
    pthread_condattr_t attributes;

    *table = (struct http_connections){ .bound = bound, .slot_count = bound + reserve };
    table->slots = calloc((size_t)table->slot_count, sizeof(*table->slots));
    if (!table->slots)
        return tc_fail(err, TC_NO_MEMORY, "no memory for %d connections", bound);
    for (int i = 0; i < table->slot_count; i++)
        table->slots[i].fd = -1;
    pthread_mutex_init(&table->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&table->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    return TC_OK;
}

void http_connections_release(struct http_connections *table)
{
    if (!table->slots)
        return;
    pthread_cond_destroy(&table->changed);
    pthread_mutex_destroy(&table->lock);
    free(table->slots);
    table->slots = NULL;
}

struct http_slot *http_connections_take(struct http_connections *table)
{
    int number = atomic_fetch_add(&table->taken, 1);

    return number < table->slot_count ? &table->slots[number] : NULL;
}

void http_connections_opened(struct http_connections *table, struct http_slot *slot,
                             const struct mg_connection *connection, int64_t deadline_ms)
{
    int64_t now_ms = http_now_ms();

    pthread_mutex_lock(&table->lock);
    int open = atomic_fetch_add(&table->open, 1) + 1;

    slot->connection = connection;
    slot->fd = -1;
    slot->has_peer = false;
    slot->is_over = open > table->bound;
    atomic_store(&slot->cut, false);
    atomic_store(&slot->served, 0);
    http_slot_enter(slot, HTTP_HEAD, now_ms, deadline_ms);
    if (table->is_asleep || open == http_connections_room(table) + 1 || open == table->bound)
        pthread_cond_broadcast(&table->changed);
    pthread_mutex_unlock(&table->lock);
}

void http_connections_closing(struct http_connections *table, struct http_slot *slot)
{
    pthread_mutex_lock(&table->lock);
    http_slot_enter(slot, HTTP_FREE, 0, INT64_MAX);
    slot->connection = NULL;
    slot->fd = -1;
    if (atomic_fetch_sub(&table->open, 1) == 1 && table->is_awaited)
        pthread_cond_broadcast(&table->changed);
    pthread_mutex_unlock(&table->lock);
}

void http_connections_await_none(struct http_connections *table, int64_t until_ms)
{
    struct timespec until = { (time_t)(until_ms / 1000), (long)(until_ms % 1000) * 1000000 };
    int late = 0;

    pthread_mutex_lock(&table->lock);
    table->is_awaited = true;
    while (atomic_load(&table->open) > 0 && !late)
        late = pthread_cond_timedwait(&table->changed, &table->lock, &until);
    table->is_awaited = false;
    pthread_mutex_unlock(&table->lock);
}

/** Learn the peer. False while the library has not filled it in: the connection is only just
 *  there. */
static bool has_peer(struct http_slot *slot)
{
    const struct mg_request_info *info;
    struct in_addr address;

    if (slot->has_peer)
        return true;
    info = slot->connection ? mg_get_request_info(slot->connection) : NULL;
    if (!info || inet_pton(AF_INET, info->remote_addr, &address) != 1)
        return false;
    slot->peer_address = address.s_addr;
    slot->peer_port = htons((uint16_t)info->remote_port);
    slot->has_peer = true;
    return true;
}

/** The address of this end or, with `is_peer`, of the other end of an IPv4 socket. */
static bool get_address(int fd, bool is_peer, struct sockaddr_in *ret_address)
{
    struct sockaddr_storage address = { 0 };
    socklen_t len = sizeof(address);
    int failed = is_peer ? getpeername(fd, (struct sockaddr *)&address, &len)
                         : getsockname(fd, (struct sockaddr *)&address, &len);

    if (failed || address.ss_family != AF_INET)
        return false;
    memcpy(ret_address, &address, sizeof(*ret_address));
    return true;
}

/** Call `visit` for each open file until it returns true. */
static void each_file(bool (*visit)(int fd, void *arg), void *arg)
{
    DIR *folder = opendir("/proc/self/fd");
    struct dirent *entry;

    if (!folder)
        return;
    while ((entry = readdir(folder)) != NULL) {
        char *end;
        long fd = strtol(entry->d_name, &end, 10);

        if (end != entry->d_name && !*end && visit((int)fd, arg))
            break;
    }
    closedir(folder);
}

/** Give the socket to the slot whose peer is at its other end. */
static bool assign(int fd, void *arg)
{
    struct http_connections *table = arg;
    struct sockaddr_in peer, local;

    if (!get_address(fd, true, &peer))
        return false;
    for (int i = 0; i < table->slot_count; i++) {
        struct http_slot *slot = &table->slots[i];

        if (slot->has_peer && slot->fd < 0 && slot->peer_port == peer.sin_port &&
            slot->peer_address == peer.sin_addr.s_addr && get_address(fd, false, &local) &&
            local.sin_port == table->port) {
            slot->fd = fd;
            break;
        }
    }
    return false;
}

void http_connections_find(struct http_connections *table)
{
    bool is_needed = false;

    for (int i = 0; i < table->slot_count; i++) {
        struct http_slot *slot = &table->slots[i];

        if (slot->connection && slot->fd < 0 && has_peer(slot))
            is_needed = true;
    }
    if (is_needed)
        each_file(assign, table);
}

int http_connections_socket(struct http_connections *table, struct http_slot *slot)
{
    int fd;

    pthread_mutex_lock(&table->lock);
    if (slot->fd < 0)
        http_connections_find(table);
    fd = slot->fd;
    pthread_mutex_unlock(&table->lock);
    return fd;
}

bool http_connections_enter_wait(struct http_connections *table)
{
    if (atomic_fetch_add(&table->waiting, 1) < (table->bound + 1) / 2)
        return true;
    atomic_fetch_sub(&table->waiting, 1);
    return false;
}

void http_connections_leave_wait(struct http_connections *table)
{
    atomic_fetch_sub(&table->waiting, 1);
}

struct listener {
    uint16_t port;
    int fd;
};

static bool is_listener(int fd, void *arg)
{
    struct listener *listener = arg;
    struct sockaddr_in local;
    int listens = 0;
    socklen_t len = sizeof(listens);

    if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &len) != 0 || !listens ||
        !get_address(fd, false, &local) || local.sin_port != listener->port)
        return false;
    listener->fd = fd;
    return true;
}

int http_listening_socket(int port)
{
    struct listener listener = { htons((uint16_t)port), -1 };

    each_file(is_listener, &listener);
    return listener.fd;
}
