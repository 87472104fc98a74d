#include "tests/adapters/postgres_session_site.h"

#include "tests/adapters/postgres_server.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define URL_SIZE 1024
#define LATE_US  (10 * 1000 * 1000)

static pthread_t thread;

int64_t site_tick_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

void site_sleep_ms(int64_t ms)
{
    struct timespec rest = { .tv_sec = (time_t)(ms / 1000),
                             .tv_nsec = (long)(ms % 1000) * 1000000 };

    nanosleep(&rest, NULL);
}

const char *site_url(const char *option)
{
    static char url[URL_SIZE];
    const char *plain = postgres_server_url();

    if (!option)
        return plain;
    snprintf(url, sizeof(url), "%s%s%s", plain, strchr(plain, '?') ? "&" : "?", option);
    return url;
}

/* --- sessions --- */

static struct postgres_session *open_session(const char *url, bool pooler)
{
    const struct postgres_connection_config config = {
        .url = url,
        .name = "session test",
        .statement_ms = 5000,
        .connect_ms = 2000,
        .prepares = !pooler,
    };
    struct postgres_session *session = NULL;
    struct tc_error err;

    ck_assert_msg(postgres_session_open(&config, pooler, &session, &err) == TC_OK, "open: %s",
                  err.message);
    return session;
}

struct postgres_session *site_open(const char *url)
{
    return open_session(url, false);
}

struct postgres_session *site_open_pooled(const char *url)
{
    return open_session(url, true);
}

int64_t site_await_lock(const struct postgres_session *session)
{
    int64_t end_us = site_tick_us() + LATE_US;

    while (postgres_session_incarnation(session) == 0 && site_tick_us() < end_us)
        site_sleep_ms(1);
    ck_assert_int_gt(postgres_session_incarnation(session), 0);
    return postgres_session_incarnation(session);
}

/* --- beside them --- */

PGconn *site_connect(void)
{
    PGconn *pg = PQconnectdb(postgres_server_url());

    ck_assert_msg(PQstatus(pg) == CONNECTION_OK, "%s", PQerrorMessage(pg));
    return pg;
}

static PGresult *ask(PGconn *pg, const char *sql)
{
    PGresult *result = PQexec(pg, sql);
    ExecStatusType status = PQresultStatus(result);

    ck_assert_msg(status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK, "%s: %s", sql,
                  PQerrorMessage(pg));
    return result;
}

void site_do(PGconn *pg, const char *sql)
{
    PQclear(ask(pg, sql));
}

int64_t site_number(PGconn *pg, const char *sql)
{
    PGresult *result = ask(pg, sql);
    int64_t number = PQntuples(result) > 0 ? strtoll(PQgetvalue(result, 0, 0), NULL, 10) : -1;

    PQclear(result);
    return number;
}

int64_t site_number_of(PGconn *pg, const char *format, int64_t number)
{
    const char *place = strstr(format, "%lld");
    char sql[512];

    ck_assert_ptr_nonnull(place);
    snprintf(sql, sizeof(sql), "%.*s%lld%s", (int)(place - format), format, (long long)number,
             place + 4);
    return site_number(pg, sql);
}

void site_await_number(PGconn *pg, const char *format, int64_t number, int64_t wanted)
{
    int64_t end_us = site_tick_us() + LATE_US;

    while (site_number_of(pg, format, number) != wanted) {
        ck_assert_msg(site_tick_us() < end_us, "%s never became %lld", format,
                      (long long)wanted);
        site_sleep_ms(5);
    }
}

size_t site_count_notifies(PGconn *pg, char *ret_payload, size_t size)
{
    size_t count = 0;
    PGnotify *notify;

    site_do(pg, "SELECT 1"); /* the server sends what it has before it answers */
    while ((notify = PQnotifies(pg))) {
        if (size > 0)
            snprintf(ret_payload, size, "%s", notify->extra);
        PQfreemem(notify);
        count++;
    }
    return count;
}

/* --- the ports --- */

bool site_receive(struct postgres_session *session, int64_t wait_ms)
{
    struct tc_task_queue *queue = postgres_session_task_queue(session);
    struct tc_delivery delivery = { .count = 77 };

    ck_assert_int_eq(queue->ops->receive(queue, wait_ms, 0, NULL, &delivery, NULL), TC_OK);
    ck_assert_uint_eq(delivery.count, 0);
    return delivery.look;
}

void site_enter(struct postgres_session *session)
{
    ck_assert(site_receive(session, 10000));
}

void site_publish(struct postgres_session *session)
{
    struct tc_task_queue *queue = postgres_session_task_queue(session);

    ck_assert_int_eq(queue->ops->publish(queue, NULL, 0, NULL), TC_OK);
}

struct tc_id site_id(uint64_t number)
{
    return tc_id_make(1700000000000, 0x123, number);
}

void site_notify(struct postgres_session *session, uint64_t number)
{
    struct tc_task_events *events = postgres_session_task_events(session);
    struct tc_id id = site_id(number);

    events->ops->notify(events, &id, 1);
}

uint64_t site_watch(struct postgres_session *session, uint64_t number)
{
    struct tc_task_events *events = postgres_session_task_events(session);
    struct tc_id id = site_id(number);

    return events->ops->watch(events, &id);
}

int64_t site_wait(struct postgres_session *session, uint64_t number, uint64_t *ticket,
                  int64_t wait_ms)
{
    struct tc_task_events *events = postgres_session_task_events(session);
    struct tc_id id = site_id(number);
    int64_t start_us = site_tick_us();

    events->ops->wait(events, &id, ticket, wait_ms);
    return (site_tick_us() - start_us) / 1000;
}

void site_enter_waiter(struct postgres_session *session)
{
    uint64_t ticket = site_watch(session, UINT64_MAX);

    ck_assert_int_lt(site_wait(session, UINT64_MAX, &ticket, 10000), 9000);
}

void site_start(void *(*body)(void *), void *arg)
{
    ck_assert_int_eq(pthread_create(&thread, NULL, body, arg), 0);
}

void site_join(void)
{
    pthread_join(thread, NULL);
}
