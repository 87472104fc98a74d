#include "adapters/kafka/kafka_consumer.h"

#include "adapters/kafka/kafka_hint.h"

#include <inttypes.h>
#include <stdlib.h>

#define RETRY_MS    1000
#define EXCERPT_MAX 48 /* bytes of a foreign message in a log line; the logger escapes them */

/* The library rings `fd` when the first message comes into an empty queue; -1: never more. */
static void ring_at(rd_kafka_t *rk, int fd)
{
    static const uint64_t one = 1;
    rd_kafka_queue_t *queue = rd_kafka_queue_get_consumer(rk);

    if (!queue)
        return;
    rd_kafka_queue_io_event_enable(queue, fd, &one, sizeof(one));
    rd_kafka_queue_destroy(queue);
}

static void forget_handed(struct kafka_consumer *consumer)
{
    for (int32_t i = 0; i < consumer->handed_count; i++)
        consumer->handed[i] = -1;
}

static enum tc_code start(struct kafka_consumer *consumer, struct tc_error *err)
{
    enum tc_code code = kafka_client_consume(consumer->settings, consumer->link, consumer->band,
                                             &consumer->client, err);

    if (code != TC_OK)
        return code;
    consumer->number++;
    forget_handed(consumer);
    ring_at(consumer->client->rk, consumer->wake_fd);
    return TC_OK;
}

enum tc_code kafka_consumer_open(struct kafka_consumer *consumer,
                                 const struct kafka_settings *settings, struct kafka_link *link,
                                 enum kafka_band band, int wake_fd, struct tc_error *err)
{
    *consumer = (struct kafka_consumer){
        .settings = settings, .link = link, .band = band, .wake_fd = wake_fd
    };
    return start(consumer, err);
}

static void stop(struct kafka_consumer *consumer)
{
    if (!consumer->client)
        return;
    ring_at(consumer->client->rk, -1);
    kafka_client_unref(consumer->client);
    consumer->client = NULL;
}

void kafka_consumer_close(struct kafka_consumer *consumer)
{
    stop(consumer);
    free(consumer->handed);
    consumer->handed = NULL;
    consumer->handed_count = 0;
}

static void join(struct kafka_consumer *consumer)
{
    rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new(1);
    rd_kafka_resp_err_t why;

    rd_kafka_topic_partition_list_add(topics, consumer->settings->topics[consumer->band],
                                      RD_KAFKA_PARTITION_UA);
    why = rd_kafka_subscribe(consumer->client->rk, topics);
    rd_kafka_topic_partition_list_destroy(topics);
    if (why == RD_KAFKA_RESP_ERR_NO_ERROR)
        consumer->client->joined = true;
    else
        kafka_link_log_some(consumer->link, TC_LOG_WARN, "kafka: cannot subscribe to '%s': %s",
                            consumer->settings->topics[consumer->band], rd_kafka_err2str(why));
}

static void replace(struct kafka_consumer *consumer)
{
    struct tc_error err;

    if (kafka_tick_ms() < consumer->retry_ms)
        return;
    stop(consumer);
    if (start(consumer, &err) == TC_OK)
        return;
    consumer->retry_ms = kafka_tick_ms() + RETRY_MS;
    kafka_link_log_some(consumer->link, TC_LOG_WARN, "kafka: no new consumer: %s", err.message);
}

static bool is_worn_out(const struct kafka_consumer *consumer)
{
    return !consumer->client || atomic_load(&consumer->client->fatal) ||
           consumer->client->era != atomic_load(&consumer->link->era);
}

/* A topic that was deleted and made anew counts from zero again: offsets of the old one that
 * were committed, or are about to be, may hide as many of its first hints. They are announced
 * again. Subscribing anew makes the group look at its topics at once. */
void kafka_consumer_tend(struct kafka_consumer *consumer)
{
    unsigned made = atomic_load(&consumer->link->topics_made);

    if (is_worn_out(consumer))
        replace(consumer);
    if (!consumer->client || made == 0 || (consumer->client->joined && consumer->made == made))
        return;
    consumer->made = made;
    join(consumer);
}

