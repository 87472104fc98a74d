#include "adapters/system/system_clock.h"

#include <time.h>

static int64_t read_ms(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now); /* cannot fail for these two clocks */
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int64_t now_ms(struct tc_clock *clock)
{
    (void)clock;
    return read_ms(CLOCK_REALTIME);
}

static int64_t tick_ms(struct tc_clock *clock)
{
    (void)clock;
    return read_ms(CLOCK_MONOTONIC);
}

static const struct tc_clock_ops system_clock_ops = {
    .now_ms = now_ms,
    .tick_ms = tick_ms,
};

struct tc_clock *system_clock(void)
{
    static struct tc_clock clock = { .ops = &system_clock_ops };

    return &clock;
}
