#ifndef TASKCORE_PORTS_WORKER_POOL_H
#define TASKCORE_PORTS_WORKER_POOL_H

/** @file worker_pool.h Port: what the workers of this process are doing, for /health. */

#include <stddef.h>

struct tc_worker_pool;

struct tc_worker_pool_status {
    size_t threads; /**< that can run tasks */
    size_t busy;    /**< that run one now */
    size_t stuck;   /**< given up: they ignored a timeout and still run */
};

struct tc_worker_pool_ops {
    /** Any thread; never blocks for long. */
    void (*status)(struct tc_worker_pool *pool, struct tc_worker_pool_status *ret_status);
};

struct tc_worker_pool {
    const struct tc_worker_pool_ops *ops;
};

#endif
