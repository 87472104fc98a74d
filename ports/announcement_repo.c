#include "ports/announcement_repo.h"

#include <stdlib.h>

void tc_announcement_release(struct tc_announcement *announcement)
{
    if (!announcement)
        return;
    free(announcement->ids);
    *announcement = (struct tc_announcement){ 0 };
}

enum tc_code tc_announcement_repo_validate(const struct tc_announcement_repo *repo,
                                           struct tc_error *err)
{
    if (!repo || !repo->ops || !repo->ops->name || !repo->ops->take || !repo->ops->announced)
        return tc_fail(err, TC_INTERNAL, "an announcement_repo without all its methods");
    return TC_OK;
}