/* @return false: no memory. */
static bool note_handed(struct kafka_consumer *consumer, int32_t partition, int64_t offset)
{
    if (partition >= consumer->handed_count) {
        int64_t *handed = realloc(consumer->handed, ((size_t)partition + 1) * sizeof(*handed));

        if (!handed)
            return false;
        for (int32_t i = consumer->handed_count; i <= partition; i++)
            handed[i] = -1;
        consumer->handed = handed;
        consumer->handed_count = partition + 1;
    }
    consumer->handed[partition] = offset;
    return true;
}

static enum kafka_found read_hint(struct kafka_consumer *consumer,
                                  const rd_kafka_message_t *message, struct tc_hint *ret_hint)
{
    size_t len = message->payload ? message->len : 0;
    enum kafka_hint_kind kind = kafka_hint_parse(message->payload, len, ret_hint);

    if (kind == KAFKA_HINT_GOOD)
        return KAFKA_FOUND_HINT;
    atomic_fetch_add(&consumer->link->unread, 1);
    kafka_link_log_some(consumer->link, TC_LOG_WARN,
                        "kafka: passed over a message of %zu bytes that is %s, at %" PRId64
                        " in partition %d of '%s', beginning '%.*s'",
                        len, kind == KAFKA_HINT_VERSION ? "of an unknown version" : "no hint",
                        message->offset, (int)message->partition,
                        consumer->settings->topics[consumer->band],
                        (int)(len < EXCERPT_MAX ? len : EXCERPT_MAX),
                        len > 0 ? (const char *)message->payload : "");
    return KAFKA_FOUND_OTHER;
}

static void hear_error(struct kafka_consumer *consumer, const rd_kafka_message_t *message)
{
    if (message->err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART ||
        message->err == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC)
        atomic_store(&consumer->link->topics_missing, true);
    kafka_link_log_some(consumer->link, TC_LOG_DEBUG, "kafka: receiving from '%s': %s",
                        consumer->settings->topics[consumer->band],
                        rd_kafka_message_errstr(message));
}

enum kafka_found kafka_consumer_poll(struct kafka_consumer *consumer, struct tc_hint *ret_hint,
                                     struct kafka_place *ret_place)
{
    enum kafka_found found = KAFKA_FOUND_NOTHING;
    rd_kafka_message_t *message;

    while (consumer->client && found == KAFKA_FOUND_NOTHING &&
           (message = rd_kafka_consumer_poll(consumer->client->rk, 0)) != NULL) {
        if (message->err) {
            hear_error(consumer, message);
        } else if (note_handed(consumer, message->partition, message->offset)) {
            *ret_place = (struct kafka_place){ consumer->band, consumer->number,
                                               message->partition, message->offset };
            found = read_hint(consumer, message, ret_hint);
        }
        rd_kafka_message_destroy(message);
    }
    return found;
}

static bool is_valid(const struct kafka_consumer *consumer, const struct kafka_place *place)
{
    return place->band == consumer->band && place->consumer == consumer->number &&
           place->partition < consumer->handed_count &&
           place->offset <= consumer->handed[place->partition];
}

void kafka_consumer_store(struct kafka_consumer *consumer, const struct kafka_place *places,
                          size_t count)
{
    const char *topic = consumer->settings->topics[consumer->band];
    rd_kafka_topic_partition_list_t *offsets = NULL;

    for (size_t i = 0; consumer->client && i < count; i++) {
        if (!is_valid(consumer, &places[i]))
            continue;
        if (!offsets)
            offsets = rd_kafka_topic_partition_list_new((int)count);
        rd_kafka_topic_partition_list_add(offsets, topic, places[i].partition)->offset =
            places[i].offset + 1;
    }
    if (!offsets)
        return;
    /* Fails for partitions that others have by now: they read those messages again. */
    (void)rd_kafka_offsets_store(consumer->client->rk, offsets);
    rd_kafka_topic_partition_list_destroy(offsets);
}
