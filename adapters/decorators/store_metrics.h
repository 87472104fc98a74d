#ifndef TASKCORE_ADAPTERS_DECORATORS_STORE_METRICS_H
#define TASKCORE_ADAPTERS_DECORATORS_STORE_METRICS_H

/** @file store_metrics.h What both metered repositories measure in the same series. */

#include "core/domain/error.h"
#include "ports/metrics.h"

#include <stdint.h>

/** Bucket bounds in seconds, 0.1 ms to 10 s. */
#define STORE_METRICS_SECOND_BUCKETS 16
extern const double store_metrics_second_buckets[STORE_METRICS_SECOND_BUCKETS];

/** A call that began at `start` (monotonic_seconds()) has ended with `code`. `commits`: an OK
 *  means that something was written. */
void store_metrics_call(struct tc_metrics *metrics, const char *op, double start,
                        enum tc_code code, bool commits);

/** A group of `count` tasks was carried by `op`. */
void store_metrics_group(struct tc_metrics *metrics, const char *op, size_t count);

/** Milliseconds between two readings of the wall clock, as seconds; never negative. */
double store_metrics_seconds_between(int64_t from_ms, int64_t to_ms);

#endif
