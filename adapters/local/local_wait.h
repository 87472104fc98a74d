#ifndef TASKCORE_ADAPTERS_LOCAL_LOCAL_WAIT_H
#define TASKCORE_ADAPTERS_LOCAL_LOCAL_WAIT_H

/** @file local_wait.h Timed waits that a step of the wall clock does not disturb. Private. */

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

/** A condition whose timed waits go by CLOCK_MONOTONIC. @return false: neither is there. */
bool local_wait_init_cond(pthread_cond_t *cond);

/** A mutex and such a condition. @return false: neither is there. */
bool local_wait_init(pthread_mutex_t *mutex, pthread_cond_t *cond);

/** The moment `wait_ms` from now on CLOCK_MONOTONIC; what is longer than a year is a year. */
struct timespec local_wait_end(int64_t wait_ms);

#endif
