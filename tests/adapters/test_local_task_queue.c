#include "adapters/local/local_task_queue.h"
#include "tests/conformance/task_queue_suite.h"
#include "tests/support/run_suite.h"

static struct tc_task_queue *queue;

static void open_queue(void)
{
    ck_assert_int_eq(local_task_queue_open(&queue, NULL), TC_OK);
}

static void close_queue(void)
{
    local_task_queue_close(queue);
}

static struct tc_delivery receive(void)
{
    struct tc_delivery delivery = { .count = 77, .receipt = 77 };

    ck_assert_int_eq(queue->ops->receive(queue, 1000, 0, NULL, &delivery, NULL), TC_OK);
    return delivery;
}

START_TEST(a_hint_says_look_and_carries_no_id)
{
    const struct tc_hint hint = { .queue = "default", .type = "test", .priority = 3 };
    struct tc_delivery delivery;

    ck_assert_int_eq(queue->ops->publish(queue, &hint, 1, NULL), TC_OK);
    delivery = receive();
    ck_assert(delivery.look);
    ck_assert_uint_eq(delivery.count, 0);
    ck_assert_uint_eq(delivery.receipt, 0);
}
END_TEST

START_TEST(an_interrupt_says_nothing_of_the_store)
{
    queue->ops->interrupt(queue);
    ck_assert(!receive().look);
}
END_TEST

START_TEST(any_number_of_hints_is_one_look)
{
    for (size_t i = 0; i < 1000; i++)
        tc_task_queue_tell_look(queue);
    ck_assert(receive().look);
    queue->ops->interrupt(queue);
    ck_assert(!receive().look);
}
END_TEST

START_TEST(closing_nothing_is_fine)
{
    local_task_queue_close(NULL);
}
END_TEST

int main(void)
{
    static const struct task_queue_driver driver = {
        .name = "task_queue: local",
        .open = local_task_queue_open,
        .close = local_task_queue_close,
    };
    Suite *suite = task_queue_suite(&driver);
    TCase *tcase = tcase_create("bell");

    tcase_add_checked_fixture(tcase, open_queue, close_queue);
    tcase_add_test(tcase, a_hint_says_look_and_carries_no_id);
    tcase_add_test(tcase, an_interrupt_says_nothing_of_the_store);
    tcase_add_test(tcase, any_number_of_hints_is_one_look);
    tcase_add_test(tcase, closing_nothing_is_fine);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
