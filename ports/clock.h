#ifndef TASKCORE_PORTS_CLOCK_H
#define TASKCORE_PORTS_CLOCK_H

/**
 * @file clock.h
 * Port: the time. Injected so that tests never sleep. Any thread; never blocks; cannot fail.
 */

#include <stdint.h>

struct tc_clock;

struct tc_clock_ops {
    /** Wall clock: milliseconds since the Unix epoch, UTC. May jump. */
    int64_t (*now_ms)(struct tc_clock *clock);
    /** Monotonic milliseconds since some fixed moment: for waits and durations. */
    int64_t (*tick_ms)(struct tc_clock *clock);
};

struct tc_clock {
    const struct tc_clock_ops *ops;
};

static inline int64_t tc_clock_now_ms(struct tc_clock *clock)
{
    return clock->ops->now_ms(clock);
}

static inline int64_t tc_clock_tick_ms(struct tc_clock *clock)
{
    return clock->ops->tick_ms(clock);
}

#endif
