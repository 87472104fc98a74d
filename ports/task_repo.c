#include "ports/task_repo.h"

#include <stdlib.h>

enum tc_code tc_task_repo_validate(const struct tc_task_repo *repo, struct tc_error *err)
{
    const struct tc_task_repo_ops *ops = repo->ops;

    if (!ops || !ops->name || !ops->insert || !ops->get || !ops->list || !ops->change ||
        !ops->counts || !ops->check || !ops->forget_keys)
        return tc_fail(err, TC_INTERNAL, "task repository '%s' lacks a method",
                       ops && ops->name ? ops->name : "(unnamed)");
    return TC_OK;
}

void tc_inserted_release(struct tc_inserted *inserted)
{
    free(inserted->answer);
    *inserted = (struct tc_inserted){ 0 };
}

void tc_task_page_release(struct tc_task_page *page)
{
    for (size_t i = 0; i < page->count; i++)
        tc_task_release(&page->tasks[i]);
    free(page->tasks);
    free(page->omitted);
    *page = (struct tc_task_page){ 0 };
}
