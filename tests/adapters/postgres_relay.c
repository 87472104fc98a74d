#include "tests/adapters/postgres_relay.h"

#include "tests/adapters/postgres_server.h"

#include <arpa/inet.h>
#include <libpq-fe.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

int postgres_listen(int *ret_port)
{
    struct sockaddr_in address = { .sin_family = AF_INET };
    socklen_t size = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, size), 0);
    ck_assert_int_eq(listen(fd, 8), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    *ret_port = ntohs(address.sin_port);
    return fd;
}

const char *postgres_url_at(int port)
{
    static char url[512];
    const char *own = postgres_server_url();
    const char *authority = strstr(own, "://") + 3;
    const char *end = authority + strcspn(authority, "/?");
    const char *host = authority;

    for (const char *at = authority; at < end; at++)
        host = *at == '@' ? at + 1 : host;
    snprintf(url, sizeof(url), "%.*s127.0.0.1:%d%s", (int)(host - own), own, port, end);
    return url;
}

/* --- in the relay's process --- */

static const char *option(const PQconninfoOption *options, const char *keyword)
{
    for (; options->keyword; options++) {
        if (strcmp(options->keyword, keyword) == 0)
            return options->val;
    }
    return NULL;
}

static int connect_to_server(void)
{
    PQconninfoOption *options = PQconninfoParse(postgres_server_url(), NULL);
    const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
    struct addrinfo *address = NULL;
    const char *port = option(options, "port");
    int fd = -1;

    if (getaddrinfo(option(options, "host"), port ? port : "5432", &hints, &address) == 0) {
        fd = socket(address->ai_family, SOCK_STREAM, 0);
        if (connect(fd, address->ai_addr, address->ai_addrlen) != 0)
            fd = -1;
        freeaddrinfo(address);
    }
    PQconninfoFree(options);
    return fd;
}

static bool pass(int from, int to)
{
    char bytes[65536];
    ssize_t len = read(from, bytes, sizeof(bytes));

    for (ssize_t done = 0; done < len;) {
        ssize_t count = write(to, bytes + done, (size_t)(len - done));

        if (count <= 0)
            return false;
        done += count;
    }
    return len > 0;
}

static void carry(int client, int server)
{
    struct pollfd sockets[] = { { .fd = client, .events = POLLIN },
                                { .fd = server, .events = POLLIN } };
    bool open = server >= 0;

    while (open && poll(sockets, 2, -1) > 0) {
        if (sockets[0].revents)
            open = pass(client, server);
        if (open && sockets[1].revents)
            open = pass(server, client);
    }
    close(client);
    close(server);
}

/* --- in the test's --- */

void postgres_relay_start(struct postgres_relay *relay)
{
    int port = 0;
    int listener = postgres_listen(&port);

    snprintf(relay->url, sizeof(relay->url), "%s", postgres_url_at(port));
    relay->pid = fork();
    if (relay->pid == 0)
        signal(SIGPIPE, SIG_IGN);
    ck_assert_int_ge(relay->pid, 0);
    while (relay->pid == 0) {
        int client = accept(listener, NULL, NULL);

        if (client < 0)
            _exit(1);
        carry(client, connect_to_server());
    }
    close(listener);
}

void postgres_relay_freeze(const struct postgres_relay *relay)
{
    ck_assert_int_eq(kill(relay->pid, SIGSTOP), 0);
}

void postgres_relay_thaw(const struct postgres_relay *relay)
{
    ck_assert_int_eq(kill(relay->pid, SIGCONT), 0);
}

void postgres_relay_kill(struct postgres_relay *relay)
{
    if (relay->pid <= 0)
        return;
    kill(relay->pid, SIGKILL);
    waitpid(relay->pid, NULL, 0);
    relay->pid = 0;
}
