/* What the adapter takes and refuses, without a broker; and its receipts. */
#include "adapters/kafka/kafka_receipts.h"
#include "adapters/kafka/kafka_settings.h"
#include "tests/support/run_suite.h"

#include <check.h>
#include <string.h>

static struct kafka_settings settings;
static struct tc_error err;

static enum tc_code init(const struct kafka_task_queue_config *config)
{
    enum tc_code code = kafka_settings_init(&settings, config, &err);

    if (code != TC_OK)
        kafka_settings_release(&settings);
    return code;
}

static enum tc_code init_option(const char *name, const char *value)
{
    const struct kafka_option option = { name, value };
    const struct kafka_task_queue_config config = { .brokers = "localhost:1",
                                                    .options = &option,
                                                    .option_count = 1 };

    return init(&config);
}

START_TEST(zero_means_the_default)
{
    const struct kafka_task_queue_config config = { .brokers = "localhost:1" };

    ck_assert_int_eq(init(&config), TC_OK);
    ck_assert_str_eq(settings.topics[KAFKA_HIGH], "taskcore.high");
    ck_assert_str_eq(settings.topics[KAFKA_NORMAL], "taskcore.normal");
    ck_assert_str_eq(settings.topics[KAFKA_LOW], "taskcore.low");
    ck_assert_int_eq(settings.partitions, 12);
    ck_assert_int_eq(settings.replication, 1);
    ck_assert_int_eq(settings.message_ms, 30000);
    kafka_settings_release(&settings);
}
END_TEST

START_TEST(priorities_fall_into_three_bands)
{
    for (int priority = 0; priority <= TC_PRIORITY_MAX; priority++)
        ck_assert_int_eq(kafka_band_of(priority), priority == 0  ? KAFKA_LOW
                                                  : priority < 6 ? KAFKA_NORMAL
                                                                 : KAFKA_HIGH);
}
END_TEST

static const struct {
    const char *why;
    struct kafka_task_queue_config config;
} bad[] = {
    { "no broker", { .prefix = "x" } },
    { "an empty address", { .brokers = "" } },
    { "an empty prefix", { .brokers = "b", .prefix = "" } },
    { "a prefix with a slash", { .brokers = "b", .prefix = "a/b" } },
    { "a prefix with a space", { .brokers = "b", .prefix = "a b" } },
    { "too many partitions", { .brokers = "b", .partitions = 10001 } },
    { "a negative replication", { .brokers = "b", .replication = -2 } },
    { "a negative time", { .brokers = "b", .message_ms = -1 } },
    { "a time too long", { .brokers = "b", .message_ms = INT64_C(3000000000) } },
};

START_TEST(a_bad_setting_is_refused) /* loop over the settings */
{
    ck_assert_msg(init(&bad[_i].config) == TC_INVALID, "%s", bad[_i].why);
    ck_assert(err.message[0]);
}
END_TEST

static const char *const guarded[] = {
    "acks",
    "allow.auto.create.topics",
    "auto.offset.reset",
    "bootstrap.servers",
    "delivery.report.only.error",
    "delivery.timeout.ms",
    "enable.auto.commit",
    "enable.auto.offset.store",
    "Enable.Auto.Offset.Store",
    "enable.idempotence",
    "group.id",
    "group.instance.id",
    "max.poll.interval.ms",
    "message.timeout.ms",
    "metadata.broker.list",
    "partition.assignment.strategy",
    "request.required.acks",
    "transactional.id",
};

START_TEST(an_option_that_would_break_a_promise_is_refused_by_name) /* loop over the options */
{
    ck_assert_int_eq(init_option(guarded[_i], "1"), TC_INVALID);
    ck_assert_ptr_nonnull(strstr(err.message, "cannot be set"));
    ck_assert_int_eq(strncmp(err.message, "kafka option '", 14), 0);
}
END_TEST

START_TEST(other_options_reach_producer_and_consumer)
{
    rd_kafka_conf_t *conf[2];
    char value[64];
    size_t size = sizeof(value);

    ck_assert_int_eq(init_option("session.timeout.ms", "7654"), TC_OK);
    ck_assert_int_eq(kafka_settings_producer(&settings, &conf[0], &err), TC_OK);
    ck_assert_int_eq(kafka_settings_consumer(&settings, KAFKA_LOW, &conf[1], &err), TC_OK);
    for (int i = 0; i < 2; i++) {
        size = sizeof(value);
        ck_assert_int_eq(rd_kafka_conf_get(conf[i], "session.timeout.ms", value, &size),
                         RD_KAFKA_CONF_OK);
        ck_assert_str_eq(value, "7654");
        rd_kafka_conf_destroy(conf[i]);
    }
    kafka_settings_release(&settings);
}
END_TEST

