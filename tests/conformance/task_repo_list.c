/* [T6]: pages of tasks in key order. */

#include "tests/conformance/store_tcases.h"

#include <stdlib.h>
#include <string.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define LOOK_MAX        10000 /* what one call may look at */

static struct tc_task_filter everything(size_t limit)
{
    return (struct tc_task_filter){
        .statuses = TC_STATUS_SET_ALL,
        .created_after_ms = -1,
        .created_before_ms = -1,
        .limit = limit,
        .large = 4096,
    };
}

static struct tc_task_page list(const struct tc_task_filter *filter)
{
    struct tc_task_page page;
    struct tc_error err;

    ck_assert_msg(store.tasks->ops->list(store.tasks, filter, &page, &err) == TC_OK, "list: %s",
                  err.message);
    ck_assert_uint_le(page.count, filter->limit);
    return page;
}

/* Read all pages; `ret_ids` has room for `room`. @return how many came. */
static size_t read_all(struct tc_task_filter filter, struct tc_id *ret_ids, size_t room)
{
    size_t count = 0;
    bool has_more = true;

    for (size_t calls = 0; has_more; calls++) {
        struct tc_task_page page = list(&filter);

        ck_assert_uint_lt(calls, 10000); /* paging ends */
        ck_assert_uint_le(count + page.count, room);
        for (size_t i = 0; i < page.count; i++)
            ret_ids[count++] = page.tasks[i].id;
        filter.has_position = true;
        filter.position = page.position;
        has_more = page.has_more;
        tc_task_page_release(&page);
    }
    return count;
}

/* All pages together bring exactly these, in this order. */
static void assert_lists(struct tc_task_filter filter, const struct tc_id *ids, size_t count)
{
    struct tc_id *found = calloc(count + 1, sizeof(*found));

    ck_assert_ptr_nonnull(found);
    ck_assert_uint_eq(read_all(filter, found, count + 1), count);
    for (size_t i = 0; i < count; i++)
        ck_assert_int_eq(tc_id_compare(&found[i], &ids[i]), 0);
    free(found);
}

static void reverse(struct tc_id *ids, size_t count)
{
    for (size_t i = 0; i < count / 2; i++) {
        struct tc_id id = ids[i];

        ids[i] = ids[count - 1 - i];
        ids[count - 1 - i] = id;
    }
}

START_TEST(t6_an_empty_store_has_an_empty_page)
{
    struct tc_task_filter filter = everything(10);
    struct tc_task_page page = list(&filter);

    ck_assert_uint_eq(page.count, 0);
    ck_assert(!page.has_more);
    tc_task_page_release(&page);
}
END_TEST

START_TEST(t6_pages_go_by_key_in_either_direction) /* loop over limits */
{
    static const size_t limits[] = { 1, 7, 50, 51, 200 };
    struct tc_task_filter filter = everything(limits[_i / 2]);
    struct tc_id ids[50];

    for (size_t i = 0; i < COUNT_OF(ids); i++) {
        ids[i] = store_create(store_plain);
        store_advance((int64_t)(i % 3));
    }
    filter.ascending = _i % 2;
    if (!filter.ascending)
        reverse(ids, COUNT_OF(ids));
    assert_lists(filter, ids, COUNT_OF(ids));
}
END_TEST

START_TEST(t6_a_page_is_full_while_enough_tasks_pass)
{
    struct tc_task_filter filter = everything(TC_PAGE_LIMIT_MAX);

    store_create_many(store_plain, 300, NULL);

    struct tc_task_page page = list(&filter);

    ck_assert_uint_eq(page.count, TC_PAGE_LIMIT_MAX);
    ck_assert(page.has_more);
    tc_task_page_release(&page);
}
END_TEST

START_TEST(t6_tasks_are_listed_complete)
{
    struct tc_task_filter filter = everything(10);
    struct tc_task expected = store_make((struct store_wish){ .tag = "tagged", .priority = 4 });

    store_put(&expected, 1);

    struct tc_task_page page = list(&filter);

    ck_assert_uint_eq(page.count, 1);
    store_assert_same(&page.tasks[0], &expected);
    ck_assert(!page.omitted[0].payload && !page.omitted[0].result);
    tc_task_page_release(&page);

    struct tc_task claimed = store_claim_one();

    page = list(&filter);
    store_assert_same(&page.tasks[0], &claimed);
    tc_task_page_release(&page);
    tc_task_release(&claimed);
}
END_TEST

