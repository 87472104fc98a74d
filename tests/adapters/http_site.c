#include "tests/adapters/http_site.h"

#include "adapters/http/http_buffer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REQUEST_ID "request-1"

static void record(struct tc_metrics *base, const struct tc_metric *metric,
                   const char *const values[TC_METRIC_LABELS_MAX], double value)
{
    struct site_metrics *metrics = (struct site_metrics *)base;
    size_t len = strlen(metrics->lines);

    snprintf(metrics->lines + len, sizeof(metrics->lines) - len, "%s %s %s %g\n", metric->name,
             values[0] ? values[0] : "-", values[1] ? values[1] : "-", value);
}

static void clear(struct tc_metrics *base, const struct tc_metric *metric)
{
    struct site_metrics *metrics = (struct site_metrics *)base;

    (void)metric;
    metrics->lines[0] = '\0';
    metrics->cleared++;
}

static char *render(struct tc_metrics *base, size_t *ret_len)
{
    struct site_metrics *metrics = (struct site_metrics *)base;

    if (metrics->is_out_of_memory)
        return NULL;
    *ret_len = strlen(metrics->lines);
    return strdup(metrics->lines);
}

static void status_of(struct tc_worker_pool *base, struct tc_worker_pool_status *ret_status)
{
    *ret_status = ((struct site_workers *)base)->status;
}

static const struct tc_metrics_ops metrics_ops = { record, clear, render };
static const struct tc_worker_pool_ops workers_ops = { status_of };

void site_open(struct site *site)
{
    memset(site, 0, sizeof(*site));
    fake_clock_init(&site->clock, SITE_NOW);
    fake_ids_init(&site->ids, &site->clock.base);
    fake_queue_init(&site->queue);
    fake_events_init(&site->events, &site->clock);
    fake_logger_init(&site->logger, TC_LOG_DEBUG);
    site->metrics.base.ops = &metrics_ops;
    site->workers.base.ops = &workers_ops;
    site->policy = tc_policy_default();
    site->may_wait = true;
    ck_assert_int_eq(memory_store_open(&site->clock.base, &site->store, NULL), TC_OK);
    fault_task_repo_init(&site->repo, memory_store_task_repo(site->store),
                         (struct fault_plan){ .nth = -1 });
    fault_lease_repo_init(&site->leases, memory_store_lease_repo(site->store),
                          (struct fault_plan){ .nth = -1 });
    site->services = (struct http_services){
        .repo = &site->repo.base,
        .leases = &site->leases.base,
        .queue = &site->queue.base,
        .events = &site->events.base,
        .ids = &site->ids.base,
        .clock = &site->clock.base,
        .policy = &site->policy,
        .metrics = &site->metrics.base,
        .logger = &site->logger.base,
        .workers = &site->workers.base,
        .name = "taskcore",
        .version = "1.2.3",
        .commit = "abc",
        .queue_kind = "database",
    };
}

static void forget_answer(struct site *site)
{
    cJSON_Delete(site->json);
    site->json = NULL;
    http_response_release(&site->response);
}

void site_close(struct site *site)
{
    forget_answer(site);
    memory_store_close(site->store);
}

void site_header(struct site *site, const char *name, const char *value)
{
    ck_assert_uint_lt(site->header_count, SITE_HEADERS_MAX);
    site->headers[site->header_count++] = (struct http_header){ name, value };
}

static bool is_json(const struct http_response *response)
{
    return response->content_type && strstr(response->content_type, "json");
}

/* The bytes of a request lie in blocks of their own length: reading beyond is found out. */
static void *exact_copy(struct tc_bytes bytes)
{
    void *copy = malloc(bytes.len);

    if (bytes.len > 0)
        memcpy(copy, bytes.data, bytes.len);
    return copy;
}

int site_send_bytes(struct site *site, const char *method, const char *target,
                    struct tc_bytes body)
{
    char *path = strdup(target);
    char *query = strchr(path, '?');
    void *bytes = exact_copy(body);
    struct http_request request = {
        .method = method,
        .path = path,
        .query = query ? query + 1 : NULL,
        .headers = site->headers,
        .header_count = site->header_count,
        .body = { bytes, body.len },
        .request_id = REQUEST_ID,
        .may_wait = site->may_wait,
    };

    if (query)
        *query = '\0';
    forget_answer(site);
    http_route(&site->services, &request, &site->response);
    site->header_count = 0;
    free(path);
    free(bytes);
    if (is_json(&site->response)) {
        site->json = cJSON_ParseWithLength(site->response.body.data, site->response.body.len);
        ck_assert_msg(site->json != NULL, "no JSON: %s", site->response.body.data);
    }
    ck_assert_str_eq(site_answer_header(site, "X-Request-Id"), REQUEST_ID);
    return site->response.status;
}

int site_send(struct site *site, const char *method, const char *target, const char *body)
{
    return site_send_bytes(site, method, target, tc_bytes_of(body));
}

int site_get(struct site *site, const char *target)
{
    return site_send(site, "GET", target, NULL);
}

int site_post(struct site *site, const char *target, const char *body)
{
    return site_send(site, "POST", target, body);
}

