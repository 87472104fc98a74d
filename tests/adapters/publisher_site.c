#include "tests/adapters/publisher_site.h"

#include "adapters/local/local_task_queue.h"
#include "adapters/memory/memory_store.h"
#include "core/domain/container_of.h"
#include "ports/metrics.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NOW_MS INT64_C(1700000000000)

struct publisher_site site;

/* --- a queue that keeps what it was told, can be away, and can take its time --- */

static size_t number_of(const struct tc_id *id)
{
    return (size_t)id->bytes[14] << 8 | id->bytes[15];
}

static void keep(const struct tc_hint *hints, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t number = number_of(&hints[i].id);

        ck_assert_uint_lt(number, SITE_TASKS_MAX);
        if (site.queue.told[number]++ == 0)
            site.queue.distinct++;
    }
}

static enum tc_code told_deliver(struct tc_task_queue *base, const struct tc_hint *hints,
                                 size_t count, int64_t wait_ms, struct tc_error *err)
{
    sigset_t blocked;

    ck_assert_ptr_eq(base, &site.queue.base);
    ck_assert_int_gt(wait_ms, 0);
    pthread_sigmask(SIG_BLOCK, NULL, &blocked);
    pthread_mutex_lock(&site.queue.lock);
    site.queue.hears_signals = !sigismember(&blocked, SIGTERM);
    site.queue.calls++;
    pthread_cond_broadcast(&site.queue.changed);
    while (site.queue.shut)
        pthread_cond_wait(&site.queue.changed, &site.queue.lock);

    enum tc_code code = site.queue.answer;

    if (code == TC_OK)
        keep(hints, count);
    pthread_cond_broadcast(&site.queue.changed);
    pthread_mutex_unlock(&site.queue.lock);
    return code == TC_OK ? TC_OK : tc_fail(err, code, "no broker");
}

static const struct tc_task_queue_ops told_ops = { .name = "told", .deliver = told_deliver };

void site_await_told(size_t distinct)
{
    pthread_mutex_lock(&site.queue.lock);
    while (site.queue.distinct < distinct)
        pthread_cond_wait(&site.queue.changed, &site.queue.lock);
    pthread_mutex_unlock(&site.queue.lock);
}

void site_await_calls(size_t calls)
{
    pthread_mutex_lock(&site.queue.lock);
    while (site.queue.calls < calls)
        pthread_cond_wait(&site.queue.changed, &site.queue.lock);
    pthread_mutex_unlock(&site.queue.lock);
}

size_t site_calls(void)
{
    pthread_mutex_lock(&site.queue.lock);

    size_t calls = site.queue.calls;

    pthread_mutex_unlock(&site.queue.lock);
    return calls;
}

void site_set_queue(enum tc_code answer, bool shut)
{
    pthread_mutex_lock(&site.queue.lock);
    site.queue.answer = answer;
    site.queue.shut = shut;
    pthread_cond_broadcast(&site.queue.changed);
    pthread_mutex_unlock(&site.queue.lock);
}

/* --- the store, which can be away --- */

static enum tc_code watched_take(struct tc_announcement_repo *repo, size_t max, int64_t hold_ms,
                                 struct tc_announcement *ret_groups, size_t *ret_count,
                                 int64_t *ret_next_ms, struct tc_error *err)
{
    struct publisher_repo *self = TC_CONTAINER_OF(repo, struct publisher_repo, base);

    self->takes++;
    if (self->away)
        return tc_fail(err, TC_UNAVAILABLE, "no store");
    return self->inner->ops->take(self->inner, max, hold_ms, ret_groups, ret_count, ret_next_ms,
                                  err);
}

static enum tc_code watched_announced(struct tc_announcement_repo *repo,
                                      const struct tc_announcement *groups, size_t count,
                                      bool pending, struct tc_error *err)
{
    struct publisher_repo *self = TC_CONTAINER_OF(repo, struct publisher_repo, base);

    return self->inner->ops->announced(self->inner, groups, count, pending, err);
}

static const struct tc_announcement_repo_ops watched_ops = {
    .name = "watched",
    .take = watched_take,
    .announced = watched_announced,
};

/* --- who counts lines and measurements --- */

static void count_line(struct tc_logger *logger, enum tc_log_level level,
                       const struct tc_log_subject *subject, const char *message)
{
    (void)logger;
    (void)subject;
    (void)message;
    if (level == TC_LOG_WARN)
        site.warnings++;
    else
        site.infos++;
}

static const struct tc_logger_ops logger_ops = { .write = count_line };
static struct tc_logger logger = { .ops = &logger_ops, .threshold = TC_LOG_DEBUG };

static void add_up(struct tc_metrics *metrics, const struct tc_metric *metric,
                   const char *const values[TC_METRIC_LABELS_MAX], double value)
{
    (void)metrics;
    (void)values;
    if (strcmp(metric->name, "taskcore_announced_total") == 0)
        site.announced_total += (size_t)value;
    else if (strcmp(metric->name, "taskcore_announce_failures_total") == 0)
        site.failures_total += (size_t)value;
    else
        ck_abort_msg("unknown metric %s", metric->name);
}

