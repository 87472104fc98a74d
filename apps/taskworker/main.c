/* taskworker: runs tasks of a PostgreSQL store, told of them by it or by Kafka. This file is
 * the composition root. */

#include "adapters/metrics/prometheus_metrics.h"
#include "apps/process/admin.h"
#include "apps/process/process.h"
#include "apps/process/work.h"
#include "apps/service/service_url.h"
#include "apps/taskworker/taskworker_settings.h"
#include "ports/logger.h"

static struct taskworker_settings settings;

/* Reading order is opening order; closing goes back up. */
static struct {
    struct taskworker_queues queues;
    struct tc_metrics *metrics;
    struct service *service;
    struct work work;
    struct admin admin;
} self;

static enum tc_code check(struct tc_error *err)
{
    enum tc_code code = taskworker_settings_check(&settings, err);

    return code == TC_OK ? work_read(&self.work, &settings.work, err) : code;
}

static enum tc_code open_service(struct process *process, struct tc_error *err)
{
    struct service_config config = {
        .program = "taskworker",
        .parts = SERVICE_RECEIVES,
        .policy = tc_policy_default(),
        .logger = process->logger,
        .metrics = self.metrics,
    };

    work_apply(&self.work, &settings.work, &config.policy);
    service_settings_apply(&settings.database, &settings.cluster, &config);
    return service_open(&config, &self.service, err);
}

static enum tc_code open_work(struct tc_error *err)
{
    if (!taskworker_queues_parse(settings.queues, &self.queues))
        return tc_fail(err, TC_INVALID, "TASK_QUEUES: bad names");
    return work_open(&self.work, self.service, &settings.work, (size_t)settings.workers,
                     self.queues.names, self.queues.count, err);
}

static void say_ready(struct process *process)
{
    const struct service_ports *ports = service_ports(self.service);
    char address[SETTING_TEXT_SIZE];
    char database[SETTING_TEXT_SIZE];

    admin_address(settings.admin_listen, self.admin.server, address, sizeof(address));
    service_url_describe(settings.database.url, database, sizeof(database));
    tc_log(process->logger, TC_LOG_INFO, NULL,
           "listening on %s, tasks in %s, hints by %s, %d workers", address, database,
           service_queue_kind(self.service, ports->broker), (int)settings.workers);
}

static enum tc_code open_all(struct process *process, struct tc_error *err)
{
    enum tc_code code = prometheus_metrics_open(&self.metrics, err);

    if (code == TC_OK)
        code = open_service(process, err);
    if (code == TC_OK)
        code = open_work(err);
    if (code == TC_OK)
        code = admin_open(&self.admin, settings.admin_listen, self.service, self.metrics,
                          process, err);
    if (code == TC_OK)
        say_ready(process);
    return code;
}

static void stop(struct process *process)
{
    admin_say_stopping(&self.admin);
    process_drain(process, self.service, settings.work.drain_ms);
}

static bool close_all(struct process *process)
{
    (void)process;
    admin_close(&self.admin);
    if (!service_close(self.service))
        return false;
    work_close(&self.work);
    prometheus_metrics_close(self.metrics);
    return true;
}

int main(int argc, char **argv)
{
    static const struct program program = {
        .settings = &taskworker_settings_table,
        .about = "runs the tasks of a store in PostgreSQL",
        .values = &settings,
        .shared = &settings.process,
        .check = check,
        .open = open_all,
        .stop = stop,
        .close = close_all,
    };

    return process_main(&program, argc, argv);
}
