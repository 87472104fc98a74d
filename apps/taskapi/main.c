/* taskapi: the HTTP API, with the store and the workers in the same process (embedded form).
 * This file is the composition root: it opens the adapters in order, runs until it is told to
 * stop, and closes them in reverse. */

#include "adapters/demo/demo_handlers.h"
#include "adapters/http/http_server.h"
#include "adapters/http/http_services.h"
#include "adapters/metrics/prometheus_metrics.h"
#include "adapters/system/system_clock.h"
#include "adapters/system/system_logger.h"
#include "apps/embedded/service.h"
#include "apps/taskapi/drain.h"
#include "apps/taskapi/taskapi_settings.h"
#include "taskapi_version.h" /* made at build time */

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Reading order is opening order; closing goes back up. */
struct taskapi {
    struct taskapi_settings settings;
    char docs_dir[SETTING_TEXT_SIZE];
    struct tc_logger *logger;
    struct tc_metrics *metrics;
    struct service *service;
    struct demo_handlers *demo;
    struct http_services http_services;
    struct http_server *server;
};

static enum tc_code open_logger(struct taskapi *self, struct tc_error *err)
{
    bool is_text = self->settings.log_format == TASKAPI_LOG_TEXT ||
                   (self->settings.log_format == TASKAPI_LOG_AUTO && isatty(STDERR_FILENO));
    const struct system_logger_config config = {
        .fd = STDERR_FILENO,
        .format = is_text ? SYSTEM_LOG_TEXT : SYSTEM_LOG_JSON,
        .threshold = (enum tc_log_level)self->settings.log_level,
        .clock = system_clock(),
        .name = "taskapi",
    };

    return system_logger_open(&config, &self->logger, err);
}

/* What an adapter refused came from a setting, whose name only this file knows. */
static enum tc_code name_setting(enum tc_code code, const char *name, struct tc_error *err)
{
    if (code == TC_OK)
        return TC_OK;

    struct tc_error inner = *err;

    return tc_fail(err, code, "%s: %.220s", name, inner.message);
}

static enum tc_code open_service(struct taskapi *self, struct tc_error *err)
{
    const struct service_config config = {
        .database_url = self->settings.database_url,
        .policy = taskapi_settings_policy(&self->settings),
        .logger = self->logger,
        .metrics = self->metrics,
    };

    return name_setting(service_open(&config, &self->service, err), "TASK_DATABASE_URL", err);
}

static enum tc_code start_workers(struct taskapi *self, struct tc_error *err)
{
    const struct demo_config config = {
        .min_ms = self->settings.demo_seconds.low * 1000,
        .max_ms = self->settings.demo_seconds.high * 1000,
        .ids = service_ports(self->service)->ids,
    };
    const struct tc_handler_entry *handlers;
    size_t count = 0;
    enum tc_code code = demo_handlers_open(&config, &self->demo, err);

    if (code != TC_OK)
        return code;
    handlers = demo_handlers_entries(self->demo, &count);
    return service_start(self->service, (size_t)self->settings.workers, handlers, count, err);
}

/* Swagger UI's files: where the operator says, beside an installed binary, or as built. */
static const char *find_docs(struct taskapi *self)
{
    static const char installed[] = "/../share/taskcore/swagger-ui";
    char *text = self->docs_dir;

    if (self->settings.docs_dir[0])
        return self->settings.docs_dir;

    ssize_t len = readlink("/proc/self/exe", text, sizeof(self->docs_dir) - sizeof(installed));
    char *slash = NULL;

    if (len > 0) {
        text[len] = '\0';
        slash = strrchr(text, '/');
    }
    if (slash) {
        memcpy(slash, installed, sizeof(installed));
        if (access(text, R_OK) == 0)
            return text;
    }
    return TASKCORE_DOCS_DIR[0] ? TASKCORE_DOCS_DIR : NULL;
}

static void fill_http_services(struct taskapi *self)
{
    const struct service_ports *ports = service_ports(self->service);
    struct http_services *services = &self->http_services;

    services->repo = ports->repo;
    services->queue = ports->queue;
    services->events = ports->events;
    services->ids = ports->ids;
    services->clock = ports->clock;
    services->policy = ports->policy;
    services->metrics = self->metrics;
    services->logger = self->logger;
    services->workers = self->settings.workers > 0 ? service_worker_pool(self->service) : NULL;
    services->name = "taskcore";
    services->version = TASKCORE_VERSION;
    services->commit = TASKCORE_COMMIT;
    services->queue_kind = "database";
    services->docs_dir = find_docs(self);
}

