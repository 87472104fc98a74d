/*
 * Waits that must end by what another thread does are LONG_MS: a lost wake-up shows as the
 * test's timeout. Waits that must run out are SHORT_MS, and only their lower bound is exact.
 */

#include "tests/conformance/task_queue_suite.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#define LONG_MS   600000
#define SHORT_MS  20
#define LATE_MS   5000 /* what a loaded machine may add */
#define TIMEOUT_S 60
#define HINTS     16

static const struct task_queue_driver *driver;
static struct tc_task_queue *queue;
static struct tc_error err;

static void open_queue(void)
{
    ck_assert_msg(driver->open(&queue, &err) == TC_OK, "open: %s", err.message);
    ck_assert(queue->ops->publish && queue->ops->receive && queue->ops->commit &&
              queue->ops->interrupt && queue->ops->name);
}

static void close_queue(void)
{
    driver->close(queue);
}

static int64_t tick_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void publish(size_t count)
{
    static const struct tc_hint hints[HINTS] = { { .queue = "default", .type = "test" } };

    ck_assert_int_eq(queue->ops->publish(queue, hints, count, NULL), TC_OK);
}

/* @return whether it brought anything: hints, or word to look. */
static bool receive(int64_t wait_ms)
{
    struct tc_hint hints[HINTS];
    struct tc_delivery delivery = { .count = 77, .look = true };

    ck_assert_int_eq(queue->ops->receive(queue, wait_ms, HINTS, hints, &delivery, &err), TC_OK);
    ck_assert_uint_le(delivery.count, HINTS);
    ck_assert_int_eq(queue->ops->commit(queue, delivery.receipt, &err), TC_OK);
    return delivery.count > 0 || delivery.look;
}

START_TEST(nothing_published_brings_nothing)
{
    ck_assert(!receive(0));
    ck_assert(!receive(SHORT_MS));
}
END_TEST

START_TEST(q3_a_receive_without_hints_ends_in_its_time)
{
    int64_t start_ms = tick_ms();

    ck_assert(!receive(SHORT_MS));
    ck_assert_int_ge(tick_ms() - start_ms, SHORT_MS - 1);
    ck_assert_int_le(tick_ms() - start_ms, SHORT_MS + LATE_MS);
}
END_TEST

START_TEST(a_publish_before_the_receive_is_not_missed) /* loop over the number of hints */
{
    publish((size_t)_i);
    ck_assert(receive(LONG_MS));
}
END_TEST

START_TEST(several_publishes_may_come_as_one_and_then_no_more)
{
    size_t deliveries = 0;

    for (size_t i = 0; i < 5; i++)
        publish(1);
    while (receive(0))
        deliveries++;
    ck_assert_uint_ge(deliveries, 1);
    ck_assert_uint_le(deliveries, 5);
    ck_assert(!receive(SHORT_MS));
}
END_TEST

START_TEST(a_publish_after_a_delivery_is_delivered_anew)
{
    for (size_t i = 0; i < 10; i++) {
        publish(0);
        ck_assert(receive(LONG_MS));
    }
}
END_TEST

static void *receive_long(void *arg)
{
    bool *brought = arg;

    *brought = receive(LONG_MS);
    return NULL;
}

START_TEST(a_publish_ends_a_receive_that_waits)
{
    bool brought = false;
    pthread_t receiver;

    ck_assert_int_eq(pthread_create(&receiver, NULL, receive_long, &brought), 0);
    publish(1);
    pthread_join(receiver, NULL);
    ck_assert(brought);
}
END_TEST

START_TEST(q3_an_interrupt_ends_a_receive_that_waits)
{
    bool brought = true;
    pthread_t receiver;

    ck_assert_int_eq(pthread_create(&receiver, NULL, receive_long, &brought), 0);
    queue->ops->interrupt(queue);
    pthread_join(receiver, NULL);
    ck_assert(!brought);
}
END_TEST

START_TEST(an_interrupt_ends_the_next_receive_when_none_waits_and_only_that)
{
    int64_t start_ms;

    queue->ops->interrupt(queue);
    ck_assert(!receive(LONG_MS));
    start_ms = tick_ms();
    ck_assert(!receive(SHORT_MS));
    ck_assert_int_ge(tick_ms() - start_ms, SHORT_MS - 1);
}
END_TEST

