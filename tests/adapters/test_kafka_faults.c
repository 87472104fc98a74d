/*
 * A broker that is killed, wiped, frozen or not there yet: one of this program's own, so that
 * the tests run in order in one process and each leaves it running.
 */
#define _DEFAULT_SOURCE 1 /* for setenv() and usleep() */
#include "tests/adapters/kafka_broker.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WAIT_MS  60000
#define CLOSE_MS 5000
#define LATE_MS  1000 /* what a loaded machine may add */
#define COUNT    24

static struct kafka_broker broker;
static struct tc_task_queue *queue;
static unsigned came[COUNT + 1]; /* by the number in the id */
static struct tc_error err;

static void start_broker(void)
{
    kafka_broker_start(&broker);
}

static void end_broker(void)
{
    kafka_broker_end(&broker);
}

static void open_queue(void)
{
    memset(came, 0, sizeof(came));
    queue = kafka_broker_queue(broker.address, kafka_broker_prefix());
}

static void close_queue(void)
{
    kafka_task_queue_close(queue);
    queue = NULL;
}

static struct tc_hint hint_of(size_t number)
{
    struct tc_hint hint = { .id = tc_id_make(1700000000000, 1, number),
                            .queue = "default",
                            .type = "test",
                            .priority = (int)(number % 11) };

    return hint;
}

static enum tc_code deliver(size_t number, int64_t wait_ms)
{
    struct tc_hint hint = hint_of(number);

    return queue->ops->deliver(queue, &hint, 1, wait_ms, &err);
}

/* As a publisher would, again until it is taken: topics made just now are not known to every
 * part of the broker at once. */
static void deliver_all(size_t from, size_t to)
{
    int64_t end_ms = kafka_broker_ms() + WAIT_MS;

    for (size_t number = from; number <= to; number++)
        while (deliver(number, WAIT_MS) != TC_OK)
            ck_assert_msg(kafka_broker_ms() < end_ms, "%s", err.message);
}

static enum tc_code publish(size_t number)
{
    struct tc_hint hint = hint_of(number);

    return queue->ops->publish(queue, &hint, 1, &err);
}

/* @return how many came; commits them. Always in time. */
static size_t receive(int64_t wait_ms)
{
    struct tc_hint hints[8];
    struct tc_delivery delivery;
    int64_t start_ms = kafka_broker_ms();

    ck_assert_int_eq(queue->ops->receive(queue, wait_ms, 8, hints, &delivery, &err), TC_OK);
    ck_assert_int_le(kafka_broker_ms() - start_ms, wait_ms + 100 + LATE_MS);
    for (size_t i = 0; i < delivery.count; i++)
        came[hints[i].id.bytes[15] % (COUNT + 1)]++;
    ck_assert_int_eq(queue->ops->commit(queue, delivery.receipt, &err), TC_OK);
    return delivery.count;
}

static void receive_all(size_t from, size_t to)
{
    int64_t end_ms = kafka_broker_ms() + WAIT_MS;

    for (size_t number = from; number <= to; number++)
        while (!came[number]) {
            ck_assert_msg(kafka_broker_ms() < end_ms, "hint %zu does not come", number);
            receive(500);
        }
}

static size_t missing(size_t from, size_t to)
{
    size_t count = 0;

    for (size_t number = from; number <= to; number++)
        count += !came[number];
    return count;
}

static void close_in_time(void)
{
    int64_t start_ms = kafka_broker_ms();

    close_queue();
    ck_assert_int_le(kafka_broker_ms() - start_ms, CLOSE_MS);
}

START_TEST(a_broker_that_is_killed_and_comes_back_loses_nothing_and_needs_nobody)
{
    deliver_all(1, 12);
    receive_all(1, 6);
    kafka_broker_kill(&broker, SIGKILL);
    kafka_broker_await(queue, TC_UNAVAILABLE);
    ck_assert_int_eq(publish(13), TC_UNAVAILABLE);
    ck_assert_int_eq(deliver(13, WAIT_MS), TC_UNAVAILABLE);
    receive(50);
    kafka_broker_start(&broker);
    kafka_broker_await(queue, TC_OK);
    deliver_all(13, COUNT);
    receive_all(1, COUNT);
}
END_TEST

/* A consumer that has not noticed yet goes on where it was in a topic that is not the same any
 * more, and passes over what is new before that place. So hints are told again until they come,
 * as announcements are: that ends, and nobody has to do anything for it. */
