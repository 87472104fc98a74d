#ifndef TASKCORE_ADAPTERS_METRICS_PROMETHEUS_METRICS_H
#define TASKCORE_ADAPTERS_METRICS_PROMETHEUS_METRICS_H

/**
 * @file prometheus_metrics.h
 * Counters, gauges and histograms in memory, rendered as Prometheus text 0.0.4.
 *
 * A record is a hash look-up and an addition under the short lock of one of 16 shards.
 * At most 10,000 series are kept and 24 buckets a histogram; what comes beyond is counted in
 * `taskcore_metrics_dropped_total`. A cleared gauge keeps its memory for the next time.
 * The descriptions (struct tc_metric) are borrowed until close. Descriptions of one name must
 * agree in kind and labels.
 */

#include "ports/metrics.h"

#include "core/domain/error.h"

#define PROMETHEUS_SERIES_MAX  10000
#define PROMETHEUS_BUCKETS_MAX 24

/** @return TC_OK or TC_NO_MEMORY. */
enum tc_code prometheus_metrics_open(struct tc_metrics **ret_metrics,
                                     struct tc_error *err) TC_MUST_CHECK;

/** Nobody may use it any more. NULL is fine. */
void prometheus_metrics_close(struct tc_metrics *metrics);

#endif
