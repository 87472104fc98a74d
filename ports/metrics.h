#ifndef TASKCORE_PORTS_METRICS_H
#define TASKCORE_PORTS_METRICS_H

/**
 * @file metrics.h
 * Port: numbers for a scraper. Any thread; never blocks for long; cannot fail (a series that
 * finds no memory is dropped). `metrics` NULL is legal everywhere: nothing is kept.
 *
 * A metric is a static const description; who measures owns the description.
 */

#include "core/domain/content.h"

#include <stdint.h>

#define TC_METRIC_LABELS_MAX 2

enum tc_metric_kind {
    TC_METRIC_COUNTER,
    TC_METRIC_GAUGE,
    TC_METRIC_HISTOGRAM,
};

struct tc_metric {
    const char *name; /**< Prometheus name with unit suffix: "taskcore_commit_seconds" */
    const char *help;
    enum tc_metric_kind kind;
    const char *labels[TC_METRIC_LABELS_MAX]; /**< names; NULL: unused */
    const double *buckets; /**< HISTOGRAM: upper bounds, rising; +Inf is implied */
    size_t bucket_count;
};

struct tc_metrics;

struct tc_metrics_ops {
    /** COUNTER: add `value`; GAUGE: set to it; HISTOGRAM: one observation of it. `values`:
     *  the values of the labels, copied; NULL for an unused one. */
    void (*record)(struct tc_metrics *metrics, const struct tc_metric *metric,
                   const char *const values[TC_METRIC_LABELS_MAX], double value);

    /** Drop every series of a gauge, before setting those that hold now. */
    void (*clear)(struct tc_metrics *metrics, const struct tc_metric *metric);

    /** The Prometheus text exposition (0.0.4), malloc'ed, the caller frees; NULL: no memory. */
    char *(*render)(struct tc_metrics *metrics, size_t *ret_len);
};

struct tc_metrics {
    const struct tc_metrics_ops *ops;
};

/** Record with up to two label values (NULL: unused). */
static inline void tc_metrics_record(struct tc_metrics *metrics, const struct tc_metric *metric,
                                     const char *first, const char *second, double value)
{
    const char *const values[TC_METRIC_LABELS_MAX] = { first, second };

    if (metrics)
        metrics->ops->record(metrics, metric, values, value);
}

#endif
