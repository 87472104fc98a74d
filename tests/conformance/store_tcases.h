#ifndef TESTS_CONFORMANCE_STORE_TCASES_H
#define TESTS_CONFORMANCE_STORE_TCASES_H

/** @file store_tcases.h The parts of the two suites, one file each. */

#include "tests/conformance/store_fixture.h"

/* task_repo */
TCase *task_repo_insert_tcase(const struct store_driver *driver);  /* [T1] [T2] [T4] */
TCase *task_repo_bytes_tcase(const struct store_driver *driver);   /* [T3] */
TCase *task_repo_list_tcase(const struct store_driver *driver);    /* [T6] */
TCase *task_repo_change_tcase(const struct store_driver *driver);  /* [T5] [T7] [T8] */
TCase *task_repo_counts_tcase(const struct store_driver *driver);  /* [T9]..[T11] */
TCase *task_repo_races_tcase(const struct store_driver *driver);   /* threads */
TCase *task_repo_durable_tcase(const struct store_driver *driver); /* needs reopen */

/* lease_repo */
TCase *lease_repo_claim_tcase(const struct store_driver *driver);   /* [L1]..[L3] */
TCase *lease_repo_finish_tcase(const struct store_driver *driver);  /* [L4] [L5] */
TCase *lease_repo_outcome_tcase(const struct store_driver *driver); /* [L6] [L10] */
TCase *lease_repo_extend_tcase(const struct store_driver *driver);  /* [L7] */
TCase *lease_repo_rescue_tcase(const struct store_driver *driver);  /* [L1b] [L9] */
TCase *lease_repo_races_tcase(const struct store_driver *driver);   /* threads */
TCase *lease_repo_durable_tcase(const struct store_driver *driver); /* [L8], needs reopen */
TCase *lease_repo_walk_tcase(const struct store_driver *driver);    /* against a model */

#endif