static const struct tc_metrics_ops metrics_ops = { .record = add_up };
static struct tc_metrics metrics = { .ops = &metrics_ops };

/* --- a bell that is out of order, or rings only when interrupted --- */

static enum tc_code fail_to_receive(struct tc_task_queue *bell, int64_t wait_ms, size_t max,
                                    struct tc_hint *ret_hints, struct tc_delivery *ret_delivery,
                                    struct tc_error *err)
{
    (void)bell;
    (void)wait_ms;
    (void)max;
    (void)ret_hints;
    (void)ret_delivery;
    return tc_fail(err, TC_UNAVAILABLE, "no bell");
}

static enum tc_code receive_for_ever(struct tc_task_queue *bell, int64_t wait_ms, size_t max,
                                     struct tc_hint *ret_hints,
                                     struct tc_delivery *ret_delivery, struct tc_error *err)
{
    (void)bell;
    return site.bell->ops->receive(site.bell, 1000 * wait_ms, max, ret_hints, ret_delivery,
                                   err);
}

static void interrupt_real(struct tc_task_queue *bell)
{
    (void)bell;
    site.bell->ops->interrupt(site.bell);
}

static const struct tc_task_queue_ops failing_ops = { .name = "failing",
                                                      .receive = fail_to_receive,
                                                      .interrupt = interrupt_real };
static const struct tc_task_queue_ops endless_ops = { .name = "endless",
                                                      .receive = receive_for_ever,
                                                      .interrupt = interrupt_real };
struct tc_task_queue site_failing_bell = { &failing_ops };
struct tc_task_queue site_endless_bell = { &endless_ops };

/* --- the site --- */

static struct memory_store *store;
static struct tc_task_repo *tasks;
static size_t created;

void publisher_site_open(void)
{
    fake_clock_init(&site.wall, NOW_MS);
    ck_assert_int_eq(memory_store_open(&site.wall.base, &store, NULL), TC_OK);
    ck_assert_int_eq(local_task_queue_open(&site.bell, NULL), TC_OK);
    tasks = memory_store_task_repo(store);
    site.announcements.base.ops = &watched_ops;
    site.announcements.inner = memory_store_announcement_repo(store);
    site.queue.base.ops = &told_ops;
    pthread_mutex_init(&site.queue.lock, NULL);
    pthread_cond_init(&site.queue.changed, NULL);
}

void publisher_site_close(void)
{
    publisher_close(site.publisher);
    local_task_queue_close(site.bell);
    memory_store_close(store);
    pthread_cond_destroy(&site.queue.changed);
    pthread_mutex_destroy(&site.queue.lock);
}

struct publisher *site_publisher(struct tc_task_queue *its_bell, bool pending)
{
    const struct publisher_ports ports = { &site.announcements.base, &site.queue.base, its_bell,
                                           &logger, &metrics };
    struct publisher *opened;

    ck_assert_int_eq(publisher_open(&ports, pending, &opened, NULL), TC_OK);
    return opened;
}

struct tc_id site_create(size_t count, int kind)
{
    struct tc_task *batch = calloc(count, sizeof(*batch));
    struct tc_creation creation = { .tasks = batch, .task_count = count };
    struct tc_inserted inserted;

    ck_assert_ptr_nonnull(batch);
    for (size_t i = 0; i < count; i++) {
        batch[i] = (struct tc_task){ .id = tc_id_make(NOW_MS, 1, created++),
                                     .status = TC_STATUS_NEW,
                                     .created_at_ms = NOW_MS,
                                     .queue = "default",
                                     .payload = { TC_CONTENT_TEXT, tc_bytes_of("x") } };
        snprintf(batch[i].type, sizeof(batch[i].type), "type%d", kind);
    }

    struct tc_id first = batch[0].id;

    ck_assert_int_eq(tasks->ops->insert(tasks, &creation, 1, &inserted, NULL), TC_OK);
    tc_inserted_release(&inserted);
    free(batch);
    return first;
}

void site_ring(void)
{
    tc_task_queue_tell_look(site.bell);
}

enum tc_status site_status(const struct tc_id *id)
{
    struct tc_task task;

    ck_assert_int_eq(tasks->ops->get(tasks, id, &task, NULL), TC_OK);

    enum tc_status status = task.status;

    tc_task_release(&task);
    return status;
}

void site_sleep_ms(long ms)
{
    const struct timespec time = { ms / 1000, ms % 1000 * 1000000 };

    nanosleep(&time, NULL);
}

void site_await_status(const struct tc_id *id, enum tc_status status)
{
    while (site_status(id) != status)
        site_sleep_ms(2);
}

void site_await_takes(size_t takes)
{
    while (site.announcements.takes < takes)
        site_sleep_ms(2);
}

int64_t site_tick_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}
