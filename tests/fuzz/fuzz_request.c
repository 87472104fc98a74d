/*
 * From a request to its response, without a socket. The input: a line "METHOD TARGET", lines
 * "Name: value", an empty line, the body. Whatever comes, the answer is one of the contract,
 * is JSON where it says so, and what was refused has left nothing behind; what was accepted
 * comes back byte for byte.
 */

#include "adapters/http/http_router.h"
#include "adapters/http/json_check.h"
#include "adapters/memory/memory_store.h"
#include "tests/support/fakes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEADERS_MAX 16

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static struct {
    struct fake_clock clock;
    struct fake_ids ids;
    struct fake_queue queue;
    struct fake_events events;
    struct tc_policy policy;
    struct memory_store *store;
    struct http_services services;
} world;

static void demand(bool condition, const char *what)
{
    if (condition)
        return;
    fprintf(stderr, "%s\n", what);
    abort();
}

static void open_world(void)
{
    fake_clock_init(&world.clock, INT64_C(1795300000000));
    fake_ids_init(&world.ids, &world.clock.base);
    fake_queue_init(&world.queue);
    fake_events_init(&world.events, &world.clock);
    world.policy = tc_policy_default();
    world.policy.payload_max = 4096;
    demand(memory_store_open(&world.clock.base, &world.store, NULL) == TC_OK, "no store");
    world.services = (struct http_services){ .repo = memory_store_task_repo(world.store),
                                             .leases = memory_store_lease_repo(world.store),
                                             .queue = &world.queue.base,
                                             .events = &world.events.base,
                                             .ids = &world.ids.base,
                                             .clock = &world.clock.base,
                                             .policy = &world.policy,
                                             .name = "taskcore",
                                             .version = "0",
                                             .commit = "0",
                                             .queue_kind = "database" };
}

static size_t count_stored(void)
{
    struct tc_task_repo *repo = world.services.repo;
    const struct tc_task_filter all = { .statuses = TC_STATUS_SET_ALL,
                                        .created_after_ms = -1,
                                        .created_before_ms = -1,
                                        .limit = 200,
                                        .large = 1 };
    struct tc_task_page page;

    demand(repo->ops->list(repo, &all, &page, NULL) == TC_OK, "cannot list");

    size_t count = page.count;

    tc_task_page_release(&page);
    return count;
}

static bool is_known(int status)
{
    static const int known[] = { 200, 201, 204, 400, 404, 405, 409, 413, 415, 422 };

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (known[i] == status)
            return true;
    return false;
}

/* Strict JSON; an answer holds payloads, so it may nest deeper than a request. */
static bool is_json(struct tc_bytes text)
{
    struct json_reader reader;
    struct json_value value;

    json_reader_init(&reader, text);
    reader.limit = JSON_LEVELS;

    bool ok = json_take(&reader, &value) && json_finish(&reader);

    json_reader_release(&reader);
    return ok;
}

static void check_response(const struct http_response *response)
{
    const struct tc_bytes body = { response->body.data, response->body.len };

    demand(is_known(response->status), "a status that the contract does not know");
    demand(!response->body.failed && !response->headers.failed, "no memory");
    demand(response->route != NULL, "no route");
    demand((response->content_type == NULL) == (response->status == 204), "a body or none");
    demand(strstr(response->headers.data, "X-Request-Id: fuzz\r\n") != NULL, "no request id");
    demand(strstr(response->headers.data, "\r\n\r\n") == NULL, "the headers end early");
    demand(strlen(response->headers.data) == response->headers.len, "NUL in the headers");
    if (response->content_type && strstr(response->content_type, "json"))
        demand(is_json(body), "the body is no JSON that we would take");
}

/* The task that was just created, as GET gives it, tells the same. */
static void read_back(const struct http_response *created)
{
    struct http_request request = { .method = "GET", .request_id = "fuzz" };
    struct http_response read;
    char path[64] = "/tasks/";
    const char *end = strstr(created->body.data, "\"queue\"");

    tc_id_format(&created->task_id, path + strlen(path));
    request.path = path;
    http_route(&world.services, &request, &read);
    check_response(&read);
    demand(read.status == 200 && strstr(read.body.data, "\"queue\"") != NULL && end != NULL &&
               strcmp(strstr(read.body.data, "\"queue\""), end) == 0,
           "what was created reads differently");
    http_response_release(&read);
}

/* The line at `*at`, NUL-terminated, `*at` behind it; NULL: none. */
static char *next_line(char **at, char *end)
{
    char *line = *at;
    char *stop = memchr(line, '\n', (size_t)(end - line));

    if (!stop)
        return NULL;
    *stop = '\0';
    *at = stop + 1;
    return line;
}

static size_t read_headers(char **at, char *end, struct http_header headers[HEADERS_MAX])
{
    size_t count = 0;
    char *line;

    while ((line = next_line(at, end)) != NULL && *line) {
        char *colon = strstr(line, ": ");

        if (!colon || count == HEADERS_MAX)
            continue;
        *colon = '\0';
        headers[count++] = (struct http_header){ line, colon + 2 };
    }
    return count;
}

static void run(const struct http_request *request)
{
    struct http_response response;
    size_t before;

    open_world();
    before = count_stored();
    http_route(&world.services, request, &response);
    check_response(&response);
    if (response.status >= 400)
        demand(count_stored() == before, "a refused request has left a task");
    if (response.status == 201)
        demand(count_stored() > before, "an accepted task is not there");
    if (response.status == 201 && strcmp(response.route, "/api/v1/tasks") == 0)
        read_back(&response);
    http_response_release(&response);
    memory_store_close(world.store);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    struct http_header headers[HEADERS_MAX];
    struct http_request request = { .request_id = "fuzz", .headers = headers };
    char *text = malloc(size + 1);
    char *at = text;
    char *line;

    demand(text != NULL, "no memory");
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    line = next_line(&at, text + size);
    if (line && strchr(line, ' ')) {
        char *path = strchr(line, ' ');
        char *query = strchr(path + 1, '?');

        *path++ = '\0';
        if (query)
            *query++ = '\0';
        request.method = line;
        request.path = path;
        request.query = query;
        request.header_count = read_headers(&at, text + size, headers);
        request.body = (struct tc_bytes){ at, (size_t)(text + size - at) };
        run(&request);
    }
    free(text);
    return 0;
}
