/* Topics, partitions, groups and offsets, on the shared broker. */
#include "tests/adapters/kafka_broker.h"
#include "tests/support/fakes.h"

#include <stdio.h>
#include <string.h>

#define WAIT_MS    30000
#define PARTITIONS 4 /* as kafka_broker_queue() makes them */
#define COUNT      40

static char prefix[128];
static struct tc_task_queue *queue;
static unsigned came[COUNT + 1]; /* by the number in the id */
static struct tc_error err;

static void open_queue(void)
{
    snprintf(prefix, sizeof(prefix), "%s", kafka_broker_prefix());
    queue = kafka_broker_queue(kafka_broker_address(), prefix);
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
                            .priority = 3 };

    return hint;
}

static enum tc_code deliver(size_t number)
{
    struct tc_hint hint = hint_of(number);

    return queue->ops->deliver(queue, &hint, 1, WAIT_MS, &err);
}

/* A topic that was made just now is not known to every part of the broker at once: as a
 * publisher would, again until it is taken. */
static void deliver_all(size_t from, size_t to)
{
    int64_t end_ms = kafka_broker_ms() + WAIT_MS;

    for (size_t number = from; number <= to; number++)
        while (deliver(number) != TC_OK)
            ck_assert_msg(kafka_broker_ms() < end_ms, "%s", err.message);
}

/* @return how many came. */
static size_t receive(struct tc_task_queue *from, int64_t wait_ms, bool commit)
{
    struct tc_hint hints[8];
    struct tc_delivery delivery;

    ck_assert_int_eq(from->ops->receive(from, wait_ms, 8, hints, &delivery, &err), TC_OK);
    for (size_t i = 0; i < delivery.count; i++)
        came[hints[i].id.bytes[15] % (COUNT + 1)]++;
    if (commit && delivery.count > 0)
        ck_assert_int_eq(from->ops->commit(from, delivery.receipt, &err), TC_OK);
    return delivery.count;
}

static void receive_all(struct tc_task_queue *from, size_t first, size_t last, bool commit)
{
    int64_t end_ms = kafka_broker_ms() + WAIT_MS;

    for (size_t number = first; number <= last; number++)
        while (!came[number]) {
            ck_assert_msg(kafka_broker_ms() < end_ms, "hint %zu does not come", number);
            receive(from, 200, commit);
        }
}

static const struct {
    const char *why;
    const char *bytes;
    size_t len;
} foreign[] = {
    { "nothing", "", 0 },
    { "zeros", "\0\0\0\0", 4 },
    { "a later version", "2 whatever it says", 18 },
    { "a JSON document", "{\"id\": 1}", 9 },
    { "one word more", "1 018bcfe5-6800-7001-8000-000000000001 default test 3 4", 56 },
    { "a line of a log", "\033[31m\r\nfake entry\n", 18 },
};

START_TEST(what_is_no_hint_is_passed_over_and_committed) /* loop over what it is */
{
    const char *topic = kafka_broker_topic(prefix, "normal");
    int64_t committed = 0;

    kafka_broker_send(kafka_broker_address(), topic, foreign[_i].bytes, foreign[_i].len);
    deliver_all(1, 1);
    receive_all(queue, 1, 1, true);
    /* The other may lie in another partition, and what is committed goes out now and then. */
    for (int tries = 0; tries < 50 && committed < 2; tries++) {
        receive(queue, 100, true);
        committed = kafka_broker_committed(kafka_broker_address(), topic, PARTITIONS);
    }
    ck_assert_int_ge(committed, 2); /* a delivery that was repeated counts as well */
}
END_TEST

START_TEST(messages_of_any_length_are_told_of_in_short_lines_and_not_too_often)
{
    struct fake_logger logger;
    const struct kafka_task_queue_config config = { .brokers = kafka_broker_address(),
                                                    .prefix = prefix,
                                                    .receives = true,
                                                    .logger = &logger.base };
    char long_one[5000];

    fake_logger_init(&logger, TC_LOG_WARN);
    close_queue();
    ck_assert_int_eq(kafka_task_queue_open(&config, &queue, &err), TC_OK);
    kafka_broker_await(queue, TC_OK);
    memset(long_one, 'x', sizeof(long_one));
    for (int i = 0; i < 30; i++)
        kafka_broker_send(kafka_broker_address(), kafka_broker_topic(prefix, "normal"),
                          long_one, sizeof(long_one));
    deliver_all(1, 1);
    receive_all(queue, 1, 1, true);
    for (int i = 0; i < 10; i++)
        receive(queue, 100, true);
    close_queue();
    ck_assert_uint_ge(logger.count, 1);
    ck_assert_uint_le(logger.count, 30);
    ck_assert_uint_lt(strlen(logger.message), 300);
}
END_TEST

