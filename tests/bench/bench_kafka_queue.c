/*
 * What the queue on Kafka costs by itself, against the broker of TC_TEST_KAFKA:
 *   latency N   publish one, receive it, N times: microseconds
 *   rate N      publish N in groups of 100, then receive and commit them: per second
 *   pace N S    publish one N times a second for S seconds, receiving nothing: CPU
 *   idle S      three consumers with nothing to do for S seconds: CPU, resident memory
 * KAFKA_OPTION=NAME=VALUE overrides a setting of the library.
 */
#define _DEFAULT_SOURCE 1
#include "adapters/kafka/kafka_task_queue.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define GROUP 100

static struct tc_task_queue *queue;

static int64_t now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int64_t cpu_us(void)
{
    struct rusage used;

    getrusage(RUSAGE_SELF, &used);
    return (int64_t)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000000 +
           used.ru_utime.tv_usec + used.ru_stime.tv_usec;
}

static long resident_kb(void)
{
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");

    if (file && fscanf(file, "%*d %ld", &pages) != 1)
        pages = 0;
    if (file)
        fclose(file);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static struct tc_hint hint_of(uint64_t number, int priority)
{
    struct tc_hint hint = { .id = tc_id_make(1700000000000, 1, number),
                            .queue = "default",
                            .type = "demo.noop",
                            .priority = priority };

    return hint;
}

static size_t receive(size_t max, struct tc_hint *hints)
{
    struct tc_delivery delivery;

    if (queue->ops->receive(queue, 1000, max, hints, &delivery, NULL) != TC_OK)
        abort();
    if (delivery.count > 0 && queue->ops->commit(queue, delivery.receipt, NULL) != TC_OK)
        abort();
    return delivery.count;
}

static void publish(const struct tc_hint *hints, size_t count)
{
    while (queue->ops->publish(queue, hints, count, NULL) != TC_OK)
        usleep(1000);
}

static int by_value(const void *a, const void *b)
{
    const int64_t *left = a;
    const int64_t *right = b;

    return (*left > *right) - (*left < *right);
}

static void latency(size_t rounds)
{
    int64_t *taken = calloc(rounds, sizeof(*taken));
    struct tc_hint hint = hint_of(0, 3);

    for (size_t i = 0; taken && i < rounds; i++) {
        int64_t start_us = now_us();

        publish(&hint, 1);
        while (receive(16, &hint) == 0)
            continue;
        taken[i] = now_us() - start_us;
        usleep(5000);
    }
    if (!taken)
        abort();
    qsort(taken, rounds, sizeof(*taken), by_value);
    printf("latency: p50 %lld p99 %lld max %lld us\n", (long long)taken[rounds / 2],
           (long long)taken[rounds * 99 / 100], (long long)taken[rounds - 1]);
    free(taken);
}

static void rate(size_t count, size_t group)
{
    struct tc_hint hints[256];
    int64_t start_us = now_us();
    int64_t start_cpu = cpu_us();
    size_t got = 0;

    for (size_t i = 0; i < count; i += group) {
        for (size_t j = 0; j < group; j++)
            hints[j] = hint_of(i + j, (int)((i + j) % 11));
        publish(hints, group);
    }
    while (queue->ops->deliver(queue, hints, 1, 30000, NULL) != TC_OK)
        continue;
    printf("publish by %zu: %.0f/s, %.2f us CPU each\n", group,
           (double)count * 1e6 / (double)(now_us() - start_us),
           (double)(cpu_us() - start_cpu) / (double)count);
    start_us = now_us();
    start_cpu = cpu_us();
    while (got < count + 1)
        got += receive(256, hints);
    printf("receive the rest by 256: %.0f/s, %.2f us CPU each\n",
           (double)count * 1e6 / (double)(now_us() - start_us),
           (double)(cpu_us() - start_cpu) / (double)count);
}

static void pace(size_t rate_wanted, size_t seconds)
{
    int64_t start_us = now_us();
    int64_t start_cpu = cpu_us();
    size_t total = rate_wanted * seconds;
    size_t sent = 0;

    while (sent < total) {
        size_t due = (size_t)((now_us() - start_us) / 1000) * rate_wanted / 1000;

        for (; sent < due && sent < total; sent++) {
            struct tc_hint hint = hint_of(sent, 3);

            publish(&hint, 1);
        }
        usleep(200);
    }
    printf("publish %zu/s: %.2f us CPU each\n", rate_wanted,
           (double)(cpu_us() - start_cpu) / (double)total);
}

static void idle(size_t seconds)
{
    struct tc_hint hint;
    int64_t end_us = now_us() + (int64_t)seconds * 1000000;
    int64_t start_cpu = cpu_us();

    while (now_us() < end_us)
        (void)receive(1, &hint);
    printf("idle: %.2f %% of a core, %ld kB resident\n",
           (double)(cpu_us() - start_cpu) / (double)seconds / 1e4, resident_kb());
}

int main(int argc, char **argv)
{
    char prefix[64];
    char *name = getenv("KAFKA_OPTION");
    char *value = name ? strchr(name, '=') : NULL;
    struct kafka_option option = { name, value ? value + 1 : NULL };
    struct kafka_task_queue_config config = { .brokers = getenv("TC_TEST_KAFKA"),
                                              .prefix = prefix,
                                              .receives = true,
                                              .options = &option,
                                              .option_count = value ? 1 : 0 };
    struct tc_error err;
    struct tc_hint hint;
    size_t count = argc > 2 ? strtoul(argv[2], NULL, 10) : 1000;
    long before_kb = resident_kb();

    if (value)
        *value = '\0';
    snprintf(prefix, sizeof(prefix), "bench-%d", (int)getpid());
    if (kafka_task_queue_open(&config, &queue, &err) != TC_OK) {
        fprintf(stderr, "%s\n", err.message);
        return EXIT_FAILURE;
    }
    while (queue->ops->publish(queue, NULL, 0, NULL) != TC_OK)
        usleep(10000);
    for (int priority = 0; priority <= 10; priority += 5) {
        hint = hint_of(0, priority);
        publish(&hint, 1); /* the band's group has formed when it comes */
        while (receive(1, &hint) == 0)
            continue;
    }
    printf("resident: %ld kB, %ld kB more than before\n", resident_kb(),
           resident_kb() - before_kb);
    if (argc > 1 && strcmp(argv[1], "rate") == 0)
        rate(count, argc > 3 ? strtoul(argv[3], NULL, 10) : GROUP);
    else if (argc > 3 && strcmp(argv[1], "pace") == 0)
        pace(count, strtoul(argv[3], NULL, 10));
    else if (argc > 1 && strcmp(argv[1], "idle") == 0)
        idle(count);
    else
        latency(count);
    kafka_task_queue_close(queue);
    return EXIT_SUCCESS;
}
