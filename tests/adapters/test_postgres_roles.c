/* Each method by a user who has the rights of a program's role and no other. */

#include "tests/adapters/postgres_site.h"
#include "tests/support/run_suite.h"

#include <stdio.h>

static void setup_as_api(void)
{
    postgres_site_setup();
    postgres_site_open_as("taskcore_api");
}

static struct tc_id create_with_key(const char *key)
{
    struct tc_task task = store_make(store_plain);
    const struct tc_creation creation = { .tasks = &task, .task_count = 1, .key = key };
    struct tc_inserted inserted;

    ck_assert_msg(store.tasks->ops->insert(store.tasks, &creation, 1, &inserted, &store.err) ==
                      TC_OK,
                  "%s", store.err.message);
    tc_inserted_release(&inserted);
    return inserted.first_id;
}

static size_t list_count(unsigned statuses, const char *queue)
{
    const struct tc_task_filter filter = {
        .statuses = statuses,
        .queue = queue,
        .created_after_ms = -1,
        .created_before_ms = -1,
        .limit = 10,
        .large = 100,
    };
    struct tc_task_page page;

    ck_assert_msg(store.tasks->ops->list(store.tasks, &filter, &page, &store.err) == TC_OK,
                  "%s", store.err.message);

    size_t count = page.count;

    tc_task_page_release(&page);
    return count;
}

START_TEST(the_api_creates_one_and_many_with_and_without_keys)
{
    struct tc_task task = store_make(store_plain);
    const struct tc_creation creation = { .tasks = &task, .task_count = 1 };
    struct tc_inserted inserted;

    store_put(&task, 1);
    store_create_many(store_plain, 3, NULL);
    create_with_key("key");
    create_with_key("key");
    ck_assert_int_eq(store.tasks->ops->insert(store.tasks, &creation, 1, &inserted, NULL),
                     TC_OK); /* again: the careful way */
    ck_assert_int_eq(inserted.verdict, TC_INSERT_EXISTING);
    ck_assert_int_eq(store_count_of("default").waiting, 5);
}
END_TEST

START_TEST(the_api_reads_what_there_is)
{
    struct tc_id id = store_create(store_plain);

    store_create((struct store_wish){ .delay_ms = 1000 });
    ck_assert_int_eq(store_status_of(&id), TC_STATUS_NEW);
    ck_assert_uint_eq(list_count(TC_STATUS_SET_ALL, NULL), 2);
    ck_assert_uint_eq(list_count(TC_STATUS_SET_ALL, "default"), 2);
    ck_assert_uint_eq(list_count(TC_STATUS_BIT(TC_STATUS_SCHEDULED), NULL), 1);
    ck_assert_int_eq(store_count_of("default").scheduled, 1);
}
END_TEST

START_TEST(the_api_cancels_and_retries_in_every_status) /* loop: new, scheduled, processing */
{
    struct tc_id id = store_create((struct store_wish){ .delay_ms = _i == 1 ? 5000 : 0 });

    store_create_many(store_plain, 3, NULL);
    if (_i == 2)
        store_claim_id(&id);
    store_cancel(&id);
    store_retry(&id);
    ck_assert_int_eq(store_status_of(&id), TC_STATUS_NEW);
}
END_TEST

START_TEST(the_api_checks_and_forgets_keys)
{
    size_t count = 0;

    create_with_key("key");
    ck_assert_msg(store.tasks->ops->check(store.tasks, &store.err) == TC_OK, "%s",
                  store.err.message);
    ck_assert_msg(
        store.tasks->ops->forget_keys(store.tasks, INT64_MAX, 5, &count, &store.err) == TC_OK,
        "%s", store.err.message);
    ck_assert_uint_eq(count, 1);
}
END_TEST

static enum tc_code try_insert(void)
{
    struct tc_task task = store_make(store_plain);
    const struct tc_creation creation = { .tasks = &task, .task_count = 1 };
    struct tc_inserted inserted;

