#ifndef TESTS_ADAPTERS_LEASE_SITE_H
#define TESTS_ADAPTERS_LEASE_SITE_H

/** @file lease_site.h An http_site on which a worker leases tasks and reports on them. */

#include "tests/adapters/http_site.h"

#define LEASES     "/api/v1/leases"
#define HEARTBEATS "/api/v1/leases/heartbeat"

struct lease_site {
    struct site site;
    char id[TC_ID_TEXT_SIZE]; /* of the task that lease_site_begin() leased */
};

/** Lease the one task that waits to `worker`; fails the test when there is none. */
void lease_site_lease(struct lease_site *site, const char *worker);

/** Open, create a task of type "email" with 2 attempts, and lease it to "w1". */
void lease_site_begin(struct lease_site *site);
void lease_site_end(struct lease_site *site);

/** POST /tasks/{id}/VERB. @return the status. */
int lease_site_report(struct lease_site *site, const char *verb, const char *body);
int lease_site_report_on(struct lease_site *site, const char *id, const char *verb,
                         const char *body);

/** The report is answered 200, and the task then has this status. */
void lease_site_assert_becomes(struct lease_site *site, const char *verb, const char *body,
                               const char *status);

/** The report is answered 409 stale_lease with this reason. */
void lease_site_assert_stale(struct lease_site *site, const char *verb, const char *body,
                             const char *reason);

/** When the lease of a task ends, in ms. */
int64_t lease_site_end_of(struct site *site, const char *id);

#endif