static enum tc_code open_server(struct taskapi *self, struct tc_error *err)
{
    const struct http_server_config config = {
        .listen = self->settings.listen,
        .connections = (int)self->settings.connections,
        .request_ms = self->settings.request_ms,
    };

    fill_http_services(self);
    return name_setting(http_server_open(&config, &self->http_services, &self->server, err),
                        "TASK_LISTEN", err);
}

static void close_all(struct taskapi *self, int status)
{
    http_server_close(self->server);
    if (!service_close(self->service))
        _exit(status); /* a handler ignores its stop; its task has been given back */
    demo_handlers_close(self->demo);
    prometheus_metrics_close(self->metrics);
    system_logger_close(self->logger);
}

static void warn_unknown(struct taskapi *self)
{
    const char *name;

    for (size_t at = 0; (name = settings_next_unknown(&taskapi_settings_table, &at));)
        tc_log(self->logger, TC_LOG_WARN, NULL, "%s is no setting of taskapi; ignored", name);
}

static enum tc_code open_all(struct taskapi *self, struct tc_error *err)
{
    enum tc_code code = open_logger(self, err);

    if (code != TC_OK)
        return code;
    warn_unknown(self);
    code = prometheus_metrics_open(&self->metrics, err);
    if (code == TC_OK)
        code = open_service(self, err);
    if (code == TC_OK)
        code = start_workers(self, err);
    if (code == TC_OK)
        code = open_server(self, err);
    return code;
}

static void say_ready(struct taskapi *self)
{
    const char *colon = strrchr(self->settings.listen, ':');
    int host_len = colon ? (int)(colon - self->settings.listen) : 0;

    tc_log(self->logger, TC_LOG_INFO, NULL, "listening on %.*s:%d, tasks in %s, %d workers",
           host_len ? host_len : 7, host_len ? self->settings.listen : "0.0.0.0",
           http_server_port(self->server), self->settings.database_url,
           (int)self->settings.workers);
}

static int run(struct taskapi *self, const sigset_t *stop_signals)
{
    struct tc_error err;
    int signal_number;

    if (open_all(self, &err) != TC_OK) {
        if (self->logger)
            tc_log(self->logger, TC_LOG_ERROR, NULL, "cannot start: %s", err.message);
        else
            fprintf(stderr, "taskapi: cannot start: %s\n", err.message);
        close_all(self, EXIT_FAILURE);
        return EXIT_FAILURE;
    }
    say_ready(self);
    sigwait(stop_signals, &signal_number);
    tc_log(self->logger, TC_LOG_INFO, NULL, "told to stop; running tasks get %lld ms",
           (long long)self->settings.drain_ms);
    self->http_services.draining = true;
    service_interrupt_waits(self->service);
    drain(self->service, self->settings.drain_ms, stop_signals);
    tc_log(self->logger, TC_LOG_INFO, NULL, "stopped");
    close_all(self, EXIT_SUCCESS);
    return EXIT_SUCCESS;
}

/* Stop signals are taken by sigwait() alone, and by no thread; a client that goes away must
 * not end the process. */
static void take_signals(sigset_t *ret_stop_signals)
{
    signal(SIGPIPE, SIG_IGN);
    sigemptyset(ret_stop_signals);
    sigaddset(ret_stop_signals, SIGTERM);
    sigaddset(ret_stop_signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, ret_stop_signals, NULL);
}

int main(int argc, char **argv)
{
    static struct taskapi taskapi;
    enum settings_request request = SETTINGS_RUN;
    sigset_t stop_signals;
    struct tc_error err;

    if (settings_load(&taskapi_settings_table, argc, argv, &taskapi.settings, &request, &err) !=
            TC_OK ||
        taskapi_settings_check(&taskapi.settings, &err) != TC_OK) {
        fprintf(stderr, "taskapi: %s\n", err.message);
        return 2;
    }
    switch (request) {
    case SETTINGS_HELP:
        settings_print_help(&taskapi_settings_table, stdout);
        return EXIT_SUCCESS;
    case SETTINGS_VERSION:
        printf("taskapi %s (%s)\n", TASKCORE_VERSION, TASKCORE_COMMIT);
        return EXIT_SUCCESS;
    case SETTINGS_PRINT_CONFIG:
        settings_print(&taskapi_settings_table, &taskapi.settings, stdout);
        return EXIT_SUCCESS;
    case SETTINGS_PRINT_DOCS:
        settings_print_docs(&taskapi_settings_table, stdout);
        return EXIT_SUCCESS;
    case SETTINGS_RUN:
        break;
    }
    take_signals(&stop_signals);
    return run(&taskapi, &stop_signals);
}