START_TEST(a_broker_that_has_lost_everything_is_used_again)
{
    int64_t end_ms;

    deliver_all(1, 6);
    receive_all(1, 6);
    kafka_broker_kill(&broker, SIGKILL);
    kafka_broker_wipe(&broker);
    kafka_broker_start(&broker);
    kafka_broker_await(queue, TC_OK);
    end_ms = kafka_broker_ms() + WAIT_MS;
    while (missing(7, COUNT) > 0) {
        ck_assert_msg(kafka_broker_ms() < end_ms, "%zu hints do not come", missing(7, COUNT));
        for (size_t number = 7; number <= COUNT; number++)
            if (!came[number])
                deliver_all(number, number);
        for (int i = 0; i < 10 && missing(7, COUNT) > 0; i++)
            receive(500);
    }
}
END_TEST

START_TEST(a_broker_that_hangs_is_unknown_then_away_and_found_again)
{
    deliver_all(1, 1);
    receive_all(1, 1);
    kafka_broker_kill(&broker, SIGSTOP);
    ck_assert_int_eq(deliver(2, 300), TC_UNKNOWN);
    receive(50);
    kafka_broker_await(queue, TC_UNAVAILABLE);
    ck_assert_int_eq(deliver(3, 300), TC_UNAVAILABLE);
    kafka_broker_kill(&broker, SIGCONT);
    kafka_broker_await(queue, TC_OK);
    deliver_all(4, 4);
    receive_all(4, 4);
}
END_TEST

START_TEST(a_flood_into_a_broker_that_hangs_is_refused_in_bounded_time)
{
    size_t accepted = 0;
    int64_t start_ms = kafka_broker_ms();

    kafka_broker_kill(&broker, SIGSTOP);
    while (accepted < 1000000 && publish(1 + accepted % COUNT) == TC_OK)
        accepted++;
    ck_assert_uint_lt(accepted, 200000);
    ck_assert_int_lt(kafka_broker_ms() - start_ms, 20000);
    kafka_broker_kill(&broker, SIGCONT);
    kafka_broker_await(queue, TC_OK);
    receive_all(1, COUNT);
}
END_TEST

START_TEST(a_broker_that_hangs_does_not_hold_up_the_end)
{
    deliver_all(1, 1);
    receive_all(1, 1);
    kafka_broker_kill(&broker, SIGSTOP);
    (void)publish(2);
    close_in_time();
    kafka_broker_kill(&broker, SIGCONT);
}
END_TEST

/* With hints on their way: first the end, then a new beginning. */
START_TEST(without_a_broker_a_queue_closes_and_opens_and_finds_it_when_it_comes)
{
    const struct kafka_task_queue_config config = { .brokers = broker.address,
                                                    .prefix = kafka_broker_prefix(),
                                                    .receives = true };

    deliver_all(1, 2);
    receive_all(1, 1);
    kafka_broker_kill(&broker, SIGKILL);
    (void)publish(3);
    close_in_time();
    ck_assert_int_eq(kafka_task_queue_open(&config, &queue, &err), TC_OK);
    ck_assert_int_eq(queue->ops->publish(queue, NULL, 0, &err), TC_UNAVAILABLE);
    receive(50);
    kafka_broker_start(&broker);
    kafka_broker_await(queue, TC_OK);
    deliver_all(1, COUNT);
    receive_all(1, COUNT);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("kafka_faults");
    TCase *tcase = tcase_create("a broker of its own");

    setenv("CK_FORK", "no", 1); /* the broker is this process's child */
    tcase_add_unchecked_fixture(tcase, start_broker, end_broker);
    tcase_add_checked_fixture(tcase, open_queue, close_queue);
    tcase_add_test(tcase,
                   a_broker_that_is_killed_and_comes_back_loses_nothing_and_needs_nobody);
    tcase_add_test(tcase, a_broker_that_has_lost_everything_is_used_again);
    tcase_add_test(tcase, a_broker_that_hangs_is_unknown_then_away_and_found_again);
    tcase_add_test(tcase, a_flood_into_a_broker_that_hangs_is_refused_in_bounded_time);
    tcase_add_test(tcase, a_broker_that_hangs_does_not_hold_up_the_end);
    tcase_add_test(tcase, without_a_broker_a_queue_closes_and_opens_and_finds_it_when_it_comes);
    suite_add_tcase(suite, tcase);
    return kafka_broker_run(suite);
}
