#include "adapters/memory/memory_store.h"
#include "tests/conformance/announcement_repo_suite.h"
#include "tests/support/run_suite.h"

static enum tc_code open_store(struct tc_clock *clock, struct store_under_test *ret_store,
                               struct tc_error *err)
{
    struct memory_store *memory;
    enum tc_code code = memory_store_open(clock, &memory, err);

    if (code != TC_OK)
        return code;
    *ret_store = (struct store_under_test){
        .tasks = memory_store_task_repo(memory),
        .leases = memory_store_lease_repo(memory),
        .announcements = memory_store_announcement_repo(memory),
        .ctx = memory,
    };
    return TC_OK;
}

static enum tc_code open_later(struct tc_clock *clock, struct store_under_test *ret_store,
                               struct tc_error *err)
{
    enum tc_code code = open_store(clock, ret_store, err);

    if (code == TC_OK)
        memory_store_announces(ret_store->ctx, ANNOUNCE_LATER_MS);
    return code;
}

static void close_store(struct store_under_test *store_)
{
    memory_store_close(store_->ctx);
}

int main(void)
{
    static const struct store_driver driver = {
        .name = "announcement_repo: memory",
        .open = open_store,
        .close = close_store,
    };
    static const struct store_driver later = {
        .name = "announcement_repo: memory, later",
        .open = open_later,
        .close = close_store,
    };

    return run_suite(announcement_repo_suite(&driver, &later));
}
