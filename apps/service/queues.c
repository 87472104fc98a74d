#include "apps/service/queues.h"

#include "adapters/kafka/kafka_task_queue.h"

#include <string.h>

#define SCHEME       "kafka://"
#define BROKERS_SIZE 1024
#define PREFIX_MAX   200 /* Kafka allows topics of 249 characters; ours have ".normal" behind */

/* "HOST:PORT,HOST:PORT" and what stands behind a slash. */
struct kafka_address {
    char brokers[BROKERS_SIZE];
    const char *prefix; /* NULL: the adapter's own */
};

static bool is_prefix(const char *text)
{
    size_t len =
        strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");

    return len > 0 && len <= PREFIX_MAX && text[len] == '\0';
}

static bool is_host_list(const char *text)
{
    size_t len = strlen(text);

    return len > 0 && text[0] != ',' && text[len - 1] != ',' && !strstr(text, ",,") &&
           !strpbrk(text, "/@?# \t");
}

static bool parse_url(const char *url, struct kafka_address *ret_address)
{
    if (strncmp(url, SCHEME, strlen(SCHEME)) != 0)
        return false;

    const char *brokers = url + strlen(SCHEME);
    size_t len = strcspn(brokers, "/");

    if (len >= sizeof(ret_address->brokers))
        return false;
    memcpy(ret_address->brokers, brokers, len);
    ret_address->brokers[len] = '\0';
    ret_address->prefix = brokers[len] ? brokers + len + 1 : NULL;
    return is_host_list(ret_address->brokers) &&
           (!ret_address->prefix || is_prefix(ret_address->prefix));
}

bool broker_knows_url(const char *url)
{
    struct kafka_address address;

    return parse_url(url, &address);
}

enum tc_code broker_open(const struct service_config *config, struct broker *ret_broker,
                         struct tc_error *err)
{
    struct kafka_address address;

    if (!parse_url(config->queue_url, &address))
        return tc_fail(err, TC_INVALID, "the address is not " SERVICE_QUEUE_URLS);

    const struct kafka_task_queue_config kafka = {
        .brokers = address.brokers,
        .prefix = address.prefix,
        .receives = (config->parts & SERVICE_RECEIVES) != 0,
        .options = config->kafka_options,
        .option_count = config->kafka_option_count,
        .logger = config->logger,
    };
    struct tc_task_queue *queue = NULL;
    enum tc_code code = kafka_task_queue_open(&kafka, &queue, err);

    if (code == TC_OK)
        *ret_broker = (struct broker){ queue, "kafka", kafka_task_queue_close };
    return code;
}

void broker_close(struct broker *broker)
{
    if (broker->close)
        broker->close(broker->queue);
    *broker = (struct broker){ .queue = NULL };
}
