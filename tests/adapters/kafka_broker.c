#define _DEFAULT_SOURCE 1 /* for usleep() */
#include "tests/adapters/kafka_broker.h"

#include "tests/support/run_suite.h"

#include <librdkafka/rdkafka.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WAIT_MS 60000

static char base[64]; /* of the prefixes of this program */

const char *kafka_broker_address(void)
{
    return getenv("TC_TEST_KAFKA");
}

int64_t kafka_broker_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

const char *kafka_broker_prefix(void)
{
    static char prefix[128];
    static unsigned count;

    snprintf(prefix, sizeof(prefix), "%s-%d-%u", base, (int)getpid(), ++count);
    return prefix;
}

const char *kafka_broker_topic(const char *prefix, const char *band)
{
    static char topic[160];

    snprintf(topic, sizeof(topic), "%s.%s", prefix, band);
    return topic;
}

struct tc_task_queue *kafka_broker_queue(const char *address, const char *prefix)
{
    const struct kafka_task_queue_config config = {
        .brokers = address, .prefix = prefix, .receives = true, .partitions = 4
    };
    struct tc_task_queue *queue = NULL;
    struct tc_error err;

    ck_assert_msg(kafka_task_queue_open(&config, &queue, &err) == TC_OK, "open: %s",
                  err.message);
    kafka_broker_await(queue, TC_OK);
    return queue;
}

void kafka_broker_await(struct tc_task_queue *queue, enum tc_code code)
{
    int64_t end_ms = kafka_broker_ms() + WAIT_MS;

    while (queue->ops->publish(queue, NULL, 0, NULL) != code) {
        ck_assert_msg(kafka_broker_ms() < end_ms, "publish(0) does not become '%s'",
                      tc_code_name(code));
        usleep(10000);
    }
}

/* Also used when no test runs: complains by itself. */
static rd_kafka_t *new_handle(const char *address, const char *group)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char text[256];

    (void)rd_kafka_conf_set(conf, "bootstrap.servers", address, text, sizeof(text));
    if (group)
        (void)rd_kafka_conf_set(conf, "group.id", group, text, sizeof(text));

    rd_kafka_t *rk =
        rd_kafka_new(group ? RD_KAFKA_CONSUMER : RD_KAFKA_PRODUCER, conf, text, sizeof(text));

    if (!rk) {
        fprintf(stderr, "kafka_broker: %s\n", text);
        abort();
    }
    return rk;
}

void kafka_broker_send(const char *address, const char *topic, const void *bytes, size_t len)
{
    rd_kafka_t *rk = new_handle(address, NULL);

    rd_kafka_topic_t *to = rd_kafka_topic_new(rk, topic, NULL);

    ck_assert_int_eq(rd_kafka_produce(to, RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY,
                                      (void *)(uintptr_t)bytes, len, NULL, 0, NULL),
                     0);
    ck_assert_int_eq(rd_kafka_flush(rk, WAIT_MS), RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_topic_destroy(to);
    rd_kafka_destroy(rk);
}

/* @return how many of the topics are gone. */
static size_t delete_topics(rd_kafka_t *rk, rd_kafka_DeleteTopic_t **topics, size_t count)
{
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    size_t answers = 0;
    size_t gone = 0;

    rd_kafka_DeleteTopics(rk, topics, count, NULL, queue);

    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, WAIT_MS);
    const rd_kafka_DeleteTopics_result_t *result = rd_kafka_event_DeleteTopics_result(event);

    if (result) {
        const rd_kafka_topic_result_t **each =
            rd_kafka_DeleteTopics_result_topics(result, &answers);

        for (size_t i = 0; i < answers; i++)
            gone += rd_kafka_topic_result_error(each[i]) == RD_KAFKA_RESP_ERR_NO_ERROR;
    }
    rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
    return gone;
}

void kafka_broker_delete(const char *address, const char *topic)
{
    rd_kafka_t *rk = new_handle(address, NULL);
    rd_kafka_DeleteTopic_t *one = rd_kafka_DeleteTopic_new(topic);

    ck_assert_uint_eq(delete_topics(rk, &one, 1), 1);
    rd_kafka_DeleteTopic_destroy(one);
    rd_kafka_destroy(rk);
}

int64_t kafka_broker_committed(const char *address, const char *topic, int partitions)
{
    rd_kafka_t *rk = new_handle(address, topic);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(partitions);
    int64_t sum = 0;

    rd_kafka_topic_partition_list_add_range(list, topic, 0, partitions - 1);
    if (rd_kafka_committed(rk, list, WAIT_MS) != RD_KAFKA_RESP_ERR_NO_ERROR)
        sum = -1;
    for (int i = 0; sum >= 0 && i < list->cnt; i++)
        sum += list->elems[i].offset > 0 ? list->elems[i].offset : 0;
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_destroy(rk);
    return sum;
}

