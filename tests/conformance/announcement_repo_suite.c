#include "tests/conformance/announcement_repo_suite.h"

#include "tests/conformance/announcement_repo_tcases.h"

#include <string.h>

static void check_group(const struct tc_announcement *group)
{
    ck_assert(group->count >= 1 && group->count <= TC_ANNOUNCEMENT_IDS_MAX);
    ck_assert(group->priority >= 0 && group->priority <= TC_PRIORITY_MAX);
    ck_assert_int_ge(group->times, 0);
    for (size_t i = 0; i < group->count; i++) {
        struct tc_task task = store_get(&group->ids[i]);

        ck_assert_str_eq(task.queue, group->queue);
        ck_assert_str_eq(task.type, group->type);
        ck_assert_int_eq(task.priority, group->priority);
        tc_task_release(&task);
    }
}

void announce_take(size_t max, struct announced_groups *ret_taken)
{
    struct tc_announcement_repo *repo = store.announcements;
    struct tc_error err;

    *ret_taken = (struct announced_groups){ .count = 77, .next_ms = -77 };
    ck_assert_msg(repo->ops->take(repo, max, HOLD_MS, ret_taken->groups, &ret_taken->count,
                                  &ret_taken->next_ms, &err) == TC_OK,
                  "take: %s", err.message);
    ck_assert_uint_le(ret_taken->count, max);
    ck_assert_int_ge(ret_taken->next_ms, -1);
}

void announce_release(struct announced_groups *taken)
{
    for (size_t i = 0; i < taken->count; i++)
        tc_announcement_release(&taken->groups[i]);
    taken->count = 0;
}

void announce_tell(struct announced_groups *taken, bool pending)
{
    struct tc_announcement_repo *repo = store.announcements;
    struct tc_error err;

    for (size_t i = 0; i < taken->count; i++)
        taken->groups[i].wait_ms = WAIT_MS;
    ck_assert_msg(repo->ops->announced(repo, taken->groups, taken->count, pending, &err) ==
                      TC_OK,
                  "announced: %s", err.message);
}

size_t announce_count(const struct announced_groups *taken)
{
    size_t count = 0;

    for (size_t i = 0; i < taken->count; i++)
        count += taken->groups[i].count;
    return count;
}

size_t announce_take_count(void)
{
    struct announced_groups taken;
    size_t count;

    announce_take(TC_ANNOUNCEMENT_GROUPS_MAX, &taken);
    for (size_t i = 0; i < taken.count; i++)
        check_group(&taken.groups[i]);
    count = announce_count(&taken);
    announce_release(&taken);
    return count;
}

bool announce_has(const struct announced_groups *taken, const struct tc_id *id)
{
    for (size_t i = 0; i < taken->count; i++)
        for (size_t j = 0; j < taken->groups[i].count; j++)
            if (tc_id_compare(&taken->groups[i].ids[j], id) == 0)
                return true;
    return false;
}

/* --- the ways into waiting; the clock ends at the time of the last step --- */

static struct tc_id create(void)
{
    return store_create(store_plain);
}

static struct tc_id wake(void)
{
    struct tc_id id = store_create((struct store_wish){ .delay_ms = 1000 });
    int64_t next_ms;

    store_advance(1000);
    ck_assert_uint_eq(store_wake(10, &next_ms), 1);
    return id;
}

static struct tc_id release(void)
{
    struct tc_id id = create();

    store_apply(store_released(&id, store_claim_id(&id), 0));
    return id;
}

static struct tc_id fail_for_now(void)
{
    struct tc_id id = create();

    store_apply(store_again(&id, store_claim_id(&id), 0));
    return id;
}

static struct tc_id retry_failed(void)
{
    struct tc_id id = create();

    store_apply(store_failed(&id, store_claim_id(&id), "no"));
    store_retry(&id);
    return id;
}

static struct tc_id retry_cancelled(void)
{
    struct tc_id id = create();

    store_cancel(&id);
    store_retry(&id);
    return id;
}

static struct tc_id rescue(void)
{
    struct store_group group;
    struct tc_id id = create();

    store_claim_id(&id);
    store_advance(STORE_LEASE_MS);
    store_take_ended(1, &group);
    ck_assert_uint_eq(group.count, 1);
    store_apply(store_released(&id, group.tasks[0].epoch, 0));
    store_group_release(&group);
    return id;
}

const struct announce_way announce_ways[] = {
    { "created", create, false },
    { "woken", wake, true },
    { "given back", release, false },
    { "failed for now", fail_for_now, false },
    { "failed and retried", retry_failed, false },
    { "cancelled and retried", retry_cancelled, false },
    { "rescued", rescue, false },
};
const int announce_way_count = (int)(sizeof(announce_ways) / sizeof(announce_ways[0]));

Suite *announcement_repo_suite(const struct store_driver *driver,
                               const struct store_driver *later)
{
    Suite *suite = suite_create(driver->name);

    suite_add_tcase(suite, announcement_repo_take_tcase(driver));
    suite_add_tcase(suite, announcement_repo_done_tcase(driver));
    suite_add_tcase(suite, announcement_repo_later_tcase(driver, later));
    return suite;
}
