#define _DEFAULT_SOURCE /* getrandom() */

#include "adapters/system/system_ids.h"

#include "core/domain/container_of.h"
#include "ports/clock.h"
#include "ports/ids.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/random.h>

/* The starting point leaves the upper half of the 62 bits free: counting never runs over. */
#define TAIL_START_MASK ((UINT64_C(1) << 61) - 1)

struct system_ids {
    struct tc_ids base;
    struct tc_clock *clock;
    pthread_mutex_t lock;
    uint64_t random[4]; /* state of xoshiro256**, 256 bits from the kernel */
    int64_t last_ms;
    unsigned bucket;
    uint64_t tail;
};

static struct system_ids *self_of(struct tc_ids *ids)
{
    return TC_CONTAINER_OF(ids, struct system_ids, base);
}

static uint64_t rotate_left(uint64_t value, int bits)
{
    return value << bits | value >> (64 - bits);
}

/* xoshiro256** by Blackman and Vigna: equidistributed, a nanosecond, period 2^256 - 1. */
static uint64_t next_random(uint64_t state[4])
{
    uint64_t result = rotate_left(state[1] * 5, 7) * 9;
    uint64_t shifted = state[1] << 17;

    state[2] ^= state[0];
    state[3] ^= state[1];
    state[1] ^= state[2];
    state[0] ^= state[3];
    state[2] ^= shifted;
    state[3] = rotate_left(state[3], 45);
    return result;
}

static enum tc_code seed(uint64_t state[4], struct tc_error *err)
{
    unsigned char *bytes = (unsigned char *)state;
    size_t size = 4 * sizeof(state[0]);

    for (size_t got = 0; got < size;) {
        ssize_t count = getrandom(bytes + got, size - got, 0);

        if (count < 0 && errno != EINTR)
            return tc_fail(err, TC_UNAVAILABLE, "reading entropy from the kernel: error %d",
                           errno);
        got += count > 0 ? (size_t)count : 0;
    }
    state[0] |= 1; /* all zero is the one state it never leaves */
    return TC_OK;
}

static void system_make(struct tc_ids *ids, size_t count, struct tc_id *ret_ids)
{
    struct system_ids *self = self_of(ids);
    int64_t now_ms = tc_clock_now_ms(self->clock);

    pthread_mutex_lock(&self->lock);
    if (now_ms > self->last_ms) {
        self->last_ms = now_ms;
        self->bucket = (unsigned)(next_random(self->random) >> 52);
        self->tail = next_random(self->random) & TAIL_START_MASK;
    }
    for (size_t i = 0; i < count; i++)
        ret_ids[i] = tc_id_make(self->last_ms, self->bucket, self->tail++);
    pthread_mutex_unlock(&self->lock);
}

static uint64_t system_random(struct tc_ids *ids)
{
    struct system_ids *self = self_of(ids);

    pthread_mutex_lock(&self->lock);

    uint64_t result = next_random(self->random);

    pthread_mutex_unlock(&self->lock);
    return result;
}

static const struct tc_ids_ops system_ids_ops = {
    .make = system_make,
    .random = system_random,
};

enum tc_code system_ids_open(struct tc_clock *clock, struct tc_ids **ret_ids,
                             struct tc_error *err)
{
    struct system_ids *self = calloc(1, sizeof(*self));

    if (!self)
        return tc_fail(err, TC_NO_MEMORY, "the source of ids");
    if (seed(self->random, err) != TC_OK) {
        free(self);
        return TC_UNAVAILABLE;
    }
    self->base.ops = &system_ids_ops;
    self->clock = clock;
    self->last_ms = -1;
    pthread_mutex_init(&self->lock, NULL);
    *ret_ids = &self->base;
    return TC_OK;
}

void system_ids_close(struct tc_ids *ids)
{
    if (!ids)
        return;

    struct system_ids *self = self_of(ids);

    pthread_mutex_destroy(&self->lock);
    free(self);
}
