/* The little code that lives in ports/: checks at start-up, names, logging, hints. */

#include "core/domain/container_of.h"
#include "ports/handler.h"
#include "ports/lease_repo.h"
#include "ports/metrics.h"
#include "ports/task_repo.h"
#include "tests/support/fakes.h"
#include "tests/support/faults.h"
#include "tests/support/run_suite.h"

#include <stdlib.h>
#include <string.h>

#define COUNT_OF(array) (int)(sizeof(array) / sizeof((array)[0]))

static struct tc_error err;

/* A table of functions whose `nth` pointer is missing: byte-wise, so that no slot can be
 * forgotten here when a port gains a method. */
static void copy_without(void *copy, const void *ops, size_t size, size_t nth)
{
    memcpy(copy, ops, size);
    memset((char *)copy + nth * sizeof(void (*)(void)), 0, sizeof(void (*)(void)));
}

static struct fault_task_repo whole_tasks;
static struct fault_lease_repo whole_leases;
static struct fault_announcement_repo whole_announcements;

static void setup(void)
{
    fault_task_repo_init(&whole_tasks, NULL, (struct fault_plan){ 0 });
    fault_lease_repo_init(&whole_leases, NULL, (struct fault_plan){ 0 });
    fault_announcement_repo_init(&whole_announcements, NULL, (struct fault_plan){ 0 });
}

START_TEST(a_whole_repository_is_valid)
{
    ck_assert_int_eq(tc_task_repo_validate(&whole_tasks.base, &err), TC_OK);
    ck_assert_int_eq(tc_lease_repo_validate(&whole_leases.base, &err), TC_OK);
    ck_assert_int_eq(tc_announcement_repo_validate(&whole_announcements.base, &err), TC_OK);
}
END_TEST

START_TEST(a_task_repository_needs_every_method) /* _i: the one that is missing */
{
    struct tc_task_repo_ops ops;
    struct tc_task_repo repo = { &ops };

    copy_without(&ops, whole_tasks.base.ops, sizeof(ops), (size_t)_i);
    ck_assert_int_eq(tc_task_repo_validate(&repo, &err), TC_INTERNAL);
    ck_assert_ptr_nonnull(strstr(err.message, _i == 0 ? "'(unnamed)'" : "'fault'"));
}
END_TEST

START_TEST(a_lease_repository_needs_every_method) /* _i: the one that is missing */
{
    struct tc_lease_repo_ops ops;
    struct tc_lease_repo repo = { &ops };

    copy_without(&ops, whole_leases.base.ops, sizeof(ops), (size_t)_i);
    ck_assert_int_eq(tc_lease_repo_validate(&repo, &err), TC_INTERNAL);
    ck_assert_ptr_nonnull(strstr(err.message, _i == 0 ? "'(unnamed)'" : "'fault'"));
}
END_TEST

START_TEST(an_announcement_repository_needs_every_method) /* _i: the one that is missing */
{
    struct tc_announcement_repo_ops ops;
    struct tc_announcement_repo repo = { &ops };

    copy_without(&ops, whole_announcements.base.ops, sizeof(ops), (size_t)_i);
    ck_assert_int_eq(tc_announcement_repo_validate(&repo, &err), TC_INTERNAL);
    ck_assert_int_eq(tc_announcement_repo_validate(NULL, &err), TC_INTERNAL);
}
END_TEST

START_TEST(a_repository_without_methods_is_invalid)
{
    struct tc_announcement_repo announcements = { NULL };
    struct tc_task_repo tasks = { NULL };
    struct tc_lease_repo leases = { NULL };

    ck_assert_int_eq(tc_task_repo_validate(&tasks, &err), TC_INTERNAL);
    ck_assert_int_eq(tc_lease_repo_validate(&leases, &err), TC_INTERNAL);
    ck_assert_int_eq(tc_announcement_repo_validate(&announcements, &err), TC_INTERNAL);
}
END_TEST

START_TEST(releasing_an_answer_twice_is_harmless)
{
    struct tc_inserted inserted = { .answer = malloc(8), .answer_len = 8 };

    tc_inserted_release(&inserted);
    ck_assert_ptr_null(inserted.answer);
    ck_assert_uint_eq(inserted.answer_len, 0);
    tc_inserted_release(&inserted);
}
END_TEST

