#include "adapters/local/local_wait.h"

#define YEAR_MS INT64_C(31536000000)

bool local_wait_init_cond(pthread_cond_t *cond)
{
    pthread_condattr_t attr;
    bool good;

    if (pthread_condattr_init(&attr) != 0)
        return false;
    good = pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) == 0 &&
           pthread_cond_init(cond, &attr) == 0;
    pthread_condattr_destroy(&attr);
    return good;
}

bool local_wait_init(pthread_mutex_t *mutex, pthread_cond_t *cond)
{
    if (pthread_mutex_init(mutex, NULL) != 0)
        return false;
    if (local_wait_init_cond(cond))
        return true;
    pthread_mutex_destroy(mutex);
    return false;
}

struct timespec local_wait_end(int64_t wait_ms)
{
    struct timespec end;

    if (wait_ms > YEAR_MS)
        wait_ms = YEAR_MS;
    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += (time_t)(wait_ms / 1000);
    end.tv_nsec += (long)(wait_ms % 1000) * 1000000;
    if (end.tv_nsec >= 1000000000) {
        end.tv_sec++;
        end.tv_nsec -= 1000000000;
    }
    return end;
}