/* One task in each status, by status. */
static void make_one_of_each(struct tc_id ids[TC_STATUS_COUNT])
{
    struct tc_task task;

    for (size_t i = 0; i < TC_STATUS_COUNT; i++)
        ids[i] = store_create((struct store_wish){ .delay_ms = i == 0 ? 60000 : 0 });
    ck_assert_int_eq(
        store_change(&ids[TC_STATUS_PENDING], TC_STATUS_PENDING, TC_CAUSE_ANNOUNCE, &task),
        TC_OK);
    tc_task_release(&task);
    store_claim_id(&ids[TC_STATUS_PROCESSING]);
    store_apply(store_done(&ids[TC_STATUS_DONE], store_claim_id(&ids[TC_STATUS_DONE]), "1"));
    store_apply(
        store_failed(&ids[TC_STATUS_FAILED], store_claim_id(&ids[TC_STATUS_FAILED]), "no"));
    store_cancel(&ids[TC_STATUS_CANCELLED]);
}

static void assert_lists_statuses(unsigned set, const struct tc_id ids[TC_STATUS_COUNT])
{
    struct tc_task_filter filter = everything(2);
    struct tc_id expected[TC_STATUS_COUNT];
    size_t count = 0;

    filter.statuses = set;
    filter.ascending = true;
    for (size_t i = 0; i < TC_STATUS_COUNT; i++)
        if (set & TC_STATUS_BIT(i))
            expected[count++] = ids[i];
    assert_lists(filter, expected, count);
}

START_TEST(t6_every_set_of_statuses_can_be_filtered)
{
    struct tc_id ids[TC_STATUS_COUNT];

    make_one_of_each(ids);
    for (unsigned set = 1; set <= TC_STATUS_SET_ALL; set++)
        assert_lists_statuses(set, ids);
}
END_TEST

START_TEST(t6_queue_type_and_tag_can_be_filtered)
{
    struct tc_task_filter filter = everything(10);
    struct tc_id ids[] = {
        store_create((struct store_wish){ .queue = "a", .type = "x", .tag = "red" }),
        store_create((struct store_wish){ .queue = "a", .type = "y", .tag = "redder" }),
        store_create((struct store_wish){ .queue = "b", .type = "x", .tag = "red" }),
    };
    const struct tc_id of_a[] = { ids[1], ids[0] };
    const struct tc_id of_x[] = { ids[2], ids[0] };

    filter.queue = "a";
    assert_lists(filter, of_a, 2);
    filter.type = "x";
    assert_lists(filter, &ids[0], 1);
    filter.queue = NULL;
    assert_lists(filter, of_x, 2);
    filter.type = NULL;
    filter.tag = tc_bytes_of("red");
    assert_lists(filter, of_x, 2);
    filter.queue = "b";
    assert_lists(filter, &ids[2], 1);
    filter.queue = "c";
    assert_lists(filter, NULL, 0);
}
END_TEST

START_TEST(t6_any_of_a_tasks_tags_is_found_and_no_part_of_one)
{
    struct tc_task_filter filter = everything(10);
    struct tc_task task = store_make(store_plain);
    static const char *const tags[] = {
        "first", "x", "\xC3\xA9t\xC3\xA9", "100%", "a,b", "\""
    };

    for (size_t i = 0; i < COUNT_OF(tags); i++)
        task.tags[task.tag_count++] = tc_bytes_of(tags[i]);
    store_put(&task, 1);
    for (size_t i = 0; i < COUNT_OF(tags); i++) {
        filter.tag = tc_bytes_of(tags[i]);
        assert_lists(filter, &task.id, 1);
    }
    filter.tag = tc_bytes_of("firs");
    assert_lists(filter, NULL, 0);
    filter.tag = tc_bytes_of("%");
    assert_lists(filter, NULL, 0);
    filter.tag = tc_bytes_of("firstx");
    assert_lists(filter, NULL, 0);
}
END_TEST