    return store.tasks->ops->insert(store.tasks, &creation, 1, &inserted, &store.err);
}

START_TEST(a_worker_checks_and_forgets_keys_and_creates_nothing)
{
    size_t count = 77;

    create_with_key("key");
    postgres_site_open_as("taskcore_worker");
    ck_assert_int_eq(try_insert(), TC_INTERNAL);
    ck_assert_int_eq(store.tasks->ops->check(store.tasks, &store.err), TC_OK);
    ck_assert_int_eq(
        store.tasks->ops->forget_keys(store.tasks, INT64_MAX, 5, &count, &store.err), TC_OK);
    ck_assert_uint_eq(count, 1);
}
END_TEST

START_TEST(a_publisher_reads_and_checks_and_creates_nothing)
{
    struct tc_id id = store_create(store_plain);

    postgres_site_open_as("taskcore_publisher");
    ck_assert_int_eq(store_status_of(&id), TC_STATUS_NEW);
    ck_assert_int_eq(store_count_of("default").waiting, 1);
    ck_assert_int_eq(store.tasks->ops->check(store.tasks, &store.err), TC_OK);
    ck_assert_int_eq(try_insert(), TC_INTERNAL);
}
END_TEST

static const char *const forbidden[] = {
    "DELETE FROM taskcore.task",
    "UPDATE taskcore.task SET payload = NULL",
    "UPDATE taskcore.task SET queue = 'x'",
    "UPDATE taskcore.key SET hash = ''",
    "TRUNCATE taskcore.ready",
    "DROP TABLE taskcore.lease",
    "CREATE TABLE taskcore.mine (num int)",
};

START_TEST(nobody_but_the_owner_deletes_or_rewrites_tasks) /* loop: forbidden */
{
    char sql[512];

    snprintf(sql, sizeof(sql),
             "DO $do$ DECLARE name text; refused int := 0; BEGIN"
             " FOREACH name IN ARRAY ARRAY['taskcore_api', 'taskcore_worker',"
             "                             'taskcore_publisher', 'taskcore_reader'] LOOP"
             "  BEGIN EXECUTE format('SET LOCAL ROLE %%I', name); %s;"
             "  EXCEPTION WHEN insufficient_privilege THEN refused := refused + 1; END;"
             " END LOOP; RESET ROLE;"
             " IF refused <> 4 THEN RAISE 'only %% refused', refused; END IF; END $do$",
             forbidden[_i]);
    postgres_server_sql(sql);
}
END_TEST

static TCase *make_tcase(const char *name, void (*setup)(void))
{
    TCase *tcase = tcase_create(name);

    tcase_add_checked_fixture(tcase, setup, postgres_site_teardown);
    tcase_set_timeout(tcase, 60);
    return tcase;
}

static Suite *roles_suite(void)
{
    Suite *suite = suite_create("postgres roles");
    TCase *api = make_tcase("api", setup_as_api);
    TCase *others = make_tcase("others", postgres_site_setup);

    tcase_add_test(api, the_api_creates_one_and_many_with_and_without_keys);
    tcase_add_test(api, the_api_reads_what_there_is);
    tcase_add_loop_test(api, the_api_cancels_and_retries_in_every_status, 0, 3);
    tcase_add_test(api, the_api_checks_and_forgets_keys);
    tcase_add_test(others, a_worker_checks_and_forgets_keys_and_creates_nothing);
    tcase_add_test(others, a_publisher_reads_and_checks_and_creates_nothing);
    tcase_add_loop_test(others, nobody_but_the_owner_deletes_or_rewrites_tasks, 0,
                        sizeof(forbidden) / sizeof(forbidden[0]));
    suite_add_tcase(suite, api);
    suite_add_tcase(suite, others);
    return suite;
}

int main(void)
{
    return postgres_server_run(roles_suite());
}
