#ifndef TASKCORE_ADAPTERS_POSTGRES_WIRE_H
#define TASKCORE_ADAPTERS_POSTGRES_WIRE_H

/**
 * @file postgres_wire.h
 * What the files behind postgres_connection.h share: the connection itself, waiting on its
 * socket with a deadline, and what its failures mean. Nobody else includes this.
 */

#include "adapters/postgres/postgres_connection.h"

#define POSTGRES_PREPARED_MAX 64 /* statements beyond it are sent unprepared */
#define POSTGRES_NO_DEADLINE  INT64_MAX

enum postgres_transaction {
    POSTGRES_AUTOCOMMIT,
    POSTGRES_BEGIN_ASKED, /* BEGIN goes with the first statement */
    POSTGRES_BEGUN,
    POSTGRES_GONE, /* with the connection that it was begun on */
};

struct postgres_connection {
    struct postgres_connection_config config;
    PGconn *pg; /* NULL: not connected */
    uint64_t generation;
    enum postgres_transaction transaction;
    bool wrote;        /* the transaction did */
    bool unreplicated; /* the server gave up waiting for its standby */
    char sqlstate[6];
    int64_t backoff_ms;      /* 0: the next connect need not wait */
    int64_t next_connect_ms; /* by postgres_tick_ms() */
    size_t first_host;       /* of several: with which to begin */
    size_t prepared_count;
    const struct postgres_statement *prepared[POSTGRES_PREPARED_MAX];
};

/* --- postgres_socket.c */

/** Monotonic milliseconds. */
int64_t postgres_tick_ms(void);
/** Wait for the socket of `pg`. @return false: the deadline has passed, or poll() failed. */
bool postgres_wait_socket(PGconn *pg, short events, int64_t deadline_ms);
/** Send what libpq still holds. @return false: no connection, or too late. */
bool postgres_flush(PGconn *pg, int64_t deadline_ms);
/** The next result, or NULL when there is none (more); `*ret_in_time` false: too late. */
PGresult *postgres_await(PGconn *pg, int64_t deadline_ms, bool *ret_in_time);

/* --- postgres_fail.c */

/** Close, keeping the transaction's state; connect again after the backoff. */
void postgres_lose(struct postgres_connection *connection);
/** The connection broke or was too slow, while a statement was on its way: lose it.
 *  `in_doubt`: it may have been applied. */
enum tc_code postgres_fail_lost(struct postgres_connection *connection, bool in_doubt,
                                bool in_time, struct tc_error *err);
/** The server's answer was an error: its SQLSTATE is kept, and decides. */
enum tc_code postgres_fail_result(struct postgres_connection *connection,
                                  const PGresult *result, bool in_doubt, struct tc_error *err);
/** The notice receiver; `arg` is the connection. */
void postgres_receive_notice(void *arg, const PGresult *notice);

/* --- postgres_hosts.c */

/** What to connect with instead of the URL's; NULL: as in the URL. */
struct postgres_hosts {
    char *host;
    char *hostaddr;
    char *port;
};

/** The hosts of the URL, beginning with number `first` (it wraps around). Release them. */
void postgres_order_hosts(const char *url, size_t first, struct postgres_hosts *ret_hosts);
void postgres_release_hosts(struct postgres_hosts *hosts);

/* --- postgres_connect.c */

/** @return TC_OK; TC_INVALID: libpq cannot read it. */
enum tc_code postgres_check_url(const char *url, struct tc_error *err) TC_MUST_CHECK;

/* --- postgres_exchange.c */

/** Run text of several statements on a sound connection. */
enum tc_code postgres_send_script(struct postgres_connection *connection, const char *sql,
                                  bool in_doubt, int64_t deadline_ms,
                                  struct tc_error *err) TC_MUST_CHECK;

#endif