START_TEST(releasing_a_page_frees_every_task_of_it)
{
    struct tc_task_page page = { .tasks = calloc(2, sizeof(*page.tasks)),
                                 .omitted = calloc(2, sizeof(*page.omitted)),
                                 .count = 2 };

    ck_assert(page.tasks && page.omitted);
    page.tasks[0].storage = malloc(1);
    page.tasks[1].storage = malloc(1);
    tc_task_page_release(&page);
    ck_assert_ptr_null(page.tasks);
    ck_assert_uint_eq(page.count, 0);
    tc_task_page_release(&page);
}
END_TEST

START_TEST(releasing_an_announcement_frees_its_ids)
{
    struct tc_announcement announcement = { .ids = malloc(sizeof(struct tc_id)), .count = 1 };

    tc_announcement_release(&announcement);
    ck_assert_ptr_null(announcement.ids);
    ck_assert_uint_eq(announcement.count, 0);
    tc_announcement_release(&announcement);
    tc_announcement_release(NULL);
}
END_TEST

static struct tc_task make_task(void)
{
    return (struct tc_task){
        .id = tc_id_make(1000, 1, 7), .queue = "slow", .type = "email", .priority = 9
    };
}

START_TEST(a_hint_says_what_a_worker_must_know)
{
    static struct fake_queue queue;
    struct tc_task task = make_task();

    fake_queue_init(&queue);
    tc_task_queue_tell(&queue.base, &task);
    ck_assert_uint_eq(queue.count, 1);
    ck_assert_int_eq(tc_id_compare(&queue.hints[0].id, &task.id), 0);
    ck_assert_str_eq(queue.hints[0].queue, "slow");
    ck_assert_str_eq(queue.hints[0].type, "email");
    ck_assert_int_eq(queue.hints[0].priority, 9);
}
END_TEST

START_TEST(a_look_carries_no_hint)
{
    static struct fake_queue queue;

    fake_queue_init(&queue);
    tc_task_queue_tell_look(&queue.base);
    ck_assert_uint_eq(queue.looks, 1);
    ck_assert_uint_eq(queue.count, 0);
}
END_TEST

START_TEST(a_queue_that_says_no_is_not_asked_twice)
{
    static struct fake_queue queue;
    struct tc_task task = make_task();

    fake_queue_init(&queue);
    queue.answer = TC_UNAVAILABLE;
    tc_task_queue_tell(&queue.base, &task);
    tc_task_queue_tell_look(&queue.base);
    ck_assert_uint_eq(queue.refused, 2);
}
END_TEST

START_TEST(a_line_is_formatted_and_written_with_its_subject)
{
    struct fake_logger logger;
    struct tc_id id = tc_id_make(1000, 1, 7);
    struct tc_log_subject subject = { "r-1", &id };

    fake_logger_init(&logger, TC_LOG_INFO);
    tc_log(&logger.base, TC_LOG_INFO, &subject, "%d of %s", 3, "four");
    ck_assert_str_eq(logger.message, "3 of four");
    ck_assert_str_eq(logger.request_id, "r-1");
    ck_assert_int_eq(tc_id_compare(&logger.task_id, &id), 0);
}
END_TEST

START_TEST(lines_below_the_threshold_are_dropped) /* _i: the line's level */
{
    struct fake_logger logger;

    fake_logger_init(&logger, TC_LOG_WARN);
    tc_log(&logger.base, (enum tc_log_level)_i, NULL, "x");
    ck_assert_uint_eq(logger.count, _i >= TC_LOG_WARN ? 1 : 0);
}
END_TEST

