#include "adapters/postgres/postgres_pool.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#define WAIT_MAX_S 5

/* Someone who waits; on the waiter's stack. Connections are handed over, not put back for
 * whoever comes first. */
struct waiter {
    pthread_cond_t handed;
    struct postgres_connection *connection; /* NULL: not yet */
    struct waiter *next;
};

struct postgres_pool {
    pthread_mutex_t mutex;
    pthread_condattr_t monotonic;
    size_t size;
    size_t free_count;
    struct postgres_connection **all;
    struct postgres_connection **free; /* the last given back is taken first */
    struct waiter *first;
    struct waiter **last;
};

static struct postgres_pool *new_pool(size_t size)
{
    struct postgres_pool *pool = calloc(1, sizeof(*pool));

    if (!pool)
        return NULL;
    pool->all = calloc(size, sizeof(struct postgres_connection *));
    pool->free = calloc(size, sizeof(struct postgres_connection *));
    pool->last = &pool->first;
    pthread_mutex_init(&pool->mutex, NULL);
    pthread_condattr_init(&pool->monotonic);
    pthread_condattr_setclock(&pool->monotonic, CLOCK_MONOTONIC);
    if (pool->all && pool->free)
        return pool;
    postgres_pool_close(pool);
    return NULL;
}

enum tc_code postgres_pool_open(const struct postgres_connection_config *config, size_t size,
                                struct postgres_pool **ret_pool, struct tc_error *err)
{
    struct postgres_pool *pool = new_pool(size);
    enum tc_code code = TC_OK;

    if (!pool)
        return tc_fail(err, TC_NO_MEMORY, "postgres: a pool of connections");
    while (code == TC_OK && pool->size < size) {
        code = postgres_connection_new(config, &pool->all[pool->size], err);
        if (code == TC_OK)
            pool->size++;
    }
    if (code != TC_OK) {
        postgres_pool_close(pool);
        return code;
    }
    for (size_t i = 0; i < size; i++)
        pool->free[i] = pool->all[size - 1 - i];
    pool->free_count = size;
    *ret_pool = pool;
    return TC_OK;
}

void postgres_pool_close(struct postgres_pool *pool)
{
    if (!pool)
        return;
    for (size_t i = 0; pool->all && i < pool->size; i++)
        postgres_connection_free(pool->all[i]);
    pthread_condattr_destroy(&pool->monotonic);
    pthread_mutex_destroy(&pool->mutex);
    free(pool->all);
    free(pool->free);
    free(pool);
}

/* The last one that was given back connected; a broken one only when there is no other. */
static struct postgres_connection *pop(struct postgres_pool *pool)
{
    size_t at = pool->free_count - 1;

    for (size_t i = pool->free_count; i-- > 0;) {
        if (postgres_is_connected(pool->free[i])) {
            at = i;
            break;
        }
    }

    struct postgres_connection *connection = pool->free[at];

    pool->free_count--;
    for (; at < pool->free_count; at++)
        pool->free[at] = pool->free[at + 1];
    return connection;
}

static void leave(struct postgres_pool *pool, struct waiter *waiter)
{
    struct waiter **at = &pool->first;

    while (*at != waiter)
        at = &(*at)->next;
    *at = waiter->next;
    if (!waiter->next)
        pool->last = at;
}

/* With the mutex held. @return the connection; NULL: none within the time. */
static struct postgres_connection *wait_for_one(struct postgres_pool *pool)
{
    struct waiter waiter = { .connection = NULL };
    struct timespec until;
    int result = 0;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += WAIT_MAX_S;
    pthread_cond_init(&waiter.handed, &pool->monotonic);
    *pool->last = &waiter;
    /* cppcheck-suppress autoVariables ; it is out of the list before this returns */
    pool->last = &waiter.next;
    while (!waiter.connection && result != ETIMEDOUT)
        result = pthread_cond_timedwait(&waiter.handed, &pool->mutex, &until);
    if (!waiter.connection)
        leave(pool, &waiter);
    pthread_cond_destroy(&waiter.handed);
    return waiter.connection;
}

enum tc_code postgres_pool_take(struct postgres_pool *pool,
                                struct postgres_connection **ret_connection,
                                struct tc_error *err)
{
    pthread_mutex_lock(&pool->mutex);

    struct postgres_connection *connection =
        pool->free_count > 0 ? pop(pool) : wait_for_one(pool);

    pthread_mutex_unlock(&pool->mutex);
    if (!connection)
        return tc_fail(err, TC_UNAVAILABLE, "postgres: no connection was free for %d s",
                       WAIT_MAX_S);
    *ret_connection = connection;
    return TC_OK;
}

void postgres_pool_give(struct postgres_pool *pool, struct postgres_connection *connection)
{
    pthread_mutex_lock(&pool->mutex);

    struct waiter *waiter = pool->first;

    if (waiter) {
        leave(pool, waiter);
        waiter->connection = connection;
        pthread_cond_signal(&waiter->handed);
    } else {
        pool->free[pool->free_count++] = connection;
    }
    pthread_mutex_unlock(&pool->mutex);
}
