#ifndef TESTS_ADAPTERS_HTTP_SITE_H
#define TESTS_ADAPTERS_HTTP_SITE_H

/**
 * @file http_site.h
 * The HTTP adapter without a socket: http_route() on a memory store with fakes around it.
 * What every test of a route starts from.
 */

#include "adapters/http/http_router.h"
#include "adapters/memory/memory_store.h"
#include "ports/metrics.h"
#include "ports/worker_pool.h"
#include "tests/support/fakes.h"
#include "tests/support/faults.h"

#include <check.h>
#include <cjson/cJSON.h>

#define SITE_NOW         INT64_C(1795300000000) /* 2026-11-21T22:26:40.000Z */
#define SITE_NOW_TEXT    "2026-11-21T22:26:40.000Z"
#define SITE_HEADERS_MAX 8
#define SITE_TASKS       "/api/v1/tasks"
#define SITE_NO_TASK     "00000000-0000-7000-8000-000000000000"

struct site_metrics {
    struct tc_metrics base;
    char lines[4096]; /* what was recorded since it was cleared, one line each */
    int cleared;
    bool is_out_of_memory;
};

struct site_workers {
    struct tc_worker_pool base;
    struct tc_worker_pool_status status;
};

struct site {
    struct fake_clock clock;
    struct fake_ids ids;
    struct fake_queue queue;
    struct fake_events events;
    struct fake_logger logger;
    struct site_metrics metrics;
    struct site_workers workers;
    struct tc_policy policy;
    struct memory_store *store;
    struct fault_task_repo repo;    /* lets everything pass until a test sets its plan */
    struct fault_lease_repo leases; /* likewise */
    struct http_services services;
    struct http_header headers[SITE_HEADERS_MAX]; /* of the next request only */
    size_t header_count;
    bool may_wait; /* of every request */
    struct http_response response;
    cJSON *json; /* the body of the last response, when it is JSON */
};

void site_open(struct site *site);
void site_close(struct site *site);

/** Give the next request a header. */
void site_header(struct site *site, const char *name, const char *value);

/** Send a request; `target` may have a query, `body` may be NULL. @return the status. */
int site_send(struct site *site, const char *method, const char *target, const char *body);

/** The same with a body that may hold any bytes. */
int site_send_bytes(struct site *site, const char *method, const char *target,
                    struct tc_bytes body);

int site_get(struct site *site, const char *target);
int site_post(struct site *site, const char *target, const char *body);

/** The value of the response's only header of that name, good until the next call; NULL. */
const char *site_answer_header(struct site *site, const char *name);

/** The body as text. */
const char *site_body(const struct site *site);

/** A string, number or whatever of the answer, by a path like "checks/queue/status" or
 *  "items/0/id"; fails the test when it is not there. */
const cJSON *site_at(const struct site *site, const char *path);
const char *site_text(const struct site *site, const char *path);
double site_number(const struct site *site, const char *path);
bool site_has(const struct site *site, const char *path);
size_t site_count(const struct site *site, const char *path);

/** Create a task from `body` and return its id, good until the next call. */
const char *site_create(struct site *site, const char *body);

/** Claim the one task that waits. The caller releases it. */
struct tc_task site_claim(struct site *site);

/** Claim the one task that waits and end its run. */
void site_finish(struct site *site, const struct tc_outcome *outcome);

/** How many tasks are stored. */
size_t site_stored(struct site *site);

/** 4xx/5xx with this code, as problem+json with all members. */
void site_assert_problem(struct site *site, int got, int status, const char *code);

/** 422 validation_failed with exactly one error, at this pointer. */
void site_assert_invalid(struct site *site, int got, const char *pointer);

#endif