int64_t kafka_broker_stored(const char *address, const char *topic, int partitions)
{
    rd_kafka_t *rk = new_handle(address, NULL);
    int64_t sum = 0;

    for (int32_t i = 0; sum >= 0 && i < partitions; i++) {
        int64_t low;
        int64_t high;
        rd_kafka_resp_err_t code =
            rd_kafka_query_watermark_offsets(rk, topic, i, &low, &high, WAIT_MS);

        sum = code == RD_KAFKA_RESP_ERR_NO_ERROR ? sum + high - low : -1;
    }
    rd_kafka_destroy(rk);
    return sum;
}

/* --- brokers of a test's own */

static int run_script(const char *folder, const char *option)
{
    pid_t pid = fork();

    if (pid == 0) {
        char *argv[] = { (char *)(uintptr_t)KAFKA_SCRIPT, (char *)(uintptr_t)folder,
                         (char *)(uintptr_t)option, NULL };

        if (!freopen("/dev/null", "w", stdout))
            _exit(126);
        execv(KAFKA_SCRIPT, argv);
        _exit(127);
    }
    ck_assert_int_gt(pid, 0);
    return pid;
}

static void read_address(struct kafka_broker *broker)
{
    char path[96];
    int port = 0;

    snprintf(path, sizeof(path), "%s/port", broker->folder);

    FILE *file = fopen(path, "r");

    ck_assert(file && fscanf(file, "%d", &port) == 1);
    fclose(file);
    snprintf(broker->address, sizeof(broker->address), "127.0.0.1:%d", port);
}

void kafka_broker_start(struct kafka_broker *broker)
{
    int status = 1;

    if (!broker->folder[0]) {
        snprintf(broker->folder, sizeof(broker->folder), "/tmp/taskcore-kafka-XXXXXX");
        ck_assert(mkdtemp(broker->folder));
    }
    broker->pid = run_script(broker->folder, NULL);

    int waiter = run_script(broker->folder, "--wait");

    ck_assert_int_eq(waitpid(waiter, &status, 0), waiter);
    ck_assert_msg(status == 0, "the broker in %s does not start", broker->folder);
    read_address(broker);
}

void kafka_broker_kill(struct kafka_broker *broker, int signal_number)
{
    int status;

    ck_assert_int_eq(kill(broker->pid, signal_number), 0);
    if (signal_number != SIGKILL)
        return;
    waitpid(broker->pid, &status, 0);
    broker->pid = 0;
}

static void remove_tree(const char *folder)
{
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        execlp("rm", "rm", "-rf", "--", folder, (char *)NULL);
        _exit(127);
    }
    waitpid(pid, &status, 0);
}

void kafka_broker_wipe(struct kafka_broker *broker)
{
    char path[96];

    ck_assert_int_eq(broker->pid, 0);
    snprintf(path, sizeof(path), "%s/data", broker->folder);
    remove_tree(path);
}

void kafka_broker_end(struct kafka_broker *broker)
{
    if (broker->pid > 0)
        kafka_broker_kill(broker, SIGKILL);
    if (broker->folder[0])
        remove_tree(broker->folder);
    *broker = (struct kafka_broker){ .pid = 0 };
}

/* --- the program */

static int skip(Suite *suite)
{
    const char *required = getenv("TC_REQUIRE_BACKENDS");
    bool must = required && strcmp(required, "1") == 0;

    srunner_free(srunner_create(suite));
    if (must)
        printf("1..1\nnot ok 1 TC_TEST_KAFKA is not set\n");
    else
        printf("1..0 # SKIP set TC_TEST_KAFKA\n");
    return must ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* Tests may have died with their topics: delete what begins with this program's base. */
static void tidy(void)
{
    rd_kafka_t *rk = new_handle(kafka_broker_address(), NULL);
    const struct rd_kafka_metadata *all;

    if (rd_kafka_metadata(rk, 1, NULL, &all, WAIT_MS) == RD_KAFKA_RESP_ERR_NO_ERROR) {
        rd_kafka_DeleteTopic_t **topics = calloc((size_t)all->topic_cnt + 1, sizeof(*topics));
        size_t count = 0;

        for (int i = 0; topics && i < all->topic_cnt; i++)
            if (strncmp(all->topics[i].topic, base, strlen(base)) == 0)
                topics[count++] = rd_kafka_DeleteTopic_new(all->topics[i].topic);
        if (count > 0)
            delete_topics(rk, topics, count);
        rd_kafka_DeleteTopic_destroy_array(topics, count);
        free(topics);
        rd_kafka_metadata_destroy(all);
    }
    rd_kafka_destroy(rk);
}

int kafka_broker_run(Suite *suite)
{
    if (!kafka_broker_address())
        return skip(suite);
    snprintf(base, sizeof(base), "test-%d-%lld", (int)getpid(), (long long)time(NULL));

    int status = run_suite(suite);

    tidy();
    return status;
}
