#include "adapters/kafka/kafka_client.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#define ERRSTR_SIZE 256
#define WINDOW_MS   INT64_C(10)
#define BUSY        4 /* messages in a window, for each in a row to one partition */
#define STRIDE_MAX  256
#define PURGE_MS    500 /* for the reports on what a producer throws away */

/* What the library tells while it works; polled by the keeper or the receiver. */
static void on_error(rd_kafka_t *rk, int code, const char *reason, void *opaque)
{
    struct kafka_client *client = opaque;
    struct kafka_link *link = client->link;
    char text[ERRSTR_SIZE];

    switch (code) {
    case RD_KAFKA_RESP_ERR__FATAL:
        (void)rd_kafka_fatal_error(rk, text, sizeof(text));
        if (!atomic_exchange(&client->fatal, true))
            kafka_link_log_some(link, TC_LOG_WARN, "kafka: client is replaced: %s", text);
        break;
    case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
        if (!client->consumes)
            kafka_link_away(link, "all are down");
        break;
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
        atomic_store(&link->topics_missing, true);
        break;
    case RD_KAFKA_RESP_ERR__AUTHENTICATION:
    case RD_KAFKA_RESP_ERR__SSL:
    case RD_KAFKA_RESP_ERR__RESOLVE:
        kafka_link_log_some(link, TC_LOG_WARN, "kafka: %s", reason);
        break;
    default:
        kafka_link_log_some(link, TC_LOG_DEBUG, "kafka: %s", reason);
        break;
    }
}

/* Any thread of the library. During an outage its lines say the same again and again. */
static void on_log(const rd_kafka_t *rk, int level, const char *facility, const char *text)
{
    struct kafka_client *client = rd_kafka_opaque(rk);
    bool usual = level > LOG_ERR || strcmp(facility, "FAIL") == 0 ||
                 strcmp(facility, "ERROR") == 0 ||
                 atomic_load(&client->link->state) == KAFKA_LINK_AWAY;

    kafka_link_log_some(client->link, usual ? TC_LOG_DEBUG : TC_LOG_WARN, "librdkafka: %s: %s",
                        facility, text);
}

void kafka_client_count(struct kafka_client *client, size_t count)
{
    struct kafka_turns *turns = &client->turns;
    int64_t now_ms = kafka_tick_ms();
    int64_t since_ms = atomic_load(&turns->since_ms);
    int64_t window_ms = now_ms - since_ms;

    if (window_ms >= WINDOW_MS &&
        atomic_compare_exchange_strong(&turns->since_ms, &since_ms, now_ms)) {
        int64_t busy = atomic_exchange(&turns->recently, 0) * WINDOW_MS / window_ms;
        int64_t stride = busy / BUSY;

        atomic_store(&turns->stride, (uint32_t)(stride < 1            ? 1
                                                : stride > STRIDE_MAX ? STRIDE_MAX
                                                                      : stride));
    }
    atomic_fetch_add(&turns->recently, (uint32_t)count);
}

/* Round robin over the partitions that have a leader, `stride` messages at a time. */
static int32_t partition_of(const rd_kafka_topic_t *topic, const void *key, size_t key_len,
                            int32_t count, void *opaque, void *message_opaque)
{
    struct kafka_client *client = opaque;
    uint32_t stride = atomic_load_explicit(&client->turns.stride, memory_order_relaxed);
    uint32_t turn =
        atomic_fetch_add_explicit(&client->turns.count, 1, memory_order_relaxed) / stride;

    (void)key;
    (void)key_len;
    (void)message_opaque;
    for (int32_t i = 0; i < count; i++) {
        int32_t partition = (int32_t)((turn + (uint32_t)i) % (uint32_t)count);

        if (rd_kafka_topic_partition_available(topic, partition))
            return partition;
    }
    return (int32_t)(turn % (uint32_t)count);
}

static struct kafka_client *new_client(struct kafka_link *link, bool consumes)
{
    struct kafka_client *client = calloc(1, sizeof(*client));

    if (!client)
        return NULL;
    client->link = kafka_link_ref(link);
    client->era = atomic_load(&link->era);
    client->consumes = consumes;
    /* several publishers begin at different partitions */
    atomic_init(&client->turns.count,
                (uint32_t)((uintptr_t)client >> 4) ^ (uint32_t)kafka_tick_ms());
    atomic_init(&client->turns.stride, 1);
    atomic_init(&client->refs, 1);
    return client;
}

static void free_client(struct kafka_client *client)
{
    kafka_link_unref(client->link);
    free(client);
}

/* Takes `conf`. */
static enum tc_code start(struct kafka_client *client, rd_kafka_conf_t *conf,
                          struct tc_error *err)
{
    char text[ERRSTR_SIZE];

    rd_kafka_conf_set_opaque(conf, client);
    rd_kafka_conf_set_error_cb(conf, on_error);
    rd_kafka_conf_set_log_cb(conf, on_log);
    client->rk = rd_kafka_new(client->consumes ? RD_KAFKA_CONSUMER : RD_KAFKA_PRODUCER, conf,
                              text, sizeof(text));
    if (client->rk)
        return TC_OK;

