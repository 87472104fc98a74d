#ifndef TESTS_ADAPTERS_METRICS_PROBE_H
#define TESTS_ADAPTERS_METRICS_PROBE_H

/** @file metrics_probe.h Metrics that add up everything by name and labels, for tests. */

#include "ports/metrics.h"

#define METRICS_PROBE_MAX 64

struct metrics_probe {
    struct tc_metrics base;
    struct {
        char key[160]; /* "name{first,second}"; an unused label is empty */
        double sum;    /* of all values recorded */
        int records;
    } series[METRICS_PROBE_MAX];
    size_t count;
};

void metrics_probe_init(struct metrics_probe *probe);

/** The sum of what was recorded under `key`; 0 when nothing was. */
double metrics_probe_sum(const struct metrics_probe *probe, const char *key);
/** How often something was. */
int metrics_probe_records(const struct metrics_probe *probe, const char *key);

#endif
