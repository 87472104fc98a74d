#include "tests/conformance/task_queue_tcases.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

#define LATE_MS   5000 /* what a loaded machine may add */
#define TIMEOUT_S 60
#define HINTS     16
#define HINT_MS   INT64_C(1700000000000)
#define BUCKET    0x123u

struct queue_fixture queue_test;

static void open_queue(void)
{
    struct queue_fixture *test = &queue_test;

    ck_assert_msg(test->driver->open(&test->queue, &test->err) == TC_OK, "open: %s",
                  test->err.message);

    const struct tc_task_queue_ops *ops = test->queue->ops;

    ck_assert(ops->name && ops->publish && ops->deliver && ops->receive && ops->commit &&
              ops->interrupt);
}

static void close_queue(void)
{
    queue_test.driver->close(queue_test.queue);
}

TCase *queue_tcase(const char *name)
{
    TCase *tcase = tcase_create(name);

    tcase_set_timeout(tcase, TIMEOUT_S);
    tcase_add_checked_fixture(tcase, open_queue, close_queue);
    return tcase;
}

/* Every seventh has the longest names there are. */
struct tc_hint queue_hint(uint64_t number, int priority)
{
    struct tc_hint hint = { .id = tc_id_make(HINT_MS, BUCKET, number), .priority = priority };
    int width = number % 7 == 0 ? TC_NAME_MAX - 1 : 3;

    snprintf(hint.queue, sizeof(hint.queue), "q%0*u", width, (unsigned)(number % 5));
    snprintf(hint.type, sizeof(hint.type), "t%0*u", width, (unsigned)(number % 11));
    return hint;
}

static int64_t tick_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void publish(size_t count)
{
    static _Atomic uint64_t made;
    struct tc_hint hints[HINTS];

    for (size_t i = 0; i < count; i++)
        hints[i] = queue_hint(atomic_fetch_add(&made, 1) + 1, 0);
    ck_assert_int_eq(queue_test.queue->ops->publish(queue_test.queue, hints, count, NULL),
                     TC_OK);
}

/* @return whether it brought anything: hints, or word to look. */
static bool receive(int64_t wait_ms)
{
    struct tc_task_queue *queue = queue_test.queue;
    struct tc_hint hints[HINTS];
    struct tc_delivery delivery = { .count = 77, .look = true };
    struct tc_error err;

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

START_TEST(q6_what_was_delivered_is_received)
{
    const struct tc_hint hint = queue_hint(1, 3);
    struct tc_task_queue *queue = queue_test.queue;

    ck_assert_int_eq(queue->ops->deliver(queue, &hint, 1, LONG_MS, &queue_test.err), TC_OK);
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
        publish(i % 2);
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
    queue_test.queue->ops->interrupt(queue_test.queue);
    pthread_join(receiver, NULL);
    ck_assert(!brought);
}
END_TEST

START_TEST(an_interrupt_ends_the_next_receive_when_none_waits_and_only_that)
{
    int64_t start_ms;

    queue_test.queue->ops->interrupt(queue_test.queue);
    ck_assert(!receive(LONG_MS));
    start_ms = tick_ms();
    ck_assert(!receive(SHORT_MS));
    ck_assert_int_ge(tick_ms() - start_ms, SHORT_MS - 1);
}
END_TEST

START_TEST(an_interrupt_loses_no_hint) /* loop: interrupted before, after */
{
    if (_i)
        queue_test.queue->ops->interrupt(queue_test.queue);
    publish(1);
    if (!_i)
        queue_test.queue->ops->interrupt(queue_test.queue);
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

/* Each is a journey to a broker and back where ids are carried. */
static size_t rounds(void)
{
    return queue_test.driver->carries_ids ? ROUNDS / 20 : ROUNDS;
}

/* A little later each time, so that the hint also comes between the receiver's last look and
 * its sleep. */
static void *publish_when_seen(void *arg)
{
    (void)arg;
    for (size_t i = 1; i <= rounds(); i++) {
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
    for (size_t i = 0; i < rounds(); i++) {
        ck_assert(receive(LONG_MS));
        atomic_fetch_add(&seen, 1);
    }
    pthread_join(publisher, NULL);
}
END_TEST

/* What holds for every queue. */
static TCase *hints_tcase(void)
{
    TCase *tcase = queue_tcase("hints");

    tcase_add_test(tcase, nothing_published_brings_nothing);
    tcase_add_test(tcase, q3_a_receive_without_hints_ends_in_its_time);
    tcase_add_loop_test(tcase, a_publish_before_the_receive_is_not_missed, 1, 4);
    tcase_add_test(tcase, a_publish_ends_a_receive_that_waits);
    tcase_add_test(tcase, q3_an_interrupt_ends_a_receive_that_waits);
    tcase_add_test(tcase, an_interrupt_ends_the_next_receive_when_none_waits_and_only_that);
    tcase_add_loop_test(tcase, an_interrupt_loses_no_hint, 0, 2);
    tcase_add_test(tcase, a_hint_that_comes_while_the_receiver_falls_asleep_is_not_missed);
    tcase_add_test(tcase, q6_what_was_delivered_is_received);
    return tcase;
}

/* What holds for those that only wake: they ring for nothing, too, and cannot be full. */
static TCase *bell_tcase(void)
{
    TCase *tcase = queue_tcase("bell");

    tcase_add_loop_test(tcase, a_publish_before_the_receive_is_not_missed, 0, 1);
    tcase_add_test(tcase, several_publishes_may_come_as_one_and_then_no_more);
    tcase_add_test(tcase, a_publish_after_a_delivery_is_delivered_anew);
    tcase_add_test(tcase, q4_publishing_does_not_wait_for_a_receiver);
    tcase_add_test(tcase, whoever_looks_after_each_delivery_sees_everything);
    return tcase;
}

Suite *task_queue_suite(const struct task_queue_driver *driver)
{
    Suite *suite = suite_create(driver->name);

    queue_test.driver = driver;
    suite_add_tcase(suite, hints_tcase());
    suite_add_tcase(suite, driver->carries_ids ? task_queue_ids_tcase() : bell_tcase());
    return suite;
}
