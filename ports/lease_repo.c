#include "ports/lease_repo.h"

enum tc_code tc_lease_repo_validate(const struct tc_lease_repo *repo, struct tc_error *err)
{
    const struct tc_lease_repo_ops *ops = repo->ops;

    if (!ops || !ops->name || !ops->claim || !ops->extend || !ops->finish || !ops->take_ended ||
        !ops->wake)
        return tc_fail(err, TC_INTERNAL, "lease repository '%s' lacks a method",
                       ops && ops->name ? ops->name : "(unnamed)");
    return TC_OK;
}
