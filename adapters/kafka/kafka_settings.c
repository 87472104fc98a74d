#include "adapters/kafka/kafka_settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define DEFAULT_PREFIX     "taskcore"
#define DEFAULT_PARTITIONS 12
#define DEFAULT_MESSAGE_MS 30000
#define PREFIX_MAX         200 /* a topic's name has 249 bytes at most */
#define PARTITIONS_MAX     10000
#define CLIENT_ID_MAX      64 /* librdkafka 2.0.2 fails on long ones */

/* An option and why it cannot be overridden. */
struct refusal {
    const char *name;
    const char *why;
};

static const struct refusal refusals[] = {
    { "acks", "acknowledged must mean stored" },
    { "allow.auto.create.topics", "topics are created with the partitions asked for" },
    { "auto.offset.reset", "it could lose what was not received" },
    { "bootstrap.servers", "brokers are given by the queue's address" },
    { "delivery.report.only.error", "every acknowledgement counts" },
    { "delivery.timeout.ms", "it is a setting of its own" },
    { "enable.auto.commit", "offsets are committed after the claim" },
    { "enable.auto.offset.store", "offsets are committed after the claim" },
    { "enable.idempotence", "acknowledged must mean stored" },
    { "group.id", "each band has its group" },
    { "group.instance.id", "workers that share it would throw each other out" },
    { "log.queue", "nobody reads such a queue" },
    { "max.poll.interval.ms", "a worker whose slots are busy does not poll" },
    { "message.timeout.ms", "it is a setting of its own" },
    { "metadata.broker.list", "brokers are given by the queue's address" },
    { "partition.assignment.strategy", "the others loop for ever in this library" },
    { "request.required.acks", "acknowledged must mean stored" },
    { "transactional.id", "hints are not sent in transactions" },
};

enum kafka_band kafka_band_of(int priority)
{
    if (priority > 5)
        return KAFKA_HIGH;
    return priority > 0 ? KAFKA_NORMAL : KAFKA_LOW;
}

static enum tc_code check_option(const struct kafka_option *option, struct tc_error *err)
{
    if (!option->name || !option->value)
        return tc_fail(err, TC_INVALID, "a kafka option without name or value");
    for (size_t i = 0; i < sizeof(refusals) / sizeof(*refusals); i++)
        if (strcasecmp(option->name, refusals[i].name) == 0)
            return tc_fail(err, TC_INVALID, "kafka option '%s' cannot be set: %s",
                           refusals[i].name, refusals[i].why);
    if (strcmp(option->name, "client.id") == 0 && strlen(option->value) > CLIENT_ID_MAX)
        return tc_fail(err, TC_INVALID, "kafka option 'client.id' has more than %d bytes",
                       CLIENT_ID_MAX);
    return TC_OK;
}

static bool is_prefix(const char *prefix)
{
    const char *allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    size_t len = strlen(prefix);

    return len >= 1 && len <= PREFIX_MAX && strspn(prefix, allowed) == len;
}

static enum tc_code check(const struct kafka_task_queue_config *config, struct tc_error *err)
{
    if (!config->brokers || !config->brokers[0])
        return tc_fail(err, TC_INVALID, "no kafka broker is given");
    if (config->prefix && !is_prefix(config->prefix))
        return tc_fail(err, TC_INVALID, "'%.64s' cannot begin the name of a kafka topic",
                       config->prefix);
    if (config->partitions > PARTITIONS_MAX)
        return tc_fail(err, TC_INVALID, "more than %d partitions a topic", PARTITIONS_MAX);
    if (config->replication < -1 || config->replication > INT16_MAX)
        return tc_fail(err, TC_INVALID, "a replication of %d", config->replication);
    if (config->message_ms < 0 || config->message_ms > INT32_MAX)
        return tc_fail(err, TC_INVALID, "%lld ms for a message", (long long)config->message_ms);
    for (size_t i = 0; i < config->option_count; i++)
        if (check_option(&config->options[i], err) != TC_OK)
            return TC_INVALID;
    return TC_OK;
}

