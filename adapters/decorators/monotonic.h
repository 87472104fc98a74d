#ifndef TASKCORE_ADAPTERS_DECORATORS_MONOTONIC_H
#define TASKCORE_ADAPTERS_DECORATORS_MONOTONIC_H

/** @file monotonic.h Seconds for measuring calls that take less than a millisecond. */

#include <time.h>

static inline double monotonic_seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

#endif
