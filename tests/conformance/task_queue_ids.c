/*
 * Queues that carry ids. A hint may come twice [Q1], so these tests count how often each came
 * and ask for "at least once", except where they say otherwise.
 */

#include "tests/conformance/task_queue_tcases.h"

#include <pthread.h>
#include <string.h>

#define NUMBERS_MAX 20001
#define GROUP       100
#define PRIORITIES  11

static unsigned came[NUMBERS_MAX]; /* by the hint's number: how often */
static size_t distinct;

static uint64_t number_of(const struct tc_id *id)
{
    uint64_t number = 0;

    for (size_t i = 8; i < sizeof(id->bytes); i++)
        number = number << 8 | id->bytes[i];
    return number & ~(UINT64_C(3) << 62); /* the variant */
}

/* As it was published, and nothing that was not. */
static void check_in(const struct tc_hint *hint)
{
    uint64_t number = number_of(&hint->id);
    struct tc_hint expected = queue_hint(number, hint->priority);

    ck_assert(number > 0 && number < NUMBERS_MAX);
    ck_assert_int_eq(tc_id_compare(&hint->id, &expected.id), 0);
    ck_assert_str_eq(hint->queue, expected.queue);
    ck_assert_str_eq(hint->type, expected.type);
    if (came[number]++ == 0)
        distinct++;
}

static void forget_what_came(void)
{
    memset(came, 0, sizeof(came));
    distinct = 0;
}

static void commit(uint64_t receipt)
{
    struct tc_task_queue *queue = queue_test.queue;

    ck_assert_int_eq(queue->ops->commit(queue, receipt, &queue_test.err), TC_OK);
}

/* One delivery of something, checked in and not committed. */
static struct tc_delivery take(size_t max, struct tc_hint *ret_hints)
{
    struct tc_task_queue *queue = queue_test.queue;
    struct tc_delivery delivery = { 0 };

    while (delivery.count == 0)
        ck_assert_int_eq(
            queue->ops->receive(queue, LONG_MS, max, ret_hints, &delivery, &queue_test.err),
            TC_OK);
    ck_assert_uint_le(delivery.count, max);
    for (size_t i = 0; i < delivery.count; i++)
        check_in(&ret_hints[i]);
    return delivery;
}

/* Receive and commit until so many different ones have come. Hangs when one is lost. */
static void take_until(size_t wanted)
{
    struct tc_hint hints[GROUP];

    while (distinct < wanted)
        commit(take(GROUP, hints).receipt);
}

static void make_group(uint64_t first, size_t count, struct tc_hint *ret_hints)
{
    for (size_t i = 0; i < count; i++)
        ret_hints[i] = queue_hint(first + i, (int)((first + i) % PRIORITIES));
}

static void deliver(uint64_t first, size_t count)
{
    struct tc_task_queue *queue = queue_test.queue;
    struct tc_hint hints[GROUP];

    make_group(first, count, hints);
    ck_assert_msg(queue->ops->deliver(queue, hints, count, LONG_MS, &queue_test.err) == TC_OK,
                  "deliver: %s", queue_test.err.message);
}

static enum tc_code publish(uint64_t first, size_t count)
{
    struct tc_task_queue *queue = queue_test.queue;
    struct tc_hint hints[GROUP];

    make_group(first, count, hints);
    return queue->ops->publish(queue, hints, count, NULL);
}

START_TEST(q1_a_hint_comes_as_it_was_published)
{
    struct tc_hint hints[PRIORITIES];

    ck_assert_int_eq(publish(1, PRIORITIES), TC_OK);
    while (distinct < PRIORITIES) {
        struct tc_delivery delivery = take(PRIORITIES, hints);

        for (size_t i = 0; i < delivery.count; i++)
            ck_assert_int_eq(hints[i].priority, (int)(number_of(&hints[i].id) % PRIORITIES));
    }
}
END_TEST

START_TEST(a_look_cannot_be_told)
{
    struct tc_task_queue *queue = queue_test.queue;
    struct tc_delivery delivery = { .count = 77, .look = true };
    struct tc_hint hint;

    ck_assert_int_eq(queue->ops->publish(queue, NULL, 0, NULL), TC_OK);
    ck_assert_int_eq(queue->ops->receive(queue, SHORT_MS, 1, &hint, &delivery, NULL), TC_OK);
    ck_assert(delivery.count == 0 && !delivery.look);
}
END_TEST

START_TEST(a_delivery_is_no_larger_than_was_asked_for_and_the_rest_comes_next)
{
    struct tc_hint hint;

    deliver(1, 5);
    while (distinct < 5)
        ck_assert_uint_eq(take(1, &hint).count, 1);
}
END_TEST

#define PUBLISHERS 3
#define EACH       2000

static void *publish_each(void *arg)
{
    const uint64_t *first = arg;

    for (uint64_t i = 0; i < EACH; i++)
        ck_assert_int_eq(publish(*first + i, 1), TC_OK);
    return NULL;
}

