/* taskpublisher: tells Kafka of the tasks that wait in PostgreSQL. This file is the
 * composition root. */

#include "adapters/metrics/prometheus_metrics.h"
#include "adapters/publisher/publisher.h"
#include "apps/process/admin.h"
#include "apps/process/process.h"
#include "apps/service/service_url.h"
#include "apps/taskpublisher/taskpublisher_settings.h"
#include "ports/logger.h"

static struct taskpublisher_settings settings;

/* Reading order is opening order; closing goes back up. */
static struct {
    struct tc_metrics *metrics;
    struct service *service;
    struct publisher *publisher;
    struct admin admin;
} self;

static enum tc_code check(struct tc_error *err)
{
    return taskpublisher_settings_check(&settings, err);
}

static enum tc_code open_service(struct process *process, struct tc_error *err)
{
    struct service_config config = {
        .program = "taskpublisher",
        .parts = SERVICE_PUBLISHES,
        .policy = tc_policy_default(),
        .logger = process->logger,
        .metrics = self.metrics,
    };

    service_settings_apply(&settings.database, &settings.cluster, &config);
    return service_open(&config, &self.service, err);
}

static enum tc_code open_publisher(struct process *process, struct tc_error *err)
{
    const struct service_ports *ports = service_ports(self.service);
    const struct publisher_ports publisher = {
        .announcements = ports->announcements,
        .queue = ports->broker,
        .bell = ports->bell,
        .logger = process->logger,
        .metrics = self.metrics,
    };
    bool pending = settings.cluster.announce == SERVICE_ANNOUNCE_PUBLISHER;

    return publisher_open(&publisher, pending, &self.publisher, err);
}

static void say_ready(struct process *process)
{
    char address[SETTING_TEXT_SIZE];
    char database[SETTING_TEXT_SIZE];

    admin_address(settings.admin_listen, self.admin.server, address, sizeof(address));
    service_url_describe(settings.database.url, database, sizeof(database));
    tc_log(process->logger, TC_LOG_INFO, NULL, "listening on %s, tasks in %s, announced to %s",
           address, database, settings.cluster.queue_url);
}

static enum tc_code open_all(struct process *process, struct tc_error *err)
{
    enum tc_code code = prometheus_metrics_open(&self.metrics, err);

    if (code == TC_OK)
        code = open_service(process, err);
    if (code == TC_OK)
        code = open_publisher(process, err);
    if (code == TC_OK)
        code = admin_open(&self.admin, settings.admin_listen, self.service, self.metrics,
                          process, err);
    if (code == TC_OK)
        say_ready(process);
    return code;
}

static void stop(struct process *process)
{
    tc_log(process->logger, TC_LOG_INFO, NULL, "told to stop");
    admin_say_stopping(&self.admin);
}

static bool close_all(struct process *process)
{
    (void)process;
    admin_close(&self.admin);
    publisher_close(self.publisher);
    if (!service_close(self.service))
        return false;
    prometheus_metrics_close(self.metrics);
    return true;
}

int main(int argc, char **argv)
{
    static const struct program program = {
        .settings = &taskpublisher_settings_table,
        .about = "tells Kafka of the tasks that wait in PostgreSQL",
        .values = &settings,
        .shared = &settings.process,
        .check = check,
        .open = open_all,
        .stop = stop,
        .close = close_all,
    };

    return process_main(&program, argc, argv);
}
