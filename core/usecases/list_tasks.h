#ifndef TASKCORE_CORE_USECASES_LIST_TASKS_H
#define TASKCORE_CORE_USECASES_LIST_TASKS_H

/** @file list_tasks.h Use case: a page of tasks. */

#include "ports/task_repo.h"

#define TC_LIST_LARGE 4096 /**< bytes; larger payloads and results are left out of pages */

/**
 * Load the page that `filter` asks for; `limit` 0 means 50 and `large` is set here. The
 * caller releases the page.
 *
 * @return TC_OK; TC_INVALID when limit is over TC_PAGE_LIMIT_MAX; as task_repo.list.
 */
enum tc_code tc_list_tasks(struct tc_task_repo *repo, const struct tc_task_filter *filter,
                           struct tc_task_page *ret_page, struct tc_error *err) TC_MUST_CHECK;

#endif
