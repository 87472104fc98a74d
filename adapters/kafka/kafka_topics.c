#include "adapters/kafka/kafka_topics.h"

#define ANSWER_MS 3000 /* then the broker counts as away */
#define KNOWN_MS  2000 /* for the broker to tell of new topics */
#define LOOK_MS   500

void kafka_topics_release(struct kafka_topics *topics)
{
    if (topics->answers)
        rd_kafka_queue_destroy(topics->answers);
    kafka_client_unref(topics->client);
    *topics = (struct kafka_topics){ .client = NULL };
}

void kafka_topics_use(struct kafka_topics *topics, struct kafka_client *client)
{
    kafka_topics_release(topics);
    topics->client = kafka_client_ref(client);
    topics->answers = rd_kafka_queue_new(client->rk);
}

static rd_kafka_AdminOptions_t *options_for(rd_kafka_t *rk)
{
    rd_kafka_AdminOptions_t *options =
        rd_kafka_AdminOptions_new(rk, RD_KAFKA_ADMIN_OP_CREATETOPICS);
    char text[128];

    (void)rd_kafka_AdminOptions_set_request_timeout(options, ANSWER_MS, text, sizeof(text));
    (void)rd_kafka_AdminOptions_set_operation_timeout(options, ANSWER_MS, text, sizeof(text));
    return options;
}

void kafka_topics_ask(struct kafka_topics *topics, const struct kafka_settings *settings)
{
    rd_kafka_NewTopic_t *wanted[KAFKA_BANDS];
    char text[128];
    size_t count = 0;

    if (topics->asked_ms != 0)
        return;
    for (int band = 0; band < KAFKA_BANDS; band++) {
        wanted[count] = rd_kafka_NewTopic_new(settings->topics[band], settings->partitions,
                                              settings->replication, text, sizeof(text));
        if (wanted[count])
            count++;
    }

    rd_kafka_AdminOptions_t *options = options_for(topics->client->rk);

    rd_kafka_CreateTopics(topics->client->rk, wanted, count, options, topics->answers);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_NewTopic_destroy_array(wanted, count);
    topics->asked_ms = kafka_tick_ms();
}

/* @return whether it makes sense to use the topic now: it is there, or not ours to create. */
static bool is_settled(struct kafka_link *link, const rd_kafka_topic_result_t *result)
{
    rd_kafka_resp_err_t code = rd_kafka_topic_result_error(result);
    const char *name = rd_kafka_topic_result_name(result);
    const char *why = rd_kafka_topic_result_error_string(result);

    switch (code) {
    case RD_KAFKA_RESP_ERR_NO_ERROR:
        kafka_link_log(link, TC_LOG_INFO, "kafka: topic '%s' created", name);
        return true;
    case RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS:
        return true;
    case RD_KAFKA_RESP_ERR_INVALID_REPLICATION_FACTOR: /* the brokers are still starting, too */
    case RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT:
    case RD_KAFKA_RESP_ERR_NOT_CONTROLLER:
    case RD_KAFKA_RESP_ERR_BROKER_NOT_AVAILABLE:
        kafka_link_log_some(link, TC_LOG_WARN, "kafka: topic '%s' is not created yet: %s", name,
                            why ? why : rd_kafka_err2str(code));
        return false;
    default: /* somebody else may have to create it */
        kafka_link_log_some(link, TC_LOG_WARN, "kafka: topic '%s' cannot be created: %s", name,
                            why ? why : rd_kafka_err2str(code));
        return true;
    }
}

/* @return how many of the topics that the client uses it knows by now. */
static int known_topics(struct kafka_client *client)
{
    const struct rd_kafka_metadata *found;
    int known = 0;

    if (rd_kafka_metadata(client->rk, 0, NULL, &found, LOOK_MS) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return 0;
    for (int i = 0; i < found->topic_cnt; i++)
        known += found->topics[i].err == RD_KAFKA_RESP_ERR_NO_ERROR;
    rd_kafka_metadata_destroy(found);
    return known;
}

/* A broker creates a topic some time before it tells of it, and the library asks rarely. */
static void await_topics(struct kafka_client *client)
{
    int64_t end_ms = kafka_wait_end_ms(KNOWN_MS);

    while (known_topics(client) < KAFKA_BANDS && kafka_tick_ms() < end_ms)
        rd_kafka_poll(client->rk, 10);
}

static void hear_results(struct kafka_client *client,
                         const rd_kafka_CreateTopics_result_t *result)
{
    struct kafka_link *link = client->link;
    size_t count;
    const rd_kafka_topic_result_t **each = rd_kafka_CreateTopics_result_topics(result, &count);
    bool settled = true;
    bool made = false;

    for (size_t i = 0; i < count; i++) {
        settled = is_settled(link, each[i]) && settled;
        made = made || rd_kafka_topic_result_error(each[i]) == RD_KAFKA_RESP_ERR_NO_ERROR;
    }
    if (!settled)
        atomic_store(&link->topics_missing, true);
    if (made || (settled && atomic_load(&link->topics_made) == 0)) {
        await_topics(client);
        atomic_fetch_add(&link->topics_made, 1);
    }
}

void kafka_topics_refresh(struct kafka_topics *topics)
{
    (void)known_topics(topics->client);
}

bool kafka_topics_hear(struct kafka_topics *topics)
{
    struct kafka_link *link = topics->client->link;

    if (topics->asked_ms == 0)
        return false;

    rd_kafka_event_t *event = rd_kafka_queue_poll(topics->answers, 0);
    const rd_kafka_CreateTopics_result_t *result = rd_kafka_event_CreateTopics_result(event);

    if (!event) /* the library answers by itself in the end, but need not do so in time */
        return false;

    bool answered = result && rd_kafka_event_error(event) == RD_KAFKA_RESP_ERR_NO_ERROR;

    topics->asked_ms = 0;
    if (!answered) {
        kafka_link_away(link, rd_kafka_event_error_string(event));
        atomic_store(&link->topics_missing, true);
    } else {
        hear_results(topics->client, result);
    }
    rd_kafka_event_destroy(event);
    return answered;
}
