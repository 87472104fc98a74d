/* taskapi: the HTTP API, with workers in the same process unless told otherwise. This file is
 * the composition root: it opens the adapters in order, runs until it is told to stop, and
 * closes them in reverse. */

#include "adapters/http/http_lessees.h"
#include "adapters/http/http_server.h"
#include "adapters/metrics/prometheus_metrics.h"
#include "apps/process/admin.h"
#include "apps/process/process.h"
#include "apps/process/work.h"
#include "apps/service/service_url.h"
#include "apps/taskapi/taskapi_settings.h"
#include "ports/logger.h"

#include <string.h>
#include <unistd.h>

static struct taskapi_settings settings;

/* Reading order is opening order; closing goes back up. */
static struct {
    struct tc_metrics *metrics;
    struct service *service;
    struct work work;
    struct http_lessees *lessees;
    struct http_services http_services;
    struct http_server *server;
} self;

static enum tc_code check(struct tc_error *err)
{
    enum tc_code code = taskapi_settings_check(&settings, err);

    return code == TC_OK ? work_read(&self.work, &settings.work, err) : code;
}

static enum tc_code open_service(struct process *process, struct tc_error *err)
{
    struct service_config config = {
        .program = "taskapi",
        .parts = settings.workers > 0 ? SERVICE_RECEIVES : SERVICE_CREATES,
        .policy = taskapi_settings_policy(&settings),
        .logger = process->logger,
        .metrics = self.metrics,
    };

    work_apply(&self.work, &settings.work, &config.policy);
    service_settings_apply(&settings.database, &settings.cluster, &config);
    return service_open(&config, &self.service, err);
}

/* Swagger UI's files: where the operator says, beside an installed binary, or as built. */
static const char *find_docs(void)
{
    static const char installed[] = "/../share/taskcore/swagger-ui";
    static char docs_dir[SETTING_TEXT_SIZE];
    char *text = docs_dir;

    if (settings.docs_dir[0])
        return settings.docs_dir;

    ssize_t len = readlink("/proc/self/exe", text, sizeof(docs_dir) - sizeof(installed));
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

static enum tc_code open_server(struct process *process, struct tc_error *err)
{
    const struct http_server_config config = {
        .listen = settings.listen,
        .connections = (int)settings.connections,
        .request_ms = settings.request_ms,
    };
    struct http_services *services = &self.http_services;

    admin_fill_services(self.service, services);
    services->lessees = self.lessees;
    services->queue = http_lessees_queue(self.lessees); /* which passes on to the queue */
    services->metrics = self.metrics;
    services->logger = process->logger;
    services->docs_dir = find_docs();
    if (settings.workers == 0)
        services->workers = NULL;
    return process_blame(http_server_open(&config, services, &self.server, err), "TASK_LISTEN",
                         err);
}

static void say_ready(struct process *process)
{
    char address[SETTING_TEXT_SIZE];
    char database[SETTING_TEXT_SIZE];

    admin_address(settings.listen, self.server, address, sizeof(address));
    service_url_describe(settings.database.url, database, sizeof(database));
    tc_log(process->logger, TC_LOG_INFO, NULL, "listening on %s, tasks in %s, %d workers",
           address, database, (int)settings.workers);
}

static enum tc_code open_all(struct process *process, struct tc_error *err)
{
    enum tc_code code = prometheus_metrics_open(&self.metrics, err);

    if (code == TC_OK)
        code = open_service(process, err);
    if (code == TC_OK)
        code = work_open(&self.work, self.service, &settings.work, (size_t)settings.workers,
                         NULL, 0, err);
    if (code == TC_OK)
        code = http_lessees_open(service_ports(self.service)->queue, 0, &self.lessees, err);
    if (code == TC_OK)
        code = open_server(process, err);
    if (code == TC_OK)
        say_ready(process);
    return code;
}

static void stop(struct process *process)
{
    self.http_services.draining = true;
    service_interrupt_waits(self.service);
    http_lessees_interrupt(self.lessees);
    process_drain(process, self.service, settings.work.drain_ms);
}

static bool close_all(struct process *process)
{
    (void)process;
    http_server_close(self.server);
    http_lessees_close(self.lessees);
    if (!service_close(self.service))
        return false;
    work_close(&self.work);
    prometheus_metrics_close(self.metrics);
    return true;
}

int main(int argc, char **argv)
{
    static const struct program program = {
        .settings = &taskapi_settings_table,
        .about = "the HTTP API of taskcore, and workers",
        .values = &settings,
        .shared = &settings.process,
        .check = check,
        .open = open_all,
        .stop = stop,
        .close = close_all,
    };

    return process_main(&program, argc, argv);
}
