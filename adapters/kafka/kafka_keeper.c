#include "adapters/kafka/kafka_keeper.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

#define IDLE_MS    1000
#define BUSY_MS    20   /* while an answer is awaited */
#define CHECK_MS   1000 /* between looks at the cluster's id */
#define ASK_MS     1000 /* between questions for topics */
#define SILENCE_MS 2000 /* without an acknowledgement, until the broker is asked */

static void ring(int fd)
{
    static const uint64_t one = 1;

    (void)!write(fd, &one, sizeof(one));
}

/* The broker was asked long ago and has not answered. */
static bool is_asking(const struct kafka_keeper *keeper)
{
    return keeper->topics.asked_ms != 0;
}

/* Messages wait, and nothing has come back for a while: a broker may hang with its
 * connections open, which the library notices late. */
static bool is_silent(struct kafka_keeper *keeper, int64_t now_ms)
{
    int64_t good_ms = atomic_load(&keeper->producer->link->good_ms);

    if (rd_kafka_outq_len(keeper->client->rk) == 0)
        keeper->answered_ms = now_ms;
    else if (good_ms > keeper->answered_ms)
        keeper->answered_ms = good_ms;
    return now_ms - keeper->answered_ms >= SILENCE_MS;
}

/* Topics were found or made: what waits for them learns so at once. */
static void tell_topics(struct kafka_keeper *keeper)
{
    unsigned made = atomic_load(&keeper->producer->link->topics_made);

    if (made == keeper->made)
        return;
    keeper->made = made;
    ring(keeper->wake_fd);
}

static void use_client(struct kafka_keeper *keeper, struct kafka_client *client)
{
    kafka_client_unref(keeper->client);
    keeper->client = client;
    keeper->asked_ms = 0;
    kafka_topics_use(&keeper->topics, client);
}

/* A cluster with another id is another one, or has lost everything: then sequences and ids
 * that the producer got from the former one could belong to somebody else by now. */
static void check_cluster(struct kafka_keeper *keeper)
{
    char *cluster = rd_kafka_clusterid(keeper->client->rk, 0);

    if (!cluster)
        return;
    if (keeper->cluster && strcmp(keeper->cluster, cluster) != 0) {
        kafka_link_log(keeper->producer->link, TC_LOG_WARN,
                       "kafka: the cluster is another one; clients are replaced");
        atomic_fetch_add(&keeper->producer->link->era, 1);
        ring(keeper->wake_fd);
    }
    if (keeper->cluster)
        rd_kafka_mem_free(keeper->client->rk, keeper->cluster);
    keeper->cluster = cluster;
}

static void keep_client(struct kafka_keeper *keeper)
{
    struct kafka_producer *producer = keeper->producer;
    struct kafka_client *client;
    struct tc_error err;

    if (!atomic_load(&keeper->client->fatal) &&
        keeper->client->era == atomic_load(&producer->link->era))
        return;
    if (kafka_client_produce(producer->settings, producer->link, &client, &err) != TC_OK) {
        kafka_link_log_some(producer->link, TC_LOG_WARN, "kafka: no new producer: %s",
                            err.message);
        return;
    }
    use_client(keeper, kafka_client_ref(client));
    kafka_producer_replace(producer, client);
    atomic_store(&producer->link->topics_missing, true);
}

/* A broker that comes back may belong to another cluster: the producer is replaced before
 * anybody uses it, and the new one asks again. */
static void hear_topics(struct kafka_keeper *keeper)
{
    struct kafka_link *link = keeper->producer->link;

    if (!kafka_topics_hear(&keeper->topics))
        return;
    if (atomic_load(&link->state) != KAFKA_LINK_HERE) {
        kafka_topics_refresh(&keeper->topics);
        check_cluster(keeper);
    }
    if (keeper->client->era == atomic_load(&link->era))
        kafka_link_good(link);
}

static void keep_topics(struct kafka_keeper *keeper, int64_t now_ms)
{
    struct kafka_link *link = keeper->producer->link;
    bool wanted;

    if (is_asking(keeper) || (keeper->asked_ms != 0 && now_ms - keeper->asked_ms < ASK_MS))
        return;
    wanted = atomic_exchange(&link->topics_missing, false);
    if (!wanted && atomic_load(&link->state) == KAFKA_LINK_HERE && !is_silent(keeper, now_ms))
        return;
    kafka_topics_ask(&keeper->topics, keeper->producer->settings);
    keeper->asked_ms = now_ms;
}

static void *keep(void *arg)
{
    struct kafka_keeper *keeper = arg;

    use_client(keeper, kafka_producer_client(keeper->producer));
    while (!atomic_load(&keeper->stop)) {
        int64_t now_ms = kafka_tick_ms();

        hear_topics(keeper);
        tell_topics(keeper);
        if (now_ms - keeper->cluster_ms >= CHECK_MS) {
            keeper->cluster_ms = now_ms;
            check_cluster(keeper);
        }
        keep_client(keeper);
        keep_topics(keeper, now_ms);

        bool idle = !is_asking(keeper) &&
                    atomic_load(&keeper->producer->link->state) == KAFKA_LINK_HERE;

        rd_kafka_poll(keeper->client->rk, is_asking(keeper) ? BUSY_MS : idle ? IDLE_MS : 100);
    }
    return NULL;
}

enum tc_code kafka_keeper_open(struct kafka_keeper *keeper, struct kafka_producer *producer,
                               int wake_fd, struct tc_error *err)
{
    sigset_t all;
    sigset_t before;

    *keeper = (struct kafka_keeper){ .producer = producer, .wake_fd = wake_fd };
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    keeper->runs = pthread_create(&keeper->thread, NULL, keep, keeper) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return keeper->runs ? TC_OK : tc_fail(err, TC_UNAVAILABLE, "no thread for a kafka queue");
}

void kafka_keeper_close(struct kafka_keeper *keeper)
{
    if (!keeper->runs)
        return;

    struct kafka_client *client = kafka_producer_client(keeper->producer);
    rd_kafka_queue_t *queue = rd_kafka_queue_get_main(client->rk);

    atomic_store(&keeper->stop, true);
    rd_kafka_queue_yield(queue);
    rd_kafka_queue_destroy(queue);
    pthread_join(keeper->thread, NULL);
    if (keeper->cluster)
        rd_kafka_mem_free(client->rk, keeper->cluster);
    kafka_topics_release(&keeper->topics);
    kafka_client_unref(keeper->client);
    kafka_client_unref(client);
    keeper->runs = false;
}