START_TEST(what_several_threads_publish_all_comes)
{
    pthread_t publishers[PUBLISHERS];
    uint64_t firsts[PUBLISHERS];

    for (size_t i = 0; i < PUBLISHERS; i++) {
        firsts[i] = 1 + i * EACH;
        ck_assert_int_eq(pthread_create(&publishers[i], NULL, publish_each, &firsts[i]), 0);
    }
    take_until((size_t)PUBLISHERS * EACH);
    for (size_t i = 0; i < PUBLISHERS; i++)
        pthread_join(publishers[i], NULL);
}
END_TEST

START_TEST(q4_a_flood_is_refused_or_received_and_does_not_block)
{
    size_t accepted = 0;

    for (uint64_t number = 1; number < NUMBERS_MAX; number++) {
        enum tc_code code = publish(number, 1);

        ck_assert(code == TC_OK || code == TC_UNAVAILABLE);
        accepted += code == TC_OK;
    }
    ck_assert_uint_ge(accepted, 1);
    take_until(accepted);
}
END_TEST

START_TEST(q6_everything_delivered_can_be_received)
{
    for (uint64_t group = 0; group < 10; group++)
        deliver(1 + group * GROUP, GROUP);
    take_until((size_t)10 * GROUP);
}
END_TEST

/* Higher first, within the delivery. @return whether it had anything to put in order. */
static bool is_ordered(const struct tc_hint *hints, size_t count)
{
    for (size_t i = 1; i < count; i++)
        ck_assert_int_ge(hints[i - 1].priority, hints[i].priority);
    return count > 1 && hints[0].priority > hints[count - 1].priority;
}

/* Until there was a delivery with something to put in order: one that came bit by bit proves
 * nothing. */
START_TEST(q5_within_a_delivery_the_higher_priority_comes_first)
{
    struct tc_hint hints[GROUP];
    bool mixed = false;

    for (uint64_t round = 0; !mixed || round < 5; round++) {
        deliver(1 + round * PRIORITIES, PRIORITIES);
        while (distinct < (round + 1) * PRIORITIES) {
            struct tc_delivery delivery = take(GROUP, hints);

            mixed = is_ordered(hints, delivery.count) || mixed;
            commit(delivery.receipt);
        }
    }
}
END_TEST

static void reopen(void)
{
    ck_assert_msg(queue_test.driver->reopen(&queue_test.queue, &queue_test.err) == TC_OK,
                  "reopen: %s", queue_test.err.message);
}

static size_t take_without_commit(size_t wanted)
{
    struct tc_hint hints[GROUP];
    size_t first = distinct;

    while (distinct < first + wanted)
        take(1, hints);
    return distinct;
}

START_TEST(q2_what_was_not_committed_comes_again_when_the_receiver_is_gone)
{
    deliver(1, GROUP);
    take_without_commit(GROUP / 2); /* some were received, some were not */
    reopen();
    forget_what_came();
    take_until(GROUP);
}
END_TEST

/* What a receiver committed while it lived, and ended in good order. */
START_TEST(q2_what_was_committed_does_not_come_again)
{
    deliver(1, GROUP);
    take_until(GROUP);
    reopen();
    forget_what_came();
    deliver(GROUP + 1, GROUP);
    take_until(GROUP);
    for (uint64_t number = 1; number <= GROUP; number++)
        ck_assert_uint_eq(came[number], 0);
}
END_TEST

START_TEST(q2_a_commit_covers_what_was_received_up_to_it_and_no_more)
{
    unsigned committed[NUMBERS_MAX];
    struct tc_hint hints[GROUP];

    deliver(1, GROUP);
    while (distinct < GROUP / 3)
        commit(take(GROUP / 10, hints).receipt);
    memcpy(committed, came, sizeof(committed));
    take_without_commit(GROUP / 3);
    reopen();
    forget_what_came();
    deliver(GROUP + 1, 1);
    for (uint64_t number = 1; number <= GROUP + 1; number++)
        while (!committed[number] && !came[number])
            take(GROUP, hints);
    for (uint64_t number = 1; number <= GROUP; number++)
        ck_assert(!committed[number] || !came[number]);
}
END_TEST

TCase *task_queue_ids_tcase(void)
{
    TCase *tcase = queue_tcase("ids");

    tcase_add_checked_fixture(tcase, forget_what_came, NULL);
    tcase_add_test(tcase, q1_a_hint_comes_as_it_was_published);
    tcase_add_test(tcase, a_look_cannot_be_told);
    tcase_add_test(tcase, a_delivery_is_no_larger_than_was_asked_for_and_the_rest_comes_next);
    tcase_add_test(tcase, what_several_threads_publish_all_comes);
    tcase_add_test(tcase, q4_a_flood_is_refused_or_received_and_does_not_block);
    tcase_add_test(tcase, q5_within_a_delivery_the_higher_priority_comes_first);
    tcase_add_test(tcase, q6_everything_delivered_can_be_received);
    if (!queue_test.driver->reopen)
        return tcase;
    tcase_add_test(tcase, q2_what_was_not_committed_comes_again_when_the_receiver_is_gone);
    tcase_add_test(tcase, q2_what_was_committed_does_not_come_again);
    tcase_add_test(tcase, q2_a_commit_covers_what_was_received_up_to_it_and_no_more);
    return tcase;
}
