#include "tests/adapters/metrics_probe.h"

#include "core/domain/container_of.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

static size_t find(const struct metrics_probe *probe, const char *key)
{
    size_t i = 0;

    while (i < probe->count && strcmp(probe->series[i].key, key) != 0)
        i++;
    return i;
}

static void probe_record(struct tc_metrics *metrics, const struct tc_metric *metric,
                         const char *const values[TC_METRIC_LABELS_MAX], double value)
{
    struct metrics_probe *probe = TC_CONTAINER_OF(metrics, struct metrics_probe, base);
    char key[160];

    for (size_t i = 0; i < TC_METRIC_LABELS_MAX; i++)
        ck_assert_int_eq(!metric->labels[i], !values[i]);
    snprintf(key, sizeof(key), "%s{%s,%s}", metric->name, values[0] ? values[0] : "",
             values[1] ? values[1] : "");

    size_t i = find(probe, key);

    if (i == probe->count) {
        ck_assert_uint_lt(probe->count, METRICS_PROBE_MAX);
        memcpy(probe->series[probe->count++].key, key, sizeof(key));
    }
    probe->series[i].sum += value;
    probe->series[i].records++;
}

static const struct tc_metrics_ops probe_ops = { .record = probe_record };

void metrics_probe_init(struct metrics_probe *probe)
{
    memset(probe, 0, sizeof(*probe));
    probe->base.ops = &probe_ops;
}

double metrics_probe_sum(const struct metrics_probe *probe, const char *key)
{
    size_t i = find(probe, key);

    return i < probe->count ? probe->series[i].sum : 0;
}

int metrics_probe_records(const struct metrics_probe *probe, const char *key)
{
    size_t i = find(probe, key);

    return i < probe->count ? probe->series[i].records : 0;
}
