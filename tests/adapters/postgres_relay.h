#ifndef TESTS_ADAPTERS_POSTGRES_RELAY_H
#define TESTS_ADAPTERS_POSTGRES_RELAY_H

/**
 * @file postgres_relay.h
 * A process between a client and the server of TC_TEST_POSTGRES (TCP), which can be frozen and
 * killed: a server that hangs, and one whose answers are lost.
 */

#include <sys/types.h>

struct postgres_relay {
    pid_t pid;
    char url[512]; /**< to this program's database, through the relay */
};

/** Start it; it carries one connection after another. */
void postgres_relay_start(struct postgres_relay *relay);
/** Nothing goes through any more, and nobody is told. */
void postgres_relay_freeze(const struct postgres_relay *relay);
void postgres_relay_thaw(const struct postgres_relay *relay);
/** End it: the connections break. Once more is fine. */
void postgres_relay_kill(struct postgres_relay *relay);

/** A socket that listens on 127.0.0.1 and never answers; its port. */
int postgres_listen(int *ret_port);
/** The URL of this program's database, with this port of 127.0.0.1. Until the next call. */
const char *postgres_url_at(int port);

#endif
