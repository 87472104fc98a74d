/* Deletes the topics of a prefix, as an administrator would, and says how many were there.
 * Usage: delete_topics HOST:PORT PREFIX */

#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>

#define BANDS   3
#define WAIT_MS 10000

static rd_kafka_t *connect_to(const char *address)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char why[256];

    if (rd_kafka_conf_set(conf, "bootstrap.servers", address, why, sizeof(why)) !=
        RD_KAFKA_CONF_OK)
        return NULL;
    return rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof(why));
}

static size_t count_deleted(rd_kafka_event_t *event)
{
    const rd_kafka_DeleteTopics_result_t *result = rd_kafka_event_DeleteTopics_result(event);
    const rd_kafka_topic_result_t **each = NULL;
    size_t answers = 0;
    size_t deleted = 0;

    if (result)
        each = rd_kafka_DeleteTopics_result_topics(result, &answers);
    for (size_t i = 0; i < answers; i++)
        deleted += rd_kafka_topic_result_error(each[i]) == RD_KAFKA_RESP_ERR_NO_ERROR;
    return deleted;
}

int main(int argc, char **argv)
{
    static const char *const bands[BANDS] = { "high", "normal", "low" };
    rd_kafka_DeleteTopic_t *topics[BANDS];
    rd_kafka_t *rk = argc == 3 ? connect_to(argv[1]) : NULL;
    char name[256];

    if (!rk)
        return EXIT_FAILURE;
    for (size_t i = 0; i < BANDS; i++) {
        snprintf(name, sizeof(name), "%s.%s", argv[2], bands[i]);
        topics[i] = rd_kafka_DeleteTopic_new(name);
    }

    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);

    rd_kafka_DeleteTopics(rk, topics, BANDS, NULL, queue);

    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, WAIT_MS);
    size_t deleted = count_deleted(event);

    printf("%zu\n", deleted);
    rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
    rd_kafka_DeleteTopic_destroy_array(topics, BANDS);
    rd_kafka_destroy(rk);
    return deleted > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
