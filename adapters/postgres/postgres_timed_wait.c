#include "adapters/postgres/postgres_timed_wait.h"

#define YEAR_MS INT64_C(31536000000)

int64_t postgres_tick_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

bool postgres_init_cond(pthread_cond_t *cond)
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

struct timespec postgres_wait_end(int64_t wait_ms)
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