START_TEST(an_interrupt_loses_no_hint) /* loop: interrupted before, after */
{
    if (_i)
        queue->ops->interrupt(queue);
    publish(1);
    if (!_i)
        queue->ops->interrupt(queue);
    ck_assert(receive(LONG_MS) || receive(LONG_MS));
}
END_TEST

START_TEST(q4_publishing_does_not_wait_for_a_receiver)
{
    for (size_t i = 0; i < 20000; i++)
        publish(1);
    ck_assert(receive(LONG_MS));
}
END_TEST

#define PUBLISHERS 3
#define ROUNDS     20000

static _Atomic size_t stored; /* what a look into the store would find */

static void *store_and_publish(void *arg)
{
    (void)arg;
    for (size_t i = 0; i < ROUNDS; i++) {
        atomic_fetch_add(&stored, 1);
        publish(1);
    }
    return NULL;
}

START_TEST(whoever_looks_after_each_delivery_sees_everything)
{
    pthread_t publishers[PUBLISHERS];

    for (size_t i = 0; i < PUBLISHERS; i++)
        ck_assert_int_eq(pthread_create(&publishers[i], NULL, store_and_publish, NULL), 0);
    while (atomic_load(&stored) < (size_t)PUBLISHERS * ROUNDS)
        ck_assert(receive(LONG_MS)); /* hangs when a hint is lost */
    for (size_t i = 0; i < PUBLISHERS; i++)
        pthread_join(publishers[i], NULL);
}
END_TEST

static _Atomic size_t seen;

/* A little later each time, so that the hint also comes between the receiver's last look and
 * its sleep. */
static void *publish_when_seen(void *arg)
{
    (void)arg;
    for (size_t i = 1; i <= ROUNDS; i++) {
        while (atomic_load(&seen) < i - 1)
            continue;
        for (volatile size_t spin = 0; spin < i % 1000; spin++)
            continue;
        publish(1);
    }
    return NULL;
}

START_TEST(a_hint_that_comes_while_the_receiver_falls_asleep_is_not_missed)
{
    pthread_t publisher;

    ck_assert_int_eq(pthread_create(&publisher, NULL, publish_when_seen, NULL), 0);
    for (size_t i = 0; i < ROUNDS; i++) {
        ck_assert(receive(LONG_MS));
        atomic_fetch_add(&seen, 1);
    }
    pthread_join(publisher, NULL);
}
END_TEST

Suite *task_queue_suite(const struct task_queue_driver *under_test)
{
    Suite *suite = suite_create(under_test->name);
    TCase *tcase = tcase_create("hints");

    driver = under_test;
    tcase_set_timeout(tcase, TIMEOUT_S);
    tcase_add_checked_fixture(tcase, open_queue, close_queue);
    tcase_add_test(tcase, nothing_published_brings_nothing);
    tcase_add_test(tcase, q3_a_receive_without_hints_ends_in_its_time);
    tcase_add_loop_test(tcase, a_publish_before_the_receive_is_not_missed, 0, 4);
    tcase_add_test(tcase, several_publishes_may_come_as_one_and_then_no_more);
    tcase_add_test(tcase, a_publish_after_a_delivery_is_delivered_anew);
    tcase_add_test(tcase, a_publish_ends_a_receive_that_waits);
    tcase_add_test(tcase, q3_an_interrupt_ends_a_receive_that_waits);
    tcase_add_test(tcase, an_interrupt_ends_the_next_receive_when_none_waits_and_only_that);
    tcase_add_loop_test(tcase, an_interrupt_loses_no_hint, 0, 2);
    tcase_add_test(tcase, q4_publishing_does_not_wait_for_a_receiver);
    tcase_add_test(tcase, whoever_looks_after_each_delivery_sees_everything);
    tcase_add_test(tcase, a_hint_that_comes_while_the_receiver_falls_asleep_is_not_missed);
    suite_add_tcase(suite, tcase);
    return suite;
}