    rd_kafka_resp_err_t why = rd_kafka_last_error();

    rd_kafka_conf_destroy(conf);
    return tc_fail(err,
                   why == RD_KAFKA_RESP_ERR__CRIT_SYS_RESOURCE ? TC_UNAVAILABLE : TC_INVALID,
                   "librdkafka refuses its options: %s", text);
}

static bool open_topics(struct kafka_client *client, const struct kafka_settings *settings)
{
    for (int band = 0; band < KAFKA_BANDS; band++) {
        rd_kafka_topic_conf_t *conf = rd_kafka_default_topic_conf_dup(client->rk);

        rd_kafka_topic_conf_set_partitioner_cb(conf, partition_of);
        rd_kafka_topic_conf_set_opaque(conf, client);
        client->topics[band] = rd_kafka_topic_new(client->rk, settings->topics[band], conf);
        if (!client->topics[band])
            return false;
    }
    return true;
}

enum tc_code kafka_client_produce(const struct kafka_settings *settings,
                                  struct kafka_link *link, struct kafka_client **ret_client,
                                  struct tc_error *err)
{
    rd_kafka_conf_t *conf;

    if (kafka_settings_producer(settings, &conf, err) != TC_OK)
        return TC_INVALID;
    rd_kafka_conf_set_dr_msg_cb(conf, kafka_ticket_report);

    struct kafka_client *client = new_client(link, false);

    if (!client) {
        rd_kafka_conf_destroy(conf);
        return tc_fail(err, TC_NO_MEMORY, "a kafka producer");
    }

    enum tc_code code = start(client, conf, err);

    if (code != TC_OK) {
        free_client(client);
        return code;
    }
    if (!open_topics(client, settings)) {
        kafka_client_unref(client);
        return tc_fail(err, TC_INTERNAL, "librdkafka refuses a topic '%.80s'",
                       settings->topics[0]);
    }
    *ret_client = client;
    return TC_OK;
}

enum tc_code kafka_client_consume(const struct kafka_settings *settings,
                                  struct kafka_link *link, enum kafka_band band,
                                  struct kafka_client **ret_client, struct tc_error *err)
{
    rd_kafka_conf_t *conf;

    if (kafka_settings_consumer(settings, band, &conf, err) != TC_OK)
        return TC_INVALID;

    struct kafka_client *client = new_client(link, true);

    if (!client) {
        rd_kafka_conf_destroy(conf);
        return tc_fail(err, TC_NO_MEMORY, "a kafka consumer");
    }

    enum tc_code code = start(client, conf, err);

    if (code != TC_OK) {
        free_client(client);
        return code;
    }
    (void)rd_kafka_poll_set_consumer(client->rk);
    *ret_client = client;
    return TC_OK;
}

struct kafka_client *kafka_client_ref(struct kafka_client *client)
{
    atomic_fetch_add(&client->refs, 1);
    return client;
}

static void close_producer(struct kafka_client *client)
{
    int64_t end_ms = kafka_tick_ms() + PURGE_MS;

    /* Whoever waits for a delivery gets its report now. */
    (void)rd_kafka_purge(client->rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    while (rd_kafka_outq_len(client->rk) > 0 && kafka_tick_ms() < end_ms)
        rd_kafka_poll(client->rk, 10);
    for (int band = 0; band < KAFKA_BANDS; band++)
        if (client->topics[band])
            rd_kafka_topic_destroy(client->topics[band]);
    rd_kafka_destroy(client->rk);
}

/* Out of a group whose broker is away there is no safe way in this release of the library:
 * leaving it crashes now and then, and to destroy the consumer without leaving fails an
 * assertion. It stays, with its threads; the broker finds out when its session ends. */
static bool must_stay(const struct kafka_client *client)
{
    return client->joined && atomic_load(&client->link->state) != KAFKA_LINK_HERE;
}

static void *bury(void *arg)
{
    struct kafka_client *client = arg;
    struct kafka_link *link = kafka_link_ref(client->link);

    if (client->consumes)
        rd_kafka_destroy(client->rk); /* commits, leaves the group */
    else
        close_producer(client);
    free_client(client);
    kafka_link_buried(link);
    kafka_link_unref(link);
    return NULL;
}

void kafka_client_unref(struct kafka_client *client)
{
    sigset_t all;
    sigset_t before;
    pthread_t thread;

    if (!client || atomic_fetch_sub(&client->refs, 1) != 1)
        return;
    if (must_stay(client)) {
        kafka_link_log_some(client->link, TC_LOG_DEBUG,
                            "kafka: a consumer is left behind, its broker is away");
        return;
    }
    kafka_link_bury(client->link);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    if (pthread_create(&thread, NULL, bury, client) == 0)
        pthread_detach(thread);
    else
        bury(client); /* no thread to be had: wait for it here */
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}
