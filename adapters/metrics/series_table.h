#ifndef TASKCORE_ADAPTERS_METRICS_SERIES_TABLE_H
#define TASKCORE_ADAPTERS_METRICS_SERIES_TABLE_H

/** @file series_table.h All series, in shards with a lock each. For this folder. */

#include "adapters/metrics/prometheus_metrics.h"

#include <pthread.h>
#include <stdatomic.h>

#define SERIES_SHARDS       16
#define SERIES_SHARD_CHAINS 256

/** One series. Lives until the table is released; its values are guarded by its shard. */
struct series {
    struct series *next;
    const struct tc_metric *metric;
    uint64_t hash;
    char *values[TC_METRIC_LABELS_MAX];       /**< owned with the series; NULL: unused */
    bool live;                                /**< false: cleared, not shown */
    double value;                             /**< of a counter or gauge; sum of a histogram */
    uint64_t count;                           /**< observations of a histogram */
    uint64_t buckets[PROMETHEUS_BUCKETS_MAX]; /**< not cumulative; only histograms have them */
};

struct series_table {
    struct series_shard {
        pthread_mutex_t lock;
        struct series *chains[SERIES_SHARD_CHAINS];
    } shards[SERIES_SHARDS];
    _Atomic size_t count;
    _Atomic uint64_t dropped; /**< records without a series */
};

void series_table_init(struct series_table *table);
void series_table_release(struct series_table *table);

/** See metrics.h, record and clear. */
void series_table_record(struct series_table *table, const struct tc_metric *metric,
                         const char *const values[TC_METRIC_LABELS_MAX], double value);
void series_table_clear(struct series_table *table, const struct tc_metric *metric);

/**
 * Pointers to the live series, sorted by name, then label values; malloc'ed, the caller
 * frees. NULL: no memory. Read their numbers with series_table_read().
 */
struct series **series_table_list(struct series_table *table, size_t *ret_count);

/** A consistent copy of one series. Borrows its strings. */
struct series series_table_read(struct series_table *table, const struct series *series);

#endif
