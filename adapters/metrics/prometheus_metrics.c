#include "adapters/metrics/prometheus_metrics.h"

#include "adapters/metrics/series_table.h"
#include "core/domain/container_of.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct prometheus_metrics {
    struct tc_metrics base;
    struct series_table table;
};

static struct prometheus_metrics *self_of(struct tc_metrics *metrics)
{
    return TC_CONTAINER_OF(metrics, struct prometheus_metrics, base);
}

/* Growing text; `failed` stays set once memory ran out. */
struct text {
    char *data;
    size_t len;
    size_t size;
    bool failed;
};

static void add_bytes(struct text *text, const char *data, size_t len)
{
    if (text->failed)
        return;
    if (text->len + len + 1 > text->size) {
        size_t size = (text->size + len + 1) * 2 + 4096;
        char *grown = realloc(text->data, size);

        if (!grown) {
            text->failed = true;
            return;
        }
        text->data = grown;
        text->size = size;
    }
    memcpy(text->data + text->len, data, len);
    text->len += len;
    text->data[text->len] = '\0';
}

static void add(struct text *text, const char *string)
{
    add_bytes(text, string, strlen(string));
}

/* The format's escapes: backslash and line end, in label values the quote as well. */
static void add_escaped(struct text *text, const char *string, bool quotes)
{
    for (; *string; string++) {
        if (*string == '\n')
            add(text, "\\n");
        else if (*string == '\\' || (quotes && *string == '"'))
            add_bytes(text, (const char[]){ '\\', *string }, 2);
        else
            add_bytes(text, string, 1);
    }
}

static void add_number(struct text *text, double value)
{
    char number[40];

    if (isnan(value))
        snprintf(number, sizeof(number), "NaN");
    else if (isinf(value))
        snprintf(number, sizeof(number), value > 0 ? "+Inf" : "-Inf");
    else if (fabs(value) < 1e15 && fabs(value - trunc(value)) <= 0)
        snprintf(number, sizeof(number), "%" PRId64, (int64_t)value);
    else
        snprintf(number, sizeof(number), "%.15g", value);
    add(text, number);
}

static void add_label(struct text *text, const char *name, const char *value, bool *first)
{
    add(text, *first ? "{" : ",");
    add(text, name);
    add(text, "=\"");
    add_escaped(text, value, true);
    add(text, "\"");
    *first = false;
}

/* `name{labels} value`, with `le` for a bucket (NULL: none). */
static void add_sample(struct text *text, const struct series *series, const char *suffix,
                       const char *le, double value)
{
    const struct tc_metric *metric = series->metric;
    bool first = true;

    add(text, metric->name);
    add(text, suffix);
    for (size_t i = 0; i < TC_METRIC_LABELS_MAX; i++)
        if (metric->labels[i] && series->values[i])
            add_label(text, metric->labels[i], series->values[i], &first);
    if (le)
        add_label(text, "le", le, &first);
    add(text, first ? " " : "} ");
    add_number(text, value);
    add(text, "\n");
}

static void add_histogram(struct text *text, const struct series *series)
{
    const struct tc_metric *metric = series->metric;
    uint64_t below = 0;

    for (size_t i = 0; i < metric->bucket_count && i < PROMETHEUS_BUCKETS_MAX; i++) {
        char bound[40];

        below += series->buckets[i];
        snprintf(bound, sizeof(bound), "%.9g", metric->buckets[i]);
        add_sample(text, series, "_bucket", bound, (double)below);
    }
    add_sample(text, series, "_bucket", "+Inf", (double)series->count);
    add_sample(text, series, "_sum", NULL, series->value);
    add_sample(text, series, "_count", NULL, (double)series->count);
}

static void add_head(struct text *text, const char *name, const char *help, const char *kind)
{
    add(text, "# HELP ");
    add(text, name);
    add(text, " ");
    add_escaped(text, help, false);
    add(text, "\n# TYPE ");
    add(text, name);
    add(text, " ");
    add(text, kind);
    add(text, "\n");
}

static void add_series(struct text *text, const struct series *series, const char *last_name)
{
    static const char *const kinds[] = { "counter", "gauge", "histogram" };
    const struct tc_metric *metric = series->metric;

    if (!last_name || strcmp(last_name, metric->name) != 0)
        add_head(text, metric->name, metric->help, kinds[metric->kind]);
    if (metric->kind == TC_METRIC_HISTOGRAM)
        add_histogram(text, series);
    else
        add_sample(text, series, "", NULL, series->value);
}

static void add_dropped(struct text *text, uint64_t dropped)
{
    static const char name[] = "taskcore_metrics_dropped_total";

    add_head(text, name, "Records lost because there were too many series or no memory",
             "counter");
    add(text, name);
    add(text, " ");
    add_number(text, (double)dropped);
    add(text, "\n");
}

static void prometheus_record(struct tc_metrics *metrics, const struct tc_metric *metric,
                              const char *const values[TC_METRIC_LABELS_MAX], double value)
{
    series_table_record(&self_of(metrics)->table, metric, values, value);
}

static void prometheus_clear(struct tc_metrics *metrics, const struct tc_metric *metric)
{
    series_table_clear(&self_of(metrics)->table, metric);
}

static char *prometheus_render(struct tc_metrics *metrics, size_t *ret_len)
{
    struct series_table *table = &self_of(metrics)->table;
    struct text text = { 0 };
    size_t count;
    struct series **list = series_table_list(table, &count);

    if (!list)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        struct series series = series_table_read(table, list[i]);

        add_series(&text, &series, i > 0 ? list[i - 1]->metric->name : NULL);
    }
    free(list);
    add_dropped(&text, atomic_load(&table->dropped));
    if (text.failed) {
        free(text.data);
        return NULL;
    }
    *ret_len = text.len;
    return text.data;
}

static const struct tc_metrics_ops prometheus_metrics_ops = {
    .record = prometheus_record,
    .clear = prometheus_clear,
    .render = prometheus_render,
};

enum tc_code prometheus_metrics_open(struct tc_metrics **ret_metrics, struct tc_error *err)
{
    struct prometheus_metrics *self = malloc(sizeof(*self));

    if (!self)
        return tc_fail(err, TC_NO_MEMORY, "the metrics");
    self->base.ops = &prometheus_metrics_ops;
    series_table_init(&self->table);
    *ret_metrics = &self->base;
    return TC_OK;
}

void prometheus_metrics_close(struct tc_metrics *metrics)
{
    if (!metrics)
        return;

    struct prometheus_metrics *self = self_of(metrics);

    series_table_release(&self->table);
    free(self);
}
