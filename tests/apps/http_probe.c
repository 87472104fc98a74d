/*
 * A server for tests of the glue alone: real sockets, and a router that says what reached it
 * instead of the service's own. Stops at SIGTERM and says how long that took.
 */

#include "adapters/http/http_buffer.h"
#include "adapters/http/http_problem.h"
#include "adapters/http/http_router.h"
#include "adapters/http/http_server.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#ifdef __has_feature
#define HAS_FEATURE(name) __has_feature(name)
#else
#define HAS_FEATURE(name) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) ||                           \
    HAS_FEATURE(address_sanitizer) || HAS_FEATURE(thread_sanitizer)
#define BUILD "sanitized"
#else
#define BUILD "plain"
#endif

static _Atomic long routed;
static size_t body_limit = 65536;

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void sleep_ms(long ms)
{
    struct timespec time = { ms / 1000, ms % 1000 * 1000000 };

    nanosleep(&time, NULL);
}

static long number_in(const char *query, const char *name)
{
    const char *found = query ? strstr(query, name) : NULL;

    return found ? strtol(found + strlen(name), NULL, 10) : 0;
}

static unsigned long sum_of(struct tc_bytes body)
{
    const unsigned char *data = body.data;
    unsigned long sum = 5381;

    for (size_t i = 0; i < body.len; i++)
        sum = (sum * 33 + data[i]) & 0xffffffff;
    return sum;
}

/** Say what was asked, so that a test can compare it with what it sent. */
static void describe(const struct http_request *request, struct http_response *response,
                     long number)
{
    const char *marker = http_request_header(request, "X-Marker", NULL);

    http_buffer_printf(&response->body,
                       "{\"number\":%ld,\"method\":\"%s\",\"path\":\"%s\",\"query\":\"%s\","
                       "\"body_len\":%zu,\"body_sum\":%lu,\"may_wait\":%s,\"marker\":\"%s\"}",
                       number, request->method, request->path,
                       request->query ? request->query : "", request->body.len,
                       sum_of(request->body), request->may_wait ? "true" : "false",
                       marker ? marker : "");
}

static void fill(struct http_buffer *buffer, size_t bytes)
{
    char block[4096];

    memset(block, 'x', sizeof(block));
    for (; bytes > sizeof(block); bytes -= sizeof(block))
        http_buffer_append(buffer, block, sizeof(block));
    http_buffer_append(buffer, block, bytes);
}

void http_route(struct http_services *services, const struct http_request *request,
                struct http_response *ret_response)
{
    long number = strcmp(request->path, "/count") == 0 ? atomic_load(&routed)
                                                       : atomic_fetch_add(&routed, 1) + 1;
    long wait = number_in(request->query, "wait_ms=");
    long bytes = number_in(request->query, "bytes=");

    (void)services;
    http_response_begin(ret_response, request);
    ret_response->status = 200;
    ret_response->content_type = "application/json";
    ret_response->route = "/probe";
    if (wait && request->may_wait)
        sleep_ms(wait);
    if (strcmp(request->method, "OPTIONS") == 0) {
        ret_response->status = 204;
        ret_response->content_type = NULL;
    } else if (strcmp(request->path, "/fail") == 0) {
        ret_response->body.failed = true;
    } else if (bytes) {
        fill(&ret_response->body, (size_t)bytes);
    } else {
        describe(request, ret_response, number);
    }
}

size_t http_body_limit(const struct http_services *services, const char *method,
                       const char *path)
{
    (void)services;
    (void)method;
    (void)path;
    return body_limit;
}

static long option(int argc, char **argv, const char *name, long or_else)
{
    for (int i = 1; i + 1 < argc; i++) {
        if (strcmp(argv[i], name) == 0)
            return strtol(argv[i + 1], NULL, 10);
    }
    return or_else;
}

int main(int argc, char **argv)
{
    struct http_services services = { .name = "probe" };
    struct http_server_config config = {
        .listen = argc > 1 && strchr(argv[argc - 1], ':') ? argv[argc - 1] : "127.0.0.1:0",
        .connections = (int)option(argc, argv, "--connections", 0),
        .request_ms = option(argc, argv, "--request-ms", 0),
        .close_ms = option(argc, argv, "--close-ms", 0),
    };
    struct http_server *server;
    struct tc_error err;
    sigset_t stop;
    int signal_number;
    int64_t began_ms = now_ms();

    body_limit = (size_t)option(argc, argv, "--body-limit", (long)body_limit);
    sigemptyset(&stop);
    sigaddset(&stop, SIGTERM);
    sigaddset(&stop, SIGINT);
    pthread_sigmask(SIG_BLOCK, &stop, NULL);
    if (http_server_open(&config, &services, &server, &err) != TC_OK) {
        fprintf(stderr, "%s: %s\n", tc_code_name(err.code), err.message);
        return 2;
    }
    printf("listening on 127.0.0.1:%d after %lld ms, %s\n", http_server_port(server),
           (long long)(now_ms() - began_ms), BUILD);
    fflush(stdout);
    sigwait(&stop, &signal_number);
    began_ms = now_ms();
    http_server_close(server);
    printf("stopped in %lld ms\n", (long long)(now_ms() - began_ms));
    return 0;
}
