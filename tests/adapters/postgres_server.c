#include "tests/adapters/postgres_server.h"

#include "adapters/postgres/postgres_schema.h"
#include "tests/support/run_suite.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define URL_SIZE       512
#define AWAIT_TRIES    1000
#define AWAIT_PAUSE_NS 10000000

static char url[URL_SIZE];
static char database[64];

const char *postgres_server_url(void)
{
    return url;
}

const char *postgres_server_admin_url(void)
{
    return getenv("TC_TEST_POSTGRES");
}

const char *postgres_server_database(void)
{
    return database;
}

/* The path ends at the question mark. */
const char *postgres_server_url_with(const char *other_database, const char *option)
{
    static char with[sizeof(url) + 64];
    const char *given = postgres_server_admin_url();
    const char *host = strstr(given, "://");
    const char *path = host ? host + 3 + strcspn(host + 3, "/?") : given + strlen(given);
    const char *options = path + strcspn(path, "?");

    snprintf(with, sizeof(with), "%.*s/%s%s%s%s", (int)(path - given), given,
             other_database ? other_database : database, options,
             !option    ? ""
             : *options ? "&"
                        : "?",
             option ? option : "");
    return with;
}

static void make_url(void)
{
    snprintf(database, sizeof(database), "taskcore_test_%ld", (long)getpid());
    snprintf(url, sizeof(url), "%s", postgres_server_url_with(NULL, NULL));
}

/* --- SQL --- */

static void ignore_notice(void *arg, const char *message)
{
    (void)arg;
    (void)message;
}

static PGresult *query_on(const char *where, const char *sql)
{
    PGconn *pg = PQconnectdb(where);

    PQsetNoticeProcessor(pg, ignore_notice, NULL);

    PGresult *result = PQexec(pg, sql);
    ExecStatusType status = PQresultStatus(result);

    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
        fprintf(stderr, "%s: %s\n", sql, PQerrorMessage(pg));
        PQclear(result);
        result = NULL;
    }
    PQfinish(pg);
    return result;
}

static PGresult *query(const char *sql)
{
    PGresult *result = query_on(url, sql);

    ck_assert_msg(result, "%s", sql);
    return result;
}

void postgres_server_sql(const char *sql)
{
    PQclear(query(sql));
}

int64_t postgres_server_number(const char *sql)
{
    PGresult *result = query(sql);

    ck_assert_int_ge(PQntuples(result), 1);

    int64_t number = strtoll(PQgetvalue(result, 0, 0), NULL, 10);

    PQclear(result);
    return number;
}

void postgres_server_await(const char *sql, int64_t number)
{
    const struct timespec pause = { .tv_nsec = AWAIT_PAUSE_NS };
    int64_t last = postgres_server_number(sql);

    for (int i = 0; last != number && i < AWAIT_TRIES; i++) {
        nanosleep(&pause, NULL);
        last = postgres_server_number(sql);
    }
    ck_assert_msg(last == number, "%lld, not %lld: %s", (long long)last, (long long)number,
                  sql);
}

/* --- the database --- */

/* Roles belong to the whole server: programs that migrate at the same time take turns. */
static bool migrate(void)
{
    PGconn *turn = PQconnectdb(postgres_server_admin_url());
    struct tc_error err = { 0 };

    PQclear(PQexec(turn, "SELECT pg_advisory_lock(74657374)"));

    enum tc_code code = postgres_schema_migrate(url, 0, false, NULL, NULL, &err);

    PQfinish(turn);
    if (code != TC_OK)
        fprintf(stderr, "migrate %s: %s\n", database, err.message);
    return code == TC_OK;
}

static bool on_server(const char *verb, const char *options)
{
    char sql[160];

    snprintf(sql, sizeof(sql), "%s %s %s", verb, database, options);

    PGresult *result = query_on(postgres_server_admin_url(), sql);

    PQclear(result);
    return result;
}

static int skip(Suite *suite)
{
    const char *required = getenv("TC_REQUIRE_BACKENDS");
    bool must = required && strcmp(required, "1") == 0;

    srunner_free(srunner_create(suite));
    if (must)
        printf("1..1\nnot ok 1 TC_TEST_POSTGRES is not set\n");
    else
        printf("1..0 # SKIP set TC_TEST_POSTGRES\n");
    return must ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int run(Suite *suite, bool migrated)
{
    if (!postgres_server_admin_url())
        return skip(suite);
    make_url();
    /* One of this name was left by a process that was killed, and had our number. */
    if (!on_server("DROP DATABASE IF EXISTS", "WITH (FORCE)") ||
        !on_server("CREATE DATABASE", "TEMPLATE template0 ENCODING 'UTF8'") ||
        (migrated && !migrate())) {
        printf("1..1\nnot ok 1 a database on TC_TEST_POSTGRES\n");
        srunner_free(srunner_create(suite));
        on_server("DROP DATABASE IF EXISTS", "WITH (FORCE)");
        return EXIT_FAILURE;
    }

    int status = run_suite(suite);

    return on_server("DROP DATABASE", "WITH (FORCE)") ? status : EXIT_FAILURE;
}

int postgres_server_run(Suite *suite)
{
    return run(suite, true);
}

int postgres_server_run_bare(Suite *suite)
{
    return run(suite, false);
}

void postgres_server_recreate(void)
{
    postgres_server_sql("DROP SCHEMA IF EXISTS taskcore CASCADE");
    ck_assert(migrate());
}

void postgres_server_empty(void)
{
    postgres_server_sql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid();"
        " TRUNCATE taskcore.task, taskcore.ready, taskcore.lease, taskcore.key,"
        " taskcore.listener, taskcore.health RESTART IDENTITY;"
        " ALTER SEQUENCE taskcore.ready_seq RESTART; ALTER SEQUENCE taskcore.lease_id RESTART;"
        " INSERT INTO taskcore.health (num, checked_at) VALUES (1, 0)");
}