START_TEST(a_long_line_is_cut_at_1000_bytes)
{
    struct fake_logger logger;
    char text[1200];

    memset(text, 'x', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    fake_logger_init(&logger, TC_LOG_DEBUG);
    tc_log(&logger.base, TC_LOG_ERROR, NULL, "%s", text);
    ck_assert_uint_eq(strlen(logger.message), 1000);
}
END_TEST

START_TEST(no_logger_is_a_silent_one)
{
    tc_log(NULL, TC_LOG_ERROR, NULL, "unheard");
}
END_TEST

START_TEST(no_metrics_keep_nothing)
{
    static const struct tc_metric metric = { .name = "m", .kind = TC_METRIC_COUNTER };

    tc_metrics_record(NULL, &metric, NULL, NULL, 1);
}
END_TEST

/* Metrics that add up what they are told. */
struct adding_metrics {
    struct tc_metrics base;
    double sum;
    const char *values[TC_METRIC_LABELS_MAX];
};

static void add_up(struct tc_metrics *metrics, const struct tc_metric *metric,
                   const char *const values[TC_METRIC_LABELS_MAX], double value)
{
    struct adding_metrics *self = TC_CONTAINER_OF(metrics, struct adding_metrics, base);

    (void)metric;
    self->sum += value;
    for (size_t i = 0; i < TC_METRIC_LABELS_MAX; i++)
        self->values[i] = values[i];
}

START_TEST(a_measurement_carries_its_labels)
{
    static const struct tc_metrics_ops ops = { .record = add_up };
    static const struct tc_metric metric = { .name = "m", .kind = TC_METRIC_COUNTER };
    struct adding_metrics metrics = { .base.ops = &ops };

    tc_metrics_record(&metrics.base, &metric, "default", NULL, 2);
    tc_metrics_record(&metrics.base, &metric, "default", "done", 3);
    ck_assert_int_eq((int)metrics.sum, 5);
    ck_assert_str_eq(metrics.values[0], "default");
    ck_assert_str_eq(metrics.values[1], "done");
}
END_TEST

static const char *const levels[] = { "debug", "info", "warn", "error", "error" };

START_TEST(every_level_has_a_name)
{
    ck_assert_str_eq(tc_log_level_name((enum tc_log_level)_i), levels[_i]);
}
END_TEST

static const char *const stops[] = {
    "none", "cancelled", "lost", "timeout", "shutdown", "none"
};

START_TEST(every_reason_to_stop_has_a_name)
{
    ck_assert_str_eq(tc_stop_reason_name((enum tc_stop_reason)_i), stops[_i]);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ports");
    TCase *repos = tcase_create("repositories");
    TCase *tell = tcase_create("telling");

    tcase_add_checked_fixture(repos, setup, NULL);
    tcase_add_test(repos, a_whole_repository_is_valid);
    tcase_add_loop_test(repos, a_task_repository_needs_every_method, 0,
                        (int)(sizeof(struct tc_task_repo_ops) / sizeof(void (*)(void))));
    tcase_add_loop_test(repos, a_lease_repository_needs_every_method, 0,
                        (int)(sizeof(struct tc_lease_repo_ops) / sizeof(void (*)(void))));
    tcase_add_loop_test(
        repos, an_announcement_repository_needs_every_method, 0,
        (int)(sizeof(struct tc_announcement_repo_ops) / sizeof(void (*)(void))));
    tcase_add_test(repos, a_repository_without_methods_is_invalid);
    tcase_add_test(repos, releasing_an_answer_twice_is_harmless);
    tcase_add_test(repos, releasing_a_page_frees_every_task_of_it);
    tcase_add_test(repos, releasing_an_announcement_frees_its_ids);
    suite_add_tcase(suite, repos);

    tcase_add_test(tell, a_hint_says_what_a_worker_must_know);
    tcase_add_test(tell, a_look_carries_no_hint);
    tcase_add_test(tell, a_queue_that_says_no_is_not_asked_twice);
    tcase_add_test(tell, a_line_is_formatted_and_written_with_its_subject);
    tcase_add_loop_test(tell, lines_below_the_threshold_are_dropped, 0, 4);
    tcase_add_test(tell, a_long_line_is_cut_at_1000_bytes);
    tcase_add_test(tell, no_logger_is_a_silent_one);
    tcase_add_test(tell, no_metrics_keep_nothing);
    tcase_add_test(tell, a_measurement_carries_its_labels);
    tcase_add_loop_test(tell, every_level_has_a_name, 0, COUNT_OF(levels));
    tcase_add_loop_test(tell, every_reason_to_stop_has_a_name, 0, COUNT_OF(stops));
    suite_add_tcase(suite, tell);
    return run_suite(suite);
}
