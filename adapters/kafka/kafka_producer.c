#include "adapters/kafka/kafka_producer.h"

#include "adapters/kafka/kafka_hint.h"

enum tc_code kafka_producer_open(struct kafka_producer *producer,
                                 const struct kafka_settings *settings, struct kafka_link *link,
                                 struct tc_error *err)
{
    *producer = (struct kafka_producer){ .settings = settings, .link = link };

    enum tc_code code = kafka_client_produce(settings, link, &producer->client, err);

    if (code == TC_OK && pthread_mutex_init(&producer->mutex, NULL) != 0) {
        kafka_client_unref(producer->client);
        producer->client = NULL;
        return tc_fail(err, TC_INTERNAL, "no mutex for a kafka producer");
    }
    return code;
}

void kafka_producer_close(struct kafka_producer *producer)
{
    if (!producer->client)
        return;
    kafka_client_unref(producer->client);
    producer->client = NULL;
    pthread_mutex_destroy(&producer->mutex);
}

struct kafka_client *kafka_producer_client(struct kafka_producer *producer)
{
    pthread_mutex_lock(&producer->mutex);

    struct kafka_client *client = kafka_client_ref(producer->client);

    pthread_mutex_unlock(&producer->mutex);
    return client;
}

void kafka_producer_replace(struct kafka_producer *producer, struct kafka_client *client)
{
    pthread_mutex_lock(&producer->mutex);

    struct kafka_client *old = producer->client;

    producer->client = client;
    pthread_mutex_unlock(&producer->mutex);
    kafka_client_unref(old);
}

static enum tc_code fail_from(struct kafka_link *link, rd_kafka_resp_err_t why,
                              struct tc_error *err)
{
    switch (why) {
    case RD_KAFKA_RESP_ERR__QUEUE_FULL:
        return tc_fail(err, TC_UNAVAILABLE, "too many hints wait for a kafka broker");
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
        atomic_store(&link->topics_missing, true);
        return tc_fail(err, TC_UNAVAILABLE, "the kafka topic is missing");
    default:
        return tc_fail(err, TC_UNAVAILABLE, "kafka: %s", rd_kafka_err2str(why));
    }
}

static enum tc_code send_one(struct kafka_client *client, const struct tc_hint *hint,
                             struct kafka_ticket *ticket, struct tc_error *err)
{
    rd_kafka_topic_t *topic = client->topics[kafka_band_of(hint->priority)];
    char text[KAFKA_HINT_SIZE];
    size_t len = kafka_hint_format(hint, text);

    if (ticket)
        kafka_ticket_add(ticket);
    if (rd_kafka_produce(topic, RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY, text, len, NULL, 0,
                         ticket) == 0)
        return TC_OK;

    rd_kafka_resp_err_t why = rd_kafka_last_error();

    if (ticket)
        kafka_ticket_take_back(ticket);
    return fail_from(client->link, why, err);
}

enum tc_code kafka_producer_send(struct kafka_producer *producer, const struct tc_hint *hints,
                                 size_t count, struct kafka_ticket *ticket,
                                 struct tc_error *err)
{
    enum tc_code code = TC_OK;

    if (atomic_load(&producer->link->state) == KAFKA_LINK_AWAY)
        return tc_fail(err, TC_UNAVAILABLE, "no kafka broker answers");

    struct kafka_client *client = kafka_producer_client(producer);

    kafka_client_count(client, count);
    for (size_t i = 0; i < count && code == TC_OK; i++)
        code = send_one(client, &hints[i], ticket, err);
    kafka_client_unref(client);
    return code;
}