START_TEST(t6_bounds_of_creation_exclude_their_own_instant) /* loop: both orders */
{
    struct tc_task_filter filter = everything(2);
    struct tc_id ids[5];

    for (size_t i = 0; i < COUNT_OF(ids); i++) {
        ids[i] = store_create(store_plain);
        store_advance(10);
    }
    filter.ascending = _i;
    filter.created_after_ms = STORE_START_MS;
    filter.created_before_ms = STORE_START_MS + 40;
    if (!filter.ascending)
        reverse(ids, COUNT_OF(ids));
    assert_lists(filter, &ids[1], 3);
    filter.created_after_ms = STORE_START_MS + 9;
    filter.created_before_ms = STORE_START_MS + 31;
    assert_lists(filter, &ids[1], 3);
    filter.created_after_ms = STORE_START_MS + 30;
    filter.created_before_ms = STORE_START_MS + 10;
    assert_lists(filter, NULL, 0);
}
END_TEST

START_TEST(t6_a_position_need_not_be_a_task)
{
    struct tc_task_filter filter = everything(10);
    struct tc_id before = store_next_id();
    struct tc_id first = store_create(store_plain);
    struct tc_id between = store_next_id();
    struct tc_id second = store_create(store_plain);

    filter.has_position = true;
    filter.position = between;
    assert_lists(filter, &first, 1);
    filter.ascending = true;
    assert_lists(filter, &second, 1);
    filter.position = second;
    assert_lists(filter, NULL, 0);
    filter.position = before;
    assert_lists(filter, (struct tc_id[]){ first, second }, 2);
}
END_TEST

START_TEST(t6_new_tasks_between_pages_neither_hide_nor_repeat_the_old) /* loop: both orders */
{
    struct tc_task_filter filter = everything(3);
    struct tc_id ids[20];
    size_t seen = 0;
    bool has_more = true;

    store_create_many(store_plain, COUNT_OF(ids), ids);
    filter.ascending = _i;
    if (!filter.ascending)
        reverse(ids, COUNT_OF(ids));
    while (has_more && seen < COUNT_OF(ids)) {
        struct tc_task_page page = list(&filter);

        for (size_t i = 0; i < page.count && seen < COUNT_OF(ids); i++)
            ck_assert_int_eq(tc_id_compare(&page.tasks[i].id, &ids[seen++]), 0);
        filter.has_position = true;
        filter.position = page.position;
        has_more = page.has_more;
        tc_task_page_release(&page);
        store_create_many(store_plain, 5, NULL);
    }
    ck_assert_uint_eq(seen, COUNT_OF(ids));
}
END_TEST

START_TEST(t6_a_task_that_changes_its_status_keeps_its_place)
{
    struct tc_task_filter filter = everything(2);
    struct tc_id ids[6];
    struct tc_task_page page;

    store_create_many(store_plain, COUNT_OF(ids), ids);
    page = list(&filter);
    filter.has_position = true;
    filter.position = page.position;
    tc_task_page_release(&page);
    store_apply(store_done(&ids[0], store_claim_id(&ids[0]), NULL));
    store_cancel(&ids[3]);
    reverse(ids, COUNT_OF(ids));
    assert_lists(filter, &ids[2], 4);
}
END_TEST

static struct tc_task make_sized(size_t len)
{
    static char bytes[4097];

    memset(bytes, 'x', sizeof(bytes));
    return store_make((struct store_wish){ .payload = { TC_CONTENT_TEXT, { bytes, len } } });
}

START_TEST(t6_large_payloads_are_left_out_and_said_so)
{
    struct tc_task_filter filter = everything(10);
    struct tc_task tasks[] = { make_sized(4097), make_sized(4096), make_sized(0) };

    filter.ascending = true;
    store_put(tasks, COUNT_OF(tasks));

    struct tc_task_page page = list(&filter);

    ck_assert_uint_eq(page.count, 3);
    ck_assert(page.omitted[0].payload);
    ck_assert_uint_eq(page.tasks[0].payload.bytes.len, 0);
    ck_assert_int_eq(page.tasks[0].payload.kind, TC_CONTENT_TEXT);
    for (size_t i = 1; i < 3; i++) {
        ck_assert(!page.omitted[i].payload);
        store_assert_same(&page.tasks[i], &tasks[i]);
    }
    tc_task_page_release(&page);
}
END_TEST