static char *topic_name(const char *prefix, enum kafka_band band)
{
    static const char *const bands[KAFKA_BANDS] = { "high", "normal", "low" };
    size_t size = strlen(prefix) + sizeof(".normal");
    char *name = malloc(size);

    if (name)
        snprintf(name, size, "%s.%s", prefix, bands[band]);
    return name;
}

/* Append `text` to the block at `*at`. */
static const char *put_text(char **at, const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = memcpy(*at, text, size);

    *at += size;
    return copy;
}

static bool copy_options(struct kafka_settings *settings,
                         const struct kafka_task_queue_config *config)
{
    size_t size = 0;
    char *at;

    if (config->option_count == 0)
        return true;
    for (size_t i = 0; i < config->option_count; i++)
        size += strlen(config->options[i].name) + strlen(config->options[i].value) + 2;
    settings->options = calloc(config->option_count, sizeof(*settings->options));
    settings->option_texts = at = malloc(size);
    if (!settings->options || !at)
        return false;
    for (size_t i = 0; i < config->option_count; i++) {
        settings->options[i].name = put_text(&at, config->options[i].name);
        settings->options[i].value = put_text(&at, config->options[i].value);
    }
    settings->option_count = config->option_count;
    return true;
}

enum tc_code kafka_settings_init(struct kafka_settings *settings,
                                 const struct kafka_task_queue_config *config,
                                 struct tc_error *err)
{
    const char *prefix = config->prefix ? config->prefix : DEFAULT_PREFIX;
    bool good = true;

    *settings = (struct kafka_settings){
        .partitions = config->partitions ? (int)config->partitions : DEFAULT_PARTITIONS,
        .replication = config->replication ? config->replication : 1,
        .message_ms = config->message_ms ? config->message_ms : DEFAULT_MESSAGE_MS,
    };
    if (check(config, err) != TC_OK)
        return TC_INVALID;
    settings->brokers = strdup(config->brokers);
    for (int band = 0; band < KAFKA_BANDS; band++) {
        settings->topics[band] = topic_name(prefix, (enum kafka_band)band);
        good = good && settings->topics[band];
    }
    if (!good || !settings->brokers || !copy_options(settings, config))
        return tc_fail(err, TC_NO_MEMORY, "the settings of a kafka queue");
    return TC_OK;
}

void kafka_settings_release(struct kafka_settings *settings)
{
    free(settings->options);
    free(settings->option_texts);
    for (int band = 0; band < KAFKA_BANDS; band++)
        free(settings->topics[band]);
    free(settings->brokers);
    *settings = (struct kafka_settings){ .brokers = NULL };
}

/* The library's own message would repeat the value, which may be a password. */
static enum tc_code set(rd_kafka_conf_t *conf, const char *name, const char *value,
                        struct tc_error *err)
{
    char text[8];

    switch (rd_kafka_conf_set(conf, name, value, text, sizeof(text))) {
    case RD_KAFKA_CONF_OK:
        return TC_OK;
    case RD_KAFKA_CONF_UNKNOWN:
        return tc_fail(err, TC_INVALID, "kafka option '%.80s' is unknown to librdkafka", name);
    default:
        return tc_fail(err, TC_INVALID,
                       "kafka option '%.80s' has a value that librdkafka refuses", name);
    }
}

static enum tc_code set_all(rd_kafka_conf_t *conf, const struct kafka_option *options,
                            size_t count, struct tc_error *err)
{
    for (size_t i = 0; i < count; i++)
        if (set(conf, options[i].name, options[i].value, err) != TC_OK)
            return TC_INVALID;
    return TC_OK;
}