/* Its first hints may be hidden by offsets of the old one, never those that come later. */
START_TEST(a_topic_that_is_deleted_is_made_anew_and_delivers_again)
{
    int64_t end_ms = kafka_broker_ms() + WAIT_MS;

    deliver_all(1, 20);
    receive_all(queue, 1, 20, true);
    kafka_broker_delete(kafka_broker_address(), kafka_broker_topic(prefix, "normal"));
    for (size_t number = 0; number < 20 || !came[21 + number % 20]; number++) {
        ck_assert_int_lt(kafka_broker_ms(), end_ms);
        (void)deliver(21 + number % 20);
        receive(queue, 20, true);
    }
}
END_TEST

START_TEST(what_a_receiver_that_ends_had_not_committed_goes_to_the_other)
{
    struct tc_task_queue *second = kafka_broker_queue(kafka_broker_address(), prefix);
    unsigned had[COUNT + 1];

    deliver_all(1, COUNT);
    receive_all(queue, 1, 1, false); /* and a few others; all, when it is still alone */
    memcpy(had, came, sizeof(had));
    memset(came, 0, sizeof(came));
    close_queue();
    queue = second;
    for (size_t number = 1; number <= COUNT; number++)
        if (had[number])
            receive_all(second, number, number, true);
}
END_TEST

START_TEST(receivers_that_come_and_go_lose_nothing_that_was_not_committed)
{
    struct tc_task_queue *second;

    deliver_all(1, COUNT / 2);
    receive(queue, 2000, true);
    second = kafka_broker_queue(kafka_broker_address(), prefix);
    receive(second, 1000, true);
    receive(queue, 100, true);
    deliver_all(COUNT / 2 + 1, COUNT);
    kafka_task_queue_close(second);
    receive_all(queue, 1, COUNT, true);
}
END_TEST

START_TEST(what_was_committed_is_at_the_broker_when_the_queue_has_closed)
{
    const char *topic = kafka_broker_topic(prefix, "normal");

    deliver_all(1, COUNT);
    receive_all(queue, 1, COUNT, true);
    close_queue();
    ck_assert_int_eq(kafka_broker_committed(kafka_broker_address(), topic, PARTITIONS), COUNT);
}
END_TEST

START_TEST(a_few_hints_go_evenly_to_all_partitions)
{
    const char *topic = kafka_broker_topic(prefix, "normal");
    struct tc_hint hints[8];

    for (size_t i = 0; i < 8; i++)
        hints[i] = hint_of(i + 1);
    ck_assert_int_eq(queue->ops->deliver(queue, hints, 8, WAIT_MS, &err), TC_OK);
    for (int count = 1; count <= PARTITIONS; count++)
        ck_assert_int_eq(kafka_broker_stored(kafka_broker_address(), topic, count), 2 * count);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("kafka_groups");
    TCase *tcase = tcase_create("groups");

    tcase_set_timeout(tcase, 90);
    tcase_add_checked_fixture(tcase, open_queue, close_queue);
    tcase_add_loop_test(tcase, what_is_no_hint_is_passed_over_and_committed, 0,
                        (int)(sizeof(foreign) / sizeof(*foreign)));
    tcase_add_test(tcase, messages_of_any_length_are_told_of_in_short_lines_and_not_too_often);
    tcase_add_test(tcase, a_topic_that_is_deleted_is_made_anew_and_delivers_again);
    tcase_add_test(tcase, what_a_receiver_that_ends_had_not_committed_goes_to_the_other);
    tcase_add_test(tcase, receivers_that_come_and_go_lose_nothing_that_was_not_committed);
    tcase_add_test(tcase, what_was_committed_is_at_the_broker_when_the_queue_has_closed);
    tcase_add_test(tcase, a_few_hints_go_evenly_to_all_partitions);
    suite_add_tcase(suite, tcase);
    return kafka_broker_run(suite);
}
