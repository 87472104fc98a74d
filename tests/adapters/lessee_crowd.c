#include "tests/adapters/lessee_crowd.h"

#include <check.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static const char *const one_queue[] = { "default" };
static const char *const two_types[] = { "email", "sms" };

const struct http_lessee_wish crowd_of_default = { one_queue, 1, NULL, 0 };
const struct http_lessee_wish crowd_of_types = { one_queue, 1, two_types, 2 };

struct lessee_crowd crowd;

void crowd_open(int64_t look_ms)
{
    fake_queue_init(&crowd.queue);
    ck_assert_int_eq(http_lessees_open(&crowd.queue.base, look_ms, &crowd.lessees, NULL),
                     TC_OK);
    crowd.front = http_lessees_queue(crowd.lessees);
    crowd.stock = crowd.looks = crowd.entered = 0;
    crowd.is_broken = crowd.announces = false;
}

void crowd_close(void)
{
    http_lessees_close(crowd.lessees);
}

int64_t crowd_now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void crowd_sleep_ms(long ms)
{
    struct timespec time = { ms / 1000, ms % 1000 * 1000000 };

    nanosleep(&time, NULL);
}

void crowd_announce(const char *queue_name, const char *type)
{
    struct tc_hint hint = { .priority = 0 };

    snprintf(hint.queue, sizeof(hint.queue), "%s", queue_name);
    snprintf(hint.type, sizeof(hint.type), "%s", type);
    ck_assert_int_eq(crowd.front->ops->publish(crowd.front, &hint, 1, NULL), TC_OK);
}

static enum http_look take(void)
{
    int left = atomic_load(&crowd.stock);

    if (atomic_load(&crowd.is_broken))
        return HTTP_LOOK_FAILED;
    while (left > 0)
        if (atomic_compare_exchange_strong(&crowd.stock, &left, left - 1))
            return HTTP_LOOK_FULL;
    return HTTP_LOOK_EMPTY;
}

static enum http_look look(void *ctx, bool is_first)
{
    struct waiter *waiter = ctx;

    if (is_first && atomic_load(&crowd.announces)) {
        atomic_fetch_add(&crowd.stock, 1); /* after the look, before the wait */
        crowd_announce("default", "email");
        waiter->found = HTTP_LOOK_EMPTY;
    } else if (!is_first && waiter->is_gone) {
        waiter->found = HTTP_LOOK_LEFT;
    } else {
        waiter->found = take();
    }
    atomic_fetch_add(is_first ? &crowd.entered : &crowd.looks, 1);
    return waiter->found;
}

void *crowd_wait(void *arg)
{
    struct waiter *waiter = arg;
    int64_t begin_ms = crowd_now_ms();

    http_lessees_wait(crowd.lessees, waiter->wish, waiter->wait_ms, look, waiter);
    waiter->took_ms = crowd_now_ms() - begin_ms;
    return NULL;
}

void crowd_start(struct waiter *waiters, int count)
{
    size_t before = http_lessees_count(crowd.lessees);

    for (int i = 0; i < count; i++) {
        ck_assert_int_eq(pthread_create(&waiters[i].thread, NULL, crowd_wait, &waiters[i]), 0);
        while (http_lessees_count(crowd.lessees) < before + (size_t)i + 1)
            crowd_sleep_ms(1);
    }
}

void crowd_join(struct waiter *waiters, int count)
{
    for (int i = 0; i < count; i++)
        ck_assert_int_eq(pthread_join(waiters[i].thread, NULL), 0);
    ck_assert_uint_eq(http_lessees_count(crowd.lessees), 0);
}

void crowd_make(struct waiter *waiters, int count, int64_t wait_ms)
{
    for (int i = 0; i < count; i++)
        waiters[i] = (struct waiter){ .wish = &crowd_of_default, .wait_ms = wait_ms };
}

int crowd_count(const struct waiter *waiters, int count, enum http_look found)
{
    int number = 0;

    for (int i = 0; i < count; i++)
        number += waiters[i].found == found;
    return number;
}
