#include "adapters/http/http_account.h"

#include "ports/logger.h"
#include "ports/metrics.h"

static const double seconds[] = { 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05,
                                  0.1,    0.25,  0.5,   1,     2.5,  5,    20 };

static const struct tc_metric requests_total = {
    .name = "taskcore_http_requests_total",
    .help = "HTTP requests by route and status code",
    .kind = TC_METRIC_COUNTER,
    .labels = { "route", "code" },
};

static const struct tc_metric request_seconds = {
    .name = "taskcore_http_request_seconds",
    .help = "Time from the end of a request's head to the end of its response",
    .kind = TC_METRIC_HISTOGRAM,
    .labels = { "route" },
    .buckets = seconds,
    .bucket_count = sizeof(seconds) / sizeof(seconds[0]),
};

static void count(const struct http_services *services, const struct http_response *response,
                  int64_t duration_us)
{
    const char *route = response->route ? response->route : "none";
    int status = response->status >= 100 && response->status <= 999 ? response->status : 500;
    char code[] = { (char)('0' + status / 100), (char)('0' + status / 10 % 10),
                    (char)('0' + status % 10), '\0' };

    tc_metrics_record(services->metrics, &requests_total, route, code, 1);
    tc_metrics_record(services->metrics, &request_seconds, route, NULL,
                      (double)duration_us / 1e6);
}

void http_account(const struct http_services *services, const struct http_request *request,
                  const struct http_response *response, int64_t duration_us)
{
    enum tc_log_level level = response->status >= 500 ? TC_LOG_ERROR : TC_LOG_DEBUG;
    struct tc_log_subject subject = {
        .request_id = request->request_id,
        .task_id = response->has_task_id ? &response->task_id : NULL,
    };

    count(services, response, duration_us);
    if (!services->logger || level < services->logger->threshold)
        return;
    tc_log(services->logger, level, &subject, "%.16s %.64s %d in %lld us", request->method,
           response->route ? response->route : "refused", response->status,
           (long long)duration_us);
}
