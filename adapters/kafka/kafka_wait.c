#include "adapters/kafka/kafka_wait.h"

#define YEAR_MS INT64_C(31536000000)

int64_t kafka_tick_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t kafka_wait_end_ms(int64_t wait_ms)
{
    if (wait_ms < 0)
        wait_ms = 0;
    return kafka_tick_ms() + (wait_ms > YEAR_MS ? YEAR_MS : wait_ms);
}

struct timespec kafka_wait_timespec(int64_t end_ms)
{
    return (struct timespec){ .tv_sec = (time_t)(end_ms / 1000),
                              .tv_nsec = (long)(end_ms % 1000) * 1000000 };
}

static bool init_cond(pthread_cond_t *cond)
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

bool kafka_wait_init(pthread_mutex_t *mutex, pthread_cond_t *cond)
{
    if (pthread_mutex_init(mutex, NULL) != 0)
        return false;
    if (init_cond(cond))
        return true;
    pthread_mutex_destroy(mutex);
    return false;
}
