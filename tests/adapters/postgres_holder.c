#include "tests/adapters/postgres_holder.h"

#include "tests/adapters/postgres_server.h"

#include <libpq-fe.h>
#include <pthread.h>
#include <time.h>

static PGconn *holder;
static pthread_t committer;
static int committer_ms; /* 0: there is none */

void postgres_holder_run(const char *sql)
{
    PGresult *result = PQexec(holder, sql);
    ExecStatusType status = PQresultStatus(result);

    ck_assert_msg(status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK, "%s: %s", sql,
                  PQerrorMessage(holder));
    PQclear(result);
}

void postgres_holder_begin(const char *sql)
{
    holder = PQconnectdb(postgres_server_url());
    ck_assert_msg(PQstatus(holder) == CONNECTION_OK, "%s", PQerrorMessage(holder));
    postgres_holder_run("BEGIN");
    postgres_holder_run(sql);
}

void postgres_holder_commit(void)
{
    if (!holder)
        return;
    postgres_holder_run("COMMIT");
    PQfinish(holder);
    holder = NULL;
}

static void *commit_later(void *arg)
{
    struct timespec left = { .tv_nsec = committer_ms * 1000000L };

    (void)arg;
    nanosleep(&left, NULL);
    postgres_holder_commit();
    return NULL;
}

void postgres_holder_commit_after(int ms)
{
    committer_ms = ms;
    ck_assert_int_eq(pthread_create(&committer, NULL, commit_later, NULL), 0);
}

void postgres_holder_teardown(void)
{
    if (committer_ms)
        pthread_join(committer, NULL);
    committer_ms = 0;
    PQfinish(holder);
    holder = NULL;
}
