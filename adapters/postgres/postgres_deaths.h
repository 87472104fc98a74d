#ifndef TASKCORE_ADAPTERS_POSTGRES_DEATHS_H
#define TASKCORE_ADAPTERS_POSTGRES_DEATHS_H

/**
 * @file postgres_deaths.h
 * Since when incarnations have been seen without their advisory lock. One that has just lost
 * its connection takes the lock again within half a second, so that only one that stays away is
 * gone; and after an outage of the server, which cut off everybody, all begin anew.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define POSTGRES_DEATH_MS   1500
#define POSTGRES_DEATHS_MAX 256

struct postgres_deaths;

struct postgres_deaths *postgres_deaths_new(void); /**< NULL: no memory */
void postgres_deaths_free(struct postgres_deaths *deaths);

/**
 * At `tick_ms`, the holder of our own lock being the server's process `session`, these were
 * without their lock. Another session than the last time: our connection was lost in between.
 *
 * @return how many of them are gone, in `ret_gone`, which has room for POSTGRES_DEATHS_MAX.
 */
size_t postgres_deaths_note(struct postgres_deaths *deaths, int64_t tick_ms, int64_t session,
                            const int64_t *missing, size_t count, int64_t *ret_gone);

#endif