/* `ours` hold for this kind of client, then come those for both, then the operator's. */
static enum tc_code make(const struct kafka_settings *settings, const struct kafka_option *ours,
                         size_t count, rd_kafka_conf_t **ret_conf, struct tc_error *err)
{
    static const struct kafka_option both[] = {
        { "client.id", "taskcore" },
        { "socket.nagle.disable", "true" },
        { "socket.keepalive.enable", "true" },
        { "socket.timeout.ms", "10000" }, /* a broker that hangs is given up after that */
        { "socket.connection.setup.timeout.ms", "5000" },
        { "reconnect.backoff.ms", "100" },
        { "reconnect.backoff.max.ms", "1000" },
        { "topic.metadata.refresh.interval.ms", "10000" }, /* topics made anew are noticed */
        { "topic.metadata.propagation.max.ms", "5000" },
        /* With sparse connections, 2.0.2 asks for sockets without a pause while no broker
         * answers: half a core. */
        { "enable.sparse.connections", "false" },
        { "log.connection.close", "false" }, /* kafka_link.c says when the broker is away */
        { "allow.auto.create.topics", "false" },
    };
    rd_kafka_conf_t *conf = rd_kafka_conf_new();

    if (set_all(conf, both, sizeof(both) / sizeof(*both), err) != TC_OK ||
        set_all(conf, ours, count, err) != TC_OK ||
        set_all(conf, settings->options, settings->option_count, err) != TC_OK) {
        rd_kafka_conf_destroy(conf);
        return TC_INVALID;
    }
    *ret_conf = conf;
    return TC_OK;
}

enum tc_code kafka_settings_producer(const struct kafka_settings *settings,
                                     rd_kafka_conf_t **ret_conf, struct tc_error *err)
{
    char message_ms[24];
    const struct kafka_option ours[] = {
        { "bootstrap.servers", settings->brokers },
        { "enable.idempotence", "true" },
        { "acks", "all" },
        { "message.timeout.ms", message_ms },
        { "linger.ms", "0.5" }, /* batches, where it matters, are due to kafka_client_count() */
        { "sticky.partitioning.linger.ms", "0" }, /* partition_of() in kafka_client.c decides */
        { "queue.buffering.max.messages", "100000" },
        { "queue.buffering.max.kbytes", "65536" },
    };

    snprintf(message_ms, sizeof(message_ms), "%lld", (long long)settings->message_ms);
    return make(settings, ours, sizeof(ours) / sizeof(*ours), ret_conf, err);
}

/*
 * max.poll.interval.ms is as long as the library allows: a worker all of whose slots are busy
 * does not ask for hints, for hours perhaps, and is well. A process that has died or hangs
 * stops its heartbeats, which is what session.timeout.ms is for.
 */
enum tc_code kafka_settings_consumer(const struct kafka_settings *settings,
                                     enum kafka_band band, rd_kafka_conf_t **ret_conf,
                                     struct tc_error *err)
{
    const struct kafka_option ours[] = {
        { "bootstrap.servers", settings->brokers },
        { "group.id", settings->topics[band] },
        { "enable.auto.commit", "true" },
        { "enable.auto.offset.store", "false" },
        { "auto.commit.interval.ms", "500" },
        { "auto.offset.reset", "earliest" },
        { "partition.assignment.strategy", "range,roundrobin" },
        { "session.timeout.ms", "10000" },
        { "heartbeat.interval.ms", "1000" },
        { "max.poll.interval.ms", "86400000" },
        { "check.crcs", "true" },
        { "fetch.error.backoff.ms", "100" },
        /* A full local queue makes this library wait for up to a second before it fetches
         * again: measured, 10,000 messages held a reader that could take 100,000/s down to
         * 49,000/s. It fills up, to some 50 MB, only while there is a backlog. */
        { "queued.min.messages", "100000" },
        { "queued.max.messages.kbytes", "4096" },
    };

    return make(settings, ours, sizeof(ours) / sizeof(*ours), ret_conf, err);
}
