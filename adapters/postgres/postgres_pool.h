#ifndef TASKCORE_ADAPTERS_POSTGRES_POOL_H
#define TASKCORE_ADAPTERS_POSTGRES_POOL_H

/**
 * @file postgres_pool.h
 * A few connections shared by many threads. Group commit makes one or two carry everything,
 * so there are never many.
 */

#include "adapters/postgres/postgres_connection.h"

struct postgres_pool;

/** Opens nothing yet. `config` is copied, its strings borrowed. */
enum tc_code postgres_pool_open(const struct postgres_connection_config *config, size_t size,
                                struct postgres_pool **ret_pool,
                                struct tc_error *err) TC_MUST_CHECK;
void postgres_pool_close(struct postgres_pool *pool);

/**
 * Take a connection for a moment; waits up to 5 s for a free one, in the order of asking.
 * @return TC_OK; TC_UNAVAILABLE. Give it back outside a transaction.
 */
enum tc_code postgres_pool_take(struct postgres_pool *pool,
                                struct postgres_connection **ret_connection,
                                struct tc_error *err) TC_MUST_CHECK;
void postgres_pool_give(struct postgres_pool *pool, struct postgres_connection *connection);

#endif
