#include "tests/adapters/lease_site.h"

#include <stdio.h>
#include <string.h>

void lease_site_lease(struct lease_site *site, const char *worker)
{
    char body[80];

    snprintf(body, sizeof(body), "{\"worker\":\"%s\"}", worker);
    ck_assert_int_eq(site_post(&site->site, LEASES, body), 200);
    ck_assert_uint_eq(site_count(&site->site, "tasks"), 1);
}

void lease_site_begin(struct lease_site *site)
{
    site_open(&site->site);
    snprintf(site->id, sizeof(site->id), "%s",
             site_create(&site->site, "{\"payload\":1,\"type\":\"email\",\"max_attempts\":2}"));
    lease_site_lease(site, "w1");
}

void lease_site_end(struct lease_site *site)
{
    site_close(&site->site);
}

int lease_site_report_on(struct lease_site *site, const char *id, const char *verb,
                         const char *body)
{
    char target[128];

    snprintf(target, sizeof(target), SITE_TASKS "/%s/%s", id, verb);
    return site_post(&site->site, target, body);
}

int lease_site_report(struct lease_site *site, const char *verb, const char *body)
{
    return lease_site_report_on(site, site->id, verb, body);
}

void lease_site_assert_becomes(struct lease_site *site, const char *verb, const char *body,
                               const char *status)
{
    int got = lease_site_report(site, verb, body);

    ck_assert_msg(got == 200, "%d: %s", got, site_body(&site->site));
    ck_assert_str_eq(site_text(&site->site, "status"), status);
}

void lease_site_assert_stale(struct lease_site *site, const char *verb, const char *body,
                             const char *reason)
{
    site_assert_problem(&site->site, lease_site_report(site, verb, body), 409, "stale_lease");
    ck_assert_str_eq(site_text(&site->site, "reason"), reason);
}

int64_t lease_site_end_of(struct site *site, const char *id)
{
    struct tc_task_repo *repo = memory_store_task_repo(site->store);
    struct tc_id parsed;
    struct tc_task task;

    ck_assert(tc_id_parse(id, strlen(id), &parsed));
    ck_assert_int_eq(repo->ops->get(repo, &parsed, &task, NULL), TC_OK);

    int64_t end_ms = task.lease.expires_at_ms;

    tc_task_release(&task);
    return end_ms;
}