const char *site_answer_header(struct site *site, const char *name)
{
    static char value[4096];
    const char *found = NULL;
    size_t len = strlen(name);

    for (const char *at = site->response.headers.data; at && *at; at = strstr(at, "\r\n") + 2) {
        if (strncmp(at, name, len) != 0 || at[len] != ':')
            continue;
        ck_assert_msg(found == NULL, "header %s is there twice", name);
        found = at + len + 2;
        snprintf(value, sizeof(value), "%.*s", (int)strcspn(found, "\r"), found);
    }
    return found ? value : NULL;
}

const char *site_body(const struct site *site)
{
    return site->response.body.data ? site->response.body.data : "";
}

static const cJSON *find(const struct site *site, const char *path)
{
    const cJSON *node = site->json;

    while (node && *path) {
        char name[64];
        size_t len = strcspn(path, "/");

        snprintf(name, sizeof(name), "%.*s", (int)len, path);
        node = cJSON_IsArray(node) ? cJSON_GetArrayItem(node, (int)strtol(name, NULL, 10))
                                   : cJSON_GetObjectItemCaseSensitive(node, name);
        path += len + (path[len] == '/');
    }
    return node;
}

bool site_has(const struct site *site, const char *path)
{
    return find(site, path) != NULL;
}

const cJSON *site_at(const struct site *site, const char *path)
{
    const cJSON *node = find(site, path);

    ck_assert_msg(node != NULL, "no '%s' in %s", path, site_body(site));
    return node;
}

const char *site_text(const struct site *site, const char *path)
{
    const cJSON *node = site_at(site, path);

    ck_assert_msg(cJSON_IsString(node), "'%s' is no string in %s", path, site_body(site));
    return node->valuestring;
}

double site_number(const struct site *site, const char *path)
{
    const cJSON *node = site_at(site, path);

    ck_assert_msg(cJSON_IsNumber(node), "'%s' is no number in %s", path, site_body(site));
    return node->valuedouble;
}

size_t site_count(const struct site *site, const char *path)
{
    return (size_t)cJSON_GetArraySize(site_at(site, path));
}

const char *site_create(struct site *site, const char *body)
{
    static char id[TC_ID_TEXT_SIZE];
    int status = site_post(site, SITE_TASKS, body);

    ck_assert_msg(status == 201, "%d: %s", status, site_body(site));
    snprintf(id, sizeof(id), "%s", site_text(site, "id"));
    return id;
}

struct tc_task site_claim(struct site *site)
{
    struct tc_lease_repo *leases = memory_store_lease_repo(site->store);
    const struct tc_claim claim = { .owner = "w1", .max = 1, .lease_ms = 30000 };
    struct tc_task task;
    size_t count = 0;

    ck_assert_int_eq(leases->ops->claim(leases, &claim, &task, &count, NULL), TC_OK);
    ck_assert_uint_eq(count, 1);
    return task;
}

void site_finish(struct site *site, const struct tc_outcome *outcome)
{
    struct tc_lease_repo *leases = memory_store_lease_repo(site->store);
    struct tc_task task = site_claim(site);
    struct tc_outcome applied = *outcome;
    struct tc_verdict verdict;

    applied.id = task.id;
    applied.epoch = task.epoch;
    ck_assert_int_eq(leases->ops->finish(leases, &applied, 1, &verdict, NULL), TC_OK);
    ck_assert_int_eq(verdict.kind, TC_VERDICT_APPLIED);
    tc_task_release(&task);
}

size_t site_stored(struct site *site)
{
    struct tc_task_repo *repo = memory_store_task_repo(site->store);
    const struct tc_task_filter all = { .statuses = TC_STATUS_SET_ALL,
                                        .created_after_ms = -1,
                                        .created_before_ms = -1,
                                        .limit = 200,
                                        .large = 4096 };
    struct tc_task_page page;

    ck_assert_int_eq(repo->ops->list(repo, &all, &page, NULL), TC_OK);

    size_t count = page.count;

    tc_task_page_release(&page);
    return count;
}

void site_assert_problem(struct site *site, int got, int status, const char *code)
{
    ck_assert_msg(got == status, "%d instead of %d: %s", got, status, site_body(site));
    ck_assert_str_eq(site->response.content_type, "application/problem+json");
    ck_assert_str_eq(site_text(site, "code"), code);
    ck_assert_str_eq(site_text(site, "type"), "about:blank");
    ck_assert_int_eq((int)site_number(site, "status"), status);
    ck_assert_str_eq(site_text(site, "request_id"), REQUEST_ID);
    ck_assert_str_ne(site_text(site, "title"), "Unknown");
    ck_assert_str_ne(site_text(site, "detail"), "");
    ck_assert_int_eq(site_answer_header(site, "Retry-After") != NULL, status == 503);
}

void site_assert_invalid(struct site *site, int got, const char *pointer)
{
    site_assert_problem(site, got, 422, "validation_failed");
    ck_assert_msg(site_count(site, "errors") == 1, "%s", site_body(site));
    ck_assert_str_eq(site_text(site, "errors/0/pointer"), pointer);
    ck_assert_str_ne(site_text(site, "errors/0/detail"), "");
}