static void refuse(const char *name, const char *value)
{
    const struct kafka_option option = { name, value };
    const struct kafka_task_queue_config config = { .brokers = "localhost:1",
                                                    .options = &option,
                                                    .option_count = 1 };
    struct tc_task_queue *queue;

    ck_assert_int_eq(kafka_task_queue_open(&config, &queue, &err), TC_INVALID);
    ck_assert_msg(!strstr(err.message, "s3cret"), "%s", err.message);
}

START_TEST(an_option_that_the_library_refuses_is_named_without_its_value)
{
    refuse("sasl.passwort", "s3cret");
    ck_assert_ptr_nonnull(strstr(err.message, "sasl.passwort"));
    refuse("socket.timeout.ms", "s3cret");
    ck_assert_ptr_nonnull(strstr(err.message, "socket.timeout.ms"));
    refuse("client.id", "s3cret-0123456789-0123456789-0123456789-0123456789-0123456789-0123");
    refuse("security.protocol", "s3cret");
}
END_TEST

START_TEST(options_that_do_not_go_together_are_refused_at_open)
{
    const struct kafka_option options[] = { { "security.protocol", "ssl" },
                                            { "ssl.ca.location", "/nonexistent" } };
    const struct kafka_task_queue_config config = { .brokers = "localhost:1",
                                                    .options = options,
                                                    .option_count = 2 };
    struct tc_task_queue *queue;

    ck_assert_int_eq(kafka_task_queue_open(&config, &queue, &err), TC_INVALID);
    ck_assert(err.message[0]);
}
END_TEST

/* --- receipts */

static struct kafka_place place_of(int32_t partition, int64_t offset)
{
    return (struct kafka_place){ KAFKA_NORMAL, 1, partition, offset };
}

START_TEST(a_receipt_keeps_the_last_offset_of_each_partition)
{
    struct kafka_receipts receipts = { .last = 0 };
    struct kafka_receipt *receipt = kafka_receipts_begin(&receipts);

    for (int64_t offset = 0; offset < 100; offset++) {
        struct kafka_place place = place_of((int32_t)(offset % 40), offset);

        ck_assert(kafka_receipt_add(receipt, &place));
    }
    ck_assert_uint_eq(receipt->count, 40);
    for (size_t i = 0; i < receipt->count; i++)
        ck_assert_int_ge(receipt->places[i].offset, 60);
    kafka_receipts_release(&receipts);
}
END_TEST

START_TEST(several_receipts_are_outstanding_and_the_oldest_is_forgotten)
{
    struct kafka_receipts receipts = { .last = 0 };
    const struct kafka_place place = place_of(0, 1);

    for (uint64_t number = 1; number <= KAFKA_RECEIPTS + 1; number++) {
        struct kafka_receipt *receipt = kafka_receipts_begin(&receipts);

        ck_assert_uint_eq(receipt->number, number);
        ck_assert(kafka_receipt_add(receipt, &place));
    }
    ck_assert_ptr_null(kafka_receipts_find(&receipts, 0));
    ck_assert_ptr_null(kafka_receipts_find(&receipts, 1));
    ck_assert_ptr_nonnull(kafka_receipts_find(&receipts, 2));
    ck_assert_ptr_nonnull(kafka_receipts_find(&receipts, KAFKA_RECEIPTS + 1));
    kafka_receipts_release(&receipts);
}
END_TEST

START_TEST(a_delivery_of_nothing_uses_up_no_receipt)
{
    struct kafka_receipts receipts = { .last = 0 };

    for (int i = 0; i < 3; i++)
        ck_assert_uint_eq(kafka_receipts_begin(&receipts)->number, 1);
    kafka_receipts_release(&receipts);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("kafka_settings");
    TCase *tcase = tcase_create("settings");
    TCase *receipts = tcase_create("receipts");

    tcase_add_test(tcase, zero_means_the_default);
    tcase_add_test(tcase, priorities_fall_into_three_bands);
    tcase_add_loop_test(tcase, a_bad_setting_is_refused, 0, (int)(sizeof(bad) / sizeof(*bad)));
    tcase_add_loop_test(tcase, an_option_that_would_break_a_promise_is_refused_by_name, 0,
                        (int)(sizeof(guarded) / sizeof(*guarded)));
    tcase_add_test(tcase, other_options_reach_producer_and_consumer);
    tcase_add_test(tcase, an_option_that_the_library_refuses_is_named_without_its_value);
    tcase_add_test(tcase, options_that_do_not_go_together_are_refused_at_open);
    tcase_add_test(receipts, a_receipt_keeps_the_last_offset_of_each_partition);
    tcase_add_test(receipts, several_receipts_are_outstanding_and_the_oldest_is_forgotten);
    tcase_add_test(receipts, a_delivery_of_nothing_uses_up_no_receipt);
    suite_add_tcase(suite, tcase);
    suite_add_tcase(suite, receipts);
    return run_suite(suite);
}
