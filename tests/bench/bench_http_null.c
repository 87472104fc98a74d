/* The denominator of durable creates: the same HTTP adapter, use case, metrics and logger,
 * on a repository that stores nothing. It parses the same JSON, makes the same answer and
 * answers 201, without a commit. Usage: bench_http_null ADDRESS:PORT; SIGTERM ends it. */

#include "adapters/http/http_server.h"
#include "adapters/http/http_services.h"
#include "adapters/local/local_task_events.h"
#include "adapters/local/local_task_queue.h"
#include "adapters/metrics/prometheus_metrics.h"
#include "adapters/system/system_clock.h"
#include "adapters/system/system_ids.h"
#include "adapters/system/system_logger.h"
#include "ports/logger.h"
#include "ports/task_repo.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static enum tc_code insert(struct tc_task_repo *repo, const struct tc_creation *creations,
                           size_t count, struct tc_inserted *ret_inserted, struct tc_error *err)
{
    (void)repo;
    (void)err;
    for (size_t i = 0; i < count; i++)
        ret_inserted[i] = (struct tc_inserted){ .verdict = TC_INSERT_CREATED,
                                                .first_id = creations[i].tasks[0].id };
    return TC_OK;
}

static enum tc_code get(struct tc_task_repo *repo, const struct tc_id *id,
                        struct tc_task *ret_task, struct tc_error *err)
{
    (void)repo;
    (void)id;
    (void)ret_task;
    return tc_fail(err, TC_NOT_FOUND, "nothing is stored here");
}

static enum tc_code list(struct tc_task_repo *repo, const struct tc_task_filter *filter,
                         struct tc_task_page *ret_page, struct tc_error *err)
{
    (void)repo;
    (void)filter;
    (void)err;
    *ret_page = (struct tc_task_page){ 0 };
    return TC_OK;
}

static enum tc_code change(struct tc_task_repo *repo, const struct tc_change *wanted,
                           struct tc_task *ret_task, struct tc_error *err)
{
    return get(repo, &wanted->id, ret_task, err);
}

static enum tc_code counts(struct tc_task_repo *repo, struct tc_queue_count **ret_counts,
                           size_t *ret_count, struct tc_error *err)
{
    (void)repo;
    (void)err;
    *ret_counts = NULL;
    *ret_count = 0;
    return TC_OK;
}

static enum tc_code check(struct tc_task_repo *repo, struct tc_error *err)
{
    (void)repo;
    (void)err;
    return TC_OK;
}

static enum tc_code forget_keys(struct tc_task_repo *repo, int64_t before_ms, size_t max,
                                size_t *ret_count, struct tc_error *err)
{
    (void)repo;
    (void)before_ms;
    (void)max;
    (void)err;
    *ret_count = 0;
    return TC_OK;
}

static const struct tc_task_repo_ops null_ops = {
    .name = "null",
    .insert = insert,
    .get = get,
    .list = list,
    .change = change,
    .counts = counts,
    .check = check,
    .forget_keys = forget_keys,
};

static struct tc_task_repo null_repo = { &null_ops };
static struct tc_policy policy;
static struct http_services services;

static enum tc_code open_services(struct tc_error *err)
{
    static const struct system_logger_config log = {
        .fd = STDERR_FILENO,
        .format = SYSTEM_LOG_JSON,
        .threshold = TC_LOG_INFO,
        .name = "bench_http_null",
    };
    struct system_logger_config config = log;
    enum tc_code code;

    config.clock = system_clock();
    policy = tc_policy_default();
    services.repo = &null_repo;
    services.clock = system_clock();
    services.policy = &policy;
    services.name = "bench_http_null";
    services.version = "0";
    services.commit = "unknown";
    services.queue_kind = "database";
    code = system_logger_open(&config, &services.logger, err);
    if (code == TC_OK)
        code = prometheus_metrics_open(&services.metrics, err);
    if (code == TC_OK)
        code = local_task_queue_open(&services.queue, err);
    if (code == TC_OK)
        code = local_task_events_open(&services.events, err);
    if (code == TC_OK)
        code = system_ids_open(system_clock(), &services.ids, err);
    return code;
}

static void close_services(void)
{
    system_ids_close(services.ids);
    local_task_events_close(services.events);
    local_task_queue_close(services.queue);
    prometheus_metrics_close(services.metrics);
    system_logger_close(services.logger);
}

int main(int argc, char **argv)
{
    struct http_server_config config = { .listen = argc > 1 ? argv[1] : "127.0.0.1:0" };
    struct http_server *server = NULL;
    struct tc_error err;
    sigset_t stop;
    int signal_number;

    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&stop);
    sigaddset(&stop, SIGTERM);
    sigprocmask(SIG_BLOCK, &stop, NULL);
    if (open_services(&err) != TC_OK ||
        http_server_open(&config, &services, &server, &err) != TC_OK) {
        fprintf(stderr, "bench_http_null: %s\n", err.message);
        return EXIT_FAILURE;
    }
    tc_log(services.logger, TC_LOG_INFO, NULL, "listening on 127.0.0.1:%d",
           http_server_port(server));
    sigwait(&stop, &signal_number);
    http_server_close(server);
    close_services();
    return EXIT_SUCCESS;
}