START_TEST(t6_large_results_are_left_out_and_said_so)
{
    struct tc_task_filter filter = everything(10);
    struct tc_id ids[2];
    static const size_t lens[] = { 4097, 4096 };
    static const char bytes[4097];

    store_create_many(store_plain, 2, ids);
    for (size_t i = 0; i < 2; i++) {
        struct tc_outcome done = store_done(&ids[i], store_claim_id(&ids[i]), NULL);

        done.result = (struct tc_content){ TC_CONTENT_BYTES, { bytes, lens[i] } };
        store_apply(done);
    }
    filter.ascending = true;

    struct tc_task_page page = list(&filter);

    ck_assert(page.omitted[0].result && !page.omitted[0].payload);
    ck_assert_int_eq(page.tasks[0].result.kind, TC_CONTENT_BYTES);
    ck_assert_uint_eq(page.tasks[0].result.bytes.len, 0);
    ck_assert(!page.omitted[1].result);
    ck_assert_uint_eq(page.tasks[1].result.bytes.len, 4096);
    tc_task_page_release(&page);
}
END_TEST

/* How many tasks lie before the place where the page ended. */
static size_t looked_at(const struct tc_task_page *page, const struct tc_id *ids, size_t count)
{
    size_t looked = 0;

    while (looked < count && tc_id_compare(&ids[looked], &page->position) <= 0)
        looked++;
    return looked;
}

START_TEST(t6_one_call_looks_at_a_bounded_number_of_tasks)
{
    enum { BATCHES = 12, COUNT = BATCHES * TC_CREATION_TASKS_MAX };
    static struct tc_id ids[COUNT];
    struct tc_task_filter filter = everything(5);

    for (size_t i = 0; i < BATCHES; i++)
        store_create_many(store_plain, TC_CREATION_TASKS_MAX, &ids[i * TC_CREATION_TASKS_MAX]);

    struct tc_id rare = store_create((struct store_wish){ .tag = "rare" });

    filter.tag = tc_bytes_of("rare");
    filter.ascending = true;

    struct tc_task_page page = list(&filter);

    ck_assert_uint_eq(page.count, 0); /* no store keeps an index of tags */
    ck_assert(page.has_more);
    ck_assert_uint_le(looked_at(&page, ids, COUNT), LOOK_MAX);
    tc_task_page_release(&page);
    assert_lists(filter, &rare, 1);
}
END_TEST

TCase *task_repo_list_tcase(const struct store_driver *driver)
{
    TCase *tcase = store_tcase(driver, "list");

    tcase_add_test(tcase, t6_an_empty_store_has_an_empty_page);
    tcase_add_loop_test(tcase, t6_pages_go_by_key_in_either_direction, 0, 10);
    tcase_add_test(tcase, t6_a_page_is_full_while_enough_tasks_pass);
    tcase_add_test(tcase, t6_tasks_are_listed_complete);
    tcase_add_test(tcase, t6_every_set_of_statuses_can_be_filtered);
    tcase_add_test(tcase, t6_queue_type_and_tag_can_be_filtered);
    tcase_add_test(tcase, t6_any_of_a_tasks_tags_is_found_and_no_part_of_one);
    tcase_add_loop_test(tcase, t6_bounds_of_creation_exclude_their_own_instant, 0, 2);
    tcase_add_test(tcase, t6_a_position_need_not_be_a_task);
    tcase_add_loop_test(tcase, t6_new_tasks_between_pages_neither_hide_nor_repeat_the_old, 0,
                        2);
    tcase_add_test(tcase, t6_a_task_that_changes_its_status_keeps_its_place);
    tcase_add_test(tcase, t6_large_payloads_are_left_out_and_said_so);
    tcase_add_test(tcase, t6_large_results_are_left_out_and_said_so);
    tcase_add_test(tcase, t6_one_call_looks_at_a_bounded_number_of_tasks);
    return tcase;
}
