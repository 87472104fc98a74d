#ifndef TESTS_SUPPORT_FAULTS_H
#define TESTS_SUPPORT_FAULTS_H

/**
 * @file faults.h
 * Repositories that wrap a real one and make calls of it fail.
 *
 * Arm with nth = 0, 1, 2, … and run a scenario until nothing fires any more: then every
 * repository call of that scenario has failed once. What was answered must be true each time.
 * One thread.
 */

#include "ports/announcement_repo.h"
#include "ports/lease_repo.h"
#include "ports/task_repo.h"

enum fault_kind {
    FAULT_BEFORE, /* nothing was applied: what TC_UNAVAILABLE means */
    FAULT_AFTER,  /* applied, but the answer was lost: the bad half of TC_UNKNOWN */
};

/** Which calls fail, and how. Counted over all methods of a repository. */
struct fault_plan {
    int nth;           /* the first call that fails, from 0 */
    int times;         /* how many in a row; 0 counts as 1 */
    enum tc_code code; /* what they return */
    enum fault_kind kind;
    int calls; /* calls seen so far; start with 0 */
    int fired; /* calls made to fail so far; start with 0 */
};

struct fault_task_repo {
    struct tc_task_repo base;
    struct tc_task_repo *inner;
    struct fault_plan plan;
};

struct fault_lease_repo {
    struct tc_lease_repo base;
    struct tc_lease_repo *inner;
    struct fault_plan plan;
};

struct fault_announcement_repo {
    struct tc_announcement_repo base;
    struct tc_announcement_repo *inner;
    struct fault_plan plan;
};

/** Wrap `inner` (borrowed) with the plan; `ret_` results of failed calls are not written. */
void fault_task_repo_init(struct fault_task_repo *repo, struct tc_task_repo *inner,
                          struct fault_plan plan);
void fault_lease_repo_init(struct fault_lease_repo *repo, struct tc_lease_repo *inner,
                           struct fault_plan plan);
void fault_announcement_repo_init(struct fault_announcement_repo *repo,
                                  struct tc_announcement_repo *inner, struct fault_plan plan);

#endif
