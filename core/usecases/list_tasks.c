#include "core/usecases/list_tasks.h"

#define DEFAULT_LIMIT 50

enum tc_code tc_list_tasks(struct tc_task_repo *repo, const struct tc_task_filter *filter,
                           struct tc_task_page *ret_page, struct tc_error *err)
{
    struct tc_task_filter wanted = *filter;

    if (wanted.limit > TC_PAGE_LIMIT_MAX)
        return tc_fail(err, TC_INVALID, "limit must be 1..%d", TC_PAGE_LIMIT_MAX);
    if (wanted.limit == 0)
        wanted.limit = DEFAULT_LIMIT;
    wanted.large = TC_LIST_LARGE;
    return repo->ops->list(repo, &wanted, ret_page, err);
}
