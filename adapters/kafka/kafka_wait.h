#ifndef TASKCORE_ADAPTERS_KAFKA_WAIT_H
#define TASKCORE_ADAPTERS_KAFKA_WAIT_H

/** @file kafka_wait.h Monotonic time, and waiting by it. */

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

/** Monotonic milliseconds. */
int64_t kafka_tick_ms(void);

/** `wait_ms` from now, at most a year. */
int64_t kafka_wait_end_ms(int64_t wait_ms);

/** That time for pthread_cond_timedwait() on a condition of kafka_wait_init(). */
struct timespec kafka_wait_timespec(int64_t end_ms);

/** @return false: none to be had. */
bool kafka_wait_init(pthread_mutex_t *mutex, pthread_cond_t *cond);

#endif
