#ifndef TASKCORE_ADAPTERS_POSTGRES_TIMED_WAIT_H
#define TASKCORE_ADAPTERS_POSTGRES_TIMED_WAIT_H

/** @file postgres_timed_wait.h Timed waits that a step of the wall clock does not disturb.
 * Private. */

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

/** Microseconds on CLOCK_MONOTONIC. */
int64_t postgres_tick_us(void);

/** A condition whose timed waits go by CLOCK_MONOTONIC. @return false: the system has none. */
bool postgres_init_cond(pthread_cond_t *cond);

/** The moment `wait_ms` from now on CLOCK_MONOTONIC; what is longer than a year is a year. */
struct timespec postgres_wait_end(int64_t wait_ms);

#endif
