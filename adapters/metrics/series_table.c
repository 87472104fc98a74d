#include "adapters/metrics/series_table.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

void series_table_init(struct series_table *table)
{
    memset(table, 0, sizeof(*table));
    for (size_t i = 0; i < SERIES_SHARDS; i++)
        pthread_mutex_init(&table->shards[i].lock, NULL);
}

void series_table_release(struct series_table *table)
{
    for (size_t i = 0; i < SERIES_SHARDS; i++) {
        for (size_t c = 0; c < SERIES_SHARD_CHAINS; c++) {
            struct series *series = table->shards[i].chains[c];

            while (series) {
                struct series *next = series->next;

                free(series);
                series = next;
            }
        }
        pthread_mutex_destroy(&table->shards[i].lock);
    }
}

/* FNV-1a over the label values, started from the description's address. */
static uint64_t hash_of(const struct tc_metric *metric,
                        const char *const values[TC_METRIC_LABELS_MAX])
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325) ^ (uint64_t)(uintptr_t)metric;

    for (size_t i = 0; i < TC_METRIC_LABELS_MAX; i++) {
        for (const char *at = values[i]; at && *at; at++)
            hash = (hash ^ (unsigned char)*at) * UINT64_C(0x100000001b3);
        hash = (hash ^ 0xFF) * UINT64_C(0x100000001b3); /* a byte that no UTF-8 has */
    }
    return hash ^ hash >> 29;
}

static struct series_shard *shard_of(struct series_table *table, uint64_t hash)
{
    return &table->shards[hash % SERIES_SHARDS];
}

static bool is_same(const struct series *series, const struct tc_metric *metric,
                    const char *const values[TC_METRIC_LABELS_MAX])
{
    if (series->metric != metric)
        return false;
    for (size_t i = 0; i < TC_METRIC_LABELS_MAX; i++) {
        if (!series->values[i] || !values[i]) {
            if (series->values[i] || values[i])
                return false;
        } else if (strcmp(series->values[i], values[i]) != 0) {
            return false;
        }
    }
    return true;
}

/* The series and its strings in one piece, without the buckets that only histograms need. */
static struct series *new_series(const struct tc_metric *metric, uint64_t hash,
                                 const char *const values[TC_METRIC_LABELS_MAX])
{
    size_t size = metric->kind == TC_METRIC_HISTOGRAM ? sizeof(struct series)
                                                      : offsetof(struct series, buckets);
    size_t lens[TC_METRIC_LABELS_MAX] = { 0 };
    size_t total = size;

    for (size_t i = 0; i < TC_METRIC_LABELS_MAX; i++) {
        lens[i] = values[i] ? strlen(values[i]) + 1 : 0;
        total += lens[i];
    }

    struct series *series = calloc(1, total);

    if (!series)
        return NULL;

    char *strings = (char *)series + size;

    series->metric = metric;
    series->hash = hash;
    for (size_t i = 0; i < TC_METRIC_LABELS_MAX; i++) {
        if (!values[i])
            continue;
        memcpy(strings, values[i], lens[i]);
        series->values[i] = strings;
        strings += lens[i];
    }
    return series;
}

/* The shard is locked. NULL: full, or no memory. */
static struct series *find_or_add(struct series_table *table, struct series_shard *shard,
                                  const struct tc_metric *metric, uint64_t hash,
                                  const char *const values[TC_METRIC_LABELS_MAX])
{
    struct series **chain = &shard->chains[hash / SERIES_SHARDS % SERIES_SHARD_CHAINS];

    for (struct series *series = *chain; series; series = series->next)
        if (series->hash == hash && is_same(series, metric, values))
            return series;
    if (atomic_fetch_add(&table->count, 1) >= PROMETHEUS_SERIES_MAX) {
        atomic_fetch_sub(&table->count, 1);
        return NULL;
    }

    struct series *series = new_series(metric, hash, values);

    if (!series) {
        atomic_fetch_sub(&table->count, 1);
        return NULL;
    }
    series->next = *chain;
    *chain = series;
    return series;
}

static void observe(struct series *series, double value)
{
    const struct tc_metric *metric = series->metric;
    size_t bucket = 0;

    while (bucket < metric->bucket_count && bucket < PROMETHEUS_BUCKETS_MAX &&
           value > metric->buckets[bucket])
        bucket++;
    if (bucket < metric->bucket_count && bucket < PROMETHEUS_BUCKETS_MAX)
        series->buckets[bucket]++;
    series->count++;
    series->value += value;
}

void series_table_record(struct series_table *table, const struct tc_metric *metric,
                         const char *const values[TC_METRIC_LABELS_MAX], double value)
{
    uint64_t hash = hash_of(metric, values);
    struct series_shard *shard = shard_of(table, hash);

    pthread_mutex_lock(&shard->lock);

    struct series *series = find_or_add(table, shard, metric, hash, values);

    if (!series) {
        atomic_fetch_add(&table->dropped, 1);
    } else {
        series->live = true;
        if (metric->kind == TC_METRIC_HISTOGRAM)
            observe(series, value);
        else
            series->value = metric->kind == TC_METRIC_GAUGE ? value : series->value + value;
    }
    pthread_mutex_unlock(&shard->lock);
}

void series_table_clear(struct series_table *table, const struct tc_metric *metric)
{
    for (size_t i = 0; i < SERIES_SHARDS; i++) {
        struct series_shard *shard = &table->shards[i];

        pthread_mutex_lock(&shard->lock);
        for (size_t c = 0; c < SERIES_SHARD_CHAINS; c++)
            for (struct series *series = shard->chains[c]; series; series = series->next)
                if (series->metric == metric)
                    series->live = false;
        pthread_mutex_unlock(&shard->lock);
    }
}

static int compare_values(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "");
}

static int compare(const void *left, const void *right)
{
    const struct series *a = *(struct series *const *)left;
    const struct series *b = *(struct series *const *)right;
    int order = strcmp(a->metric->name, b->metric->name);

    for (size_t i = 0; order == 0 && i < TC_METRIC_LABELS_MAX; i++)
        order = compare_values(a->values[i], b->values[i]);
    return order;
}

static size_t list_shard(struct series_shard *shard, struct series **ret_list, size_t max)
{
    size_t count = 0;

    pthread_mutex_lock(&shard->lock);
    for (size_t c = 0; c < SERIES_SHARD_CHAINS; c++)
        for (struct series *series = shard->chains[c]; series; series = series->next)
            if (series->live && count < max)
                ret_list[count++] = series;
    pthread_mutex_unlock(&shard->lock);
    return count;
}

struct series **series_table_list(struct series_table *table, size_t *ret_count)
{
    /* Series that appear from here on may not fit: they are shown next time. */
    size_t max = atomic_load(&table->count) + 1;
    struct series **list = malloc(max * sizeof(struct series *));
    size_t count = 0;

    if (!list)
        return NULL;
    for (size_t i = 0; i < SERIES_SHARDS; i++)
        count += list_shard(&table->shards[i], list + count, max - count);
    qsort(list, count, sizeof(struct series *), compare);
    *ret_count = count;
    return list;
}

struct series series_table_read(struct series_table *table, const struct series *series)
{
    struct series_shard *shard = shard_of(table, series->hash);
    struct series copy = { 0 };

    pthread_mutex_lock(&shard->lock);
    memcpy(&copy, series,
           series->metric->kind == TC_METRIC_HISTOGRAM ? sizeof(copy)
                                                       : offsetof(struct series, buckets));
    pthread_mutex_unlock(&shard->lock);
    return copy;
}
