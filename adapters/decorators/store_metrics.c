#include "adapters/decorators/store_metrics.h"

#include "adapters/decorators/monotonic.h"

const double store_metrics_second_buckets[STORE_METRICS_SECOND_BUCKETS] = {
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025,
    0.05,   0.1,     0.25,   0.5,   1,      2.5,   5,    10
};

static const double size_buckets[] = { 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1000 };

static const struct tc_metric store_seconds = {
    .name = "taskcore_store_seconds",
    .help = "Time of the calls to the store, by operation and result",
    .kind = TC_METRIC_HISTOGRAM,
    .labels = { "op", "code" },
    .buckets = store_metrics_second_buckets,
    .bucket_count = STORE_METRICS_SECOND_BUCKETS,
};

static const struct tc_metric commit_seconds = {
    .name = "taskcore_commit_seconds",
    .help = "Time of the writes that were applied, the commit included",
    .kind = TC_METRIC_HISTOGRAM,
    .buckets = store_metrics_second_buckets,
    .bucket_count = STORE_METRICS_SECOND_BUCKETS,
};

static const struct tc_metric group_size = {
    .name = "taskcore_group_size",
    .help = "Tasks that one write carried",
    .kind = TC_METRIC_HISTOGRAM,
    .labels = { "op" },
    .buckets = size_buckets,
    .bucket_count = sizeof(size_buckets) / sizeof(size_buckets[0]),
};

void store_metrics_call(struct tc_metrics *metrics, const char *op, double start,
                        enum tc_code code, bool commits)
{
    double seconds = monotonic_seconds() - start;

    tc_metrics_record(metrics, &store_seconds, op, tc_code_name(code), seconds);
    if (code == TC_OK && commits)
        tc_metrics_record(metrics, &commit_seconds, NULL, NULL, seconds);
}

void store_metrics_group(struct tc_metrics *metrics, const char *op, size_t count)
{
    tc_metrics_record(metrics, &group_size, op, NULL, (double)count);
}

double store_metrics_seconds_between(int64_t from_ms, int64_t to_ms)
{
    return to_ms > from_ms ? (double)(to_ms - from_ms) / 1000 : 0;
}
