/* [T3]: tasks come back as they were given. */

#include "tests/conformance/store_tcases.h"

#include <stdlib.h>
#include <string.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static const size_t payload_lens[] = { 0, 1, 4096, 4097, 1 << 20 };

START_TEST(t3_payload_bytes_of_all_values_come_back) /* loop over payload_lens */
{
    size_t len = payload_lens[_i];
    unsigned char *bytes = malloc(len + 1);
    struct tc_task task = store_make((struct store_wish){
        .payload = { TC_CONTENT_BYTES, { bytes, len } },
    });

    ck_assert_ptr_nonnull(bytes);
    for (size_t i = 0; i < len; i++)
        bytes[i] = (unsigned char)(i * 7 + i / 256);
    store_put(&task, 1);
    store_assert_stored(&task);
    free(bytes);
}
END_TEST

START_TEST(t3_every_kind_of_payload_comes_back) /* loop over the kinds */
{
    struct tc_task task = store_make((struct store_wish){
        .payload = { (enum tc_content_kind)_i, tc_bytes_of("[1.0, 1.00,\t\"\\u00e9\"]") },
    });

    store_put(&task, 1);
    store_assert_stored(&task);
}
END_TEST

/* Everything that a creator can set, at or near its limits. */
static struct tc_task full_task(void)
{
    static const char tag[] = "\xF0\x9F\x90\x88 with 'quotes', % and \\";
    struct tc_task task = store_make((struct store_wish){ .priority = 10, .delay_ms = 86400 });

    memset(task.queue, 'q', TC_NAME_MAX);
    memset(task.type, 't', TC_NAME_MAX);
    memcpy(task.traceparent, "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
           TC_TRACEPARENT_LEN);
    task.max_attempts = 100;
    task.max_crashes = 0;
    task.timeout_ms = INT64_C(604800000);
    task.run_at_ms = INT64_C(253402300799999);
    task.titled = true;
    for (size_t i = 0; i < TC_TAG_COUNT_MAX; i++)
        task.tags[task.tag_count++] = (struct tc_bytes){ tag, sizeof(tag) - 1 - i };
    task.tags[3] = tc_bytes_of("a");
    return task;
}

START_TEST(t3_every_field_comes_back)
{
    struct tc_task full = full_task();
    struct tc_task plain = store_make(store_plain);

    store_put(&full, 1);
    store_put(&plain, 1);
    store_assert_stored(&full);
    store_assert_stored(&plain);
}
END_TEST

START_TEST(t3_what_is_handed_out_is_a_copy)
{
    struct tc_id id = store_create((struct store_wish){
        .payload = { TC_CONTENT_TEXT, tc_bytes_of("abc") },
    });
    struct tc_task first = store_get(&id);
    struct tc_task second;

    memset(first.storage, 'x', 3);
    tc_task_release(&first);
    second = store_get(&id);
    ck_assert_mem_eq(second.payload.bytes.data, "abc", 3);
    tc_task_release(&second);
}
END_TEST

TCase *task_repo_bytes_tcase(const struct store_driver *driver)
{
    TCase *tcase = store_tcase(driver, "bytes");

    tcase_add_loop_test(tcase, t3_payload_bytes_of_all_values_come_back, 0,
                        COUNT_OF(payload_lens));
    tcase_add_loop_test(tcase, t3_every_kind_of_payload_comes_back, TC_CONTENT_JSON,
                        TC_CONTENT_COUNT);
    tcase_add_test(tcase, t3_every_field_comes_back);
    tcase_add_test(tcase, t3_what_is_handed_out_is_a_copy);
    return tcase;
}
