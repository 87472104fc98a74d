#include "adapters/http/http_server.h"

#include "adapters/http/http_complaint.h"
#include "adapters/http/http_exchange.h"
#include "adapters/http/http_listen.h"
#include "adapters/http/http_watchdog.h"
#include "ports/logger.h"

#include <arpa/inet.h>
#include <civetweb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define DEFAULT_LISTEN      "127.0.0.1:8000"
#define DEFAULT_CONNECTIONS 512
#define DEFAULT_REQUEST_MS  10000
#define DEFAULT_CLOSE_MS    1000
#define CONNECTIONS_MAX     16384
#define REQUEST_MS_MAX      3600000
#define RESERVE_MIN         8 /**< threads that say 503 to what comes beyond the bound */
#define RESERVE_MAX         32
#define QUEUE               64   /**< accepted connections that wait for a thread */
#define BACKLOG             1024 /**< connections that the kernel keeps for us */
#define FILES_BESIDE        64   /**< open files of the rest of the program */
#define BACKSTOP_MS         2000

struct http_server {
    struct http_glue glue;
    struct http_watchdog watchdog;
    struct mg_context *context;
    struct http_server_config config; /**< with defaults; `listen` not kept */
    int port;
    _Atomic bool is_open; /**< what the library says goes to the log, not to the caller */
    char message[160];    /**< the first thing the library complained about while opening */
};

/** What the library wants as text. */
struct option_texts {
    char threads[16], queue[16], backlog[16], read_ms[24], keep_ms[24], head_size[16];
};

static struct http_server *server_of(const struct mg_connection *connection)
{
    return mg_get_user_context_data(connection);
}

static void *on_thread(const struct mg_context *context, int kind)
{
    struct http_server *server = mg_get_user_data(context);

    return kind == 1 ? http_connections_take(&server->glue.table) : NULL;
}

static int on_open(const struct mg_connection *connection, void **ret_data)
{
    struct http_server *server = server_of(connection);
    struct http_slot *slot = mg_get_thread_pointer(connection);

    (void)ret_data;
    if (slot)
        http_connections_opened(&server->glue.table, slot, connection,
                                http_now_ms() + server->config.request_ms);
    return 0;
}

static void on_close(const struct mg_connection *connection)
{
    struct http_slot *slot = mg_get_thread_pointer(connection);

    if (slot)
        http_connections_closing(&server_of(connection)->glue.table, slot);
}

static int on_request(struct mg_connection *connection)
{
    return http_exchange_serve(&server_of(connection)->glue, mg_get_thread_pointer(connection),
                               connection);
}

static int on_error(struct mg_connection *connection, int status, const char *text)
{
    http_exchange_refuse(&server_of(connection)->glue, mg_get_thread_pointer(connection),
                         connection, status, text);
    return 0;
}

static int on_message(const struct mg_connection *connection, const char *text)
{
    struct http_server *server = server_of(connection);

    if (!server)
        return 1;
    if (!atomic_load(&server->is_open) && !server->message[0])
        snprintf(server->message, sizeof(server->message), "%s", text);
    else
        tc_log(server->glue.services->logger, TC_LOG_WARN, NULL, "http library: %s", text);
    return 1;
}

static enum tc_code check_config(struct http_server_config *config, struct tc_error *err)
{
    if (!config->listen)
        config->listen = DEFAULT_LISTEN;
    if (!config->connections)
        config->connections = DEFAULT_CONNECTIONS;
    if (!config->request_ms)
        config->request_ms = DEFAULT_REQUEST_MS;
    if (!config->close_ms)
        config->close_ms = DEFAULT_CLOSE_MS;
    if (config->connections < 1 || config->connections > CONNECTIONS_MAX)
        return tc_fail(err, TC_INVALID, "connections must be 1..%d, not %d", CONNECTIONS_MAX,
                       config->connections);
    if (config->request_ms < 1 || config->request_ms > REQUEST_MS_MAX)
        return tc_fail(err, TC_INVALID, "the time for a request must be 1..%d ms, not %lld",
                       REQUEST_MS_MAX, (long long)config->request_ms);
    return TC_OK;
}

static int reserve_of(int connections)
{
    int reserve = connections / 32;

    return reserve < RESERVE_MIN ? RESERVE_MIN : reserve > RESERVE_MAX ? RESERVE_MAX : reserve;
}

/** Out of descriptors the library's acceptor spins: make sure that they never run out. */
static enum tc_code raise_file_limit(int connections, struct tc_error *err)
{
    rlim_t needed =
        (rlim_t)connections + (rlim_t)reserve_of(connections) + QUEUE + FILES_BESIDE;
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= needed)
        return TC_OK;
    if (limit.rlim_max < needed)
        return tc_fail(err, TC_INVALID,
                       "%d connections need %llu open files, but the limit is %llu: raise it "
                       "(ulimit -n) or take fewer connections",
                       connections, (unsigned long long)needed,
                       (unsigned long long)limit.rlim_max);
    limit.rlim_cur = needed;
    setrlimit(RLIMIT_NOFILE, &limit);
    return TC_OK;
}

/** The library only says in its log why it did not start. */
static enum tc_code fail_open(const struct http_server *server, const char *listen,
                              struct tc_error *err)
{
    if (strstr(server->message, "cannot bind"))
        return tc_fail(err, TC_UNAVAILABLE, "cannot listen on '%s': %s", listen,
                       server->message);
    if (strstr(server->message, "thread"))
        return tc_fail(err, TC_NO_MEMORY, "cannot start the threads for connections: %s",
                       server->message);
    return tc_fail(err, TC_UNAVAILABLE, "cannot listen on '%s': %s", listen,
                   server->message[0] ? server->message : "the http library gives no reason");
}

static void write_texts(const struct http_server_config *config, struct option_texts *texts)
{
    long long backstop_ms = (long long)config->request_ms + BACKSTOP_MS;

    snprintf(texts->threads, sizeof(texts->threads), "%d",
             config->connections + reserve_of(config->connections));
    snprintf(texts->queue, sizeof(texts->queue), "%d", QUEUE);
    snprintf(texts->backlog, sizeof(texts->backlog), "%d", BACKLOG);
    snprintf(texts->read_ms, sizeof(texts->read_ms), "%lld", backstop_ms);
    snprintf(texts->keep_ms, sizeof(texts->keep_ms), "%lld", backstop_ms);
    snprintf(texts->head_size, sizeof(texts->head_size), "%d", HTTP_READ_BUFFER_SIZE);
}

/**
 * No document root, no index, no CGI: every path is ours, and nothing of the library that
 * serves files can be reached. It would answer CORS preflights by itself if the methods were
 * not empty. Its timeouts are only the backstop of the watchdog.
 */
static struct mg_context *start(struct http_server *server, const struct http_listen *listen)
{
    static const struct mg_callbacks callbacks = {
        .begin_request = on_request,
        .http_error = on_error,
        .log_message = on_message,
        .init_thread = on_thread,
        .init_connection = on_open,
        .connection_close = on_close,
    };
    struct option_texts texts = { 0 };
    const char *options[] = {
        "listening_ports",
        listen->text,
        "num_threads",
        texts.threads,
        "connection_queue",
        texts.queue,
        "listen_backlog",
        texts.backlog,
        "request_timeout_ms",
        texts.read_ms,
        "keep_alive_timeout_ms",
        texts.keep_ms,
        "max_request_size",
        texts.head_size,
        "enable_keep_alive",
        "yes",
        "tcp_nodelay",
        "1",
        "decode_url",
        "no",
        "decode_query_string",
        "no",
        "enable_directory_listing",
        "no",
        "enable_auth_domain_check",
        "no",
        "access_control_allow_methods",
        "",
        "access_control_allow_origin",
        "",
        "access_control_allow_headers",
        "",
        "cgi_pattern",
        "",
        "ssi_pattern",
        "",
        NULL,
    };

    write_texts(&server->config, &texts);
    return mg_start(&callbacks, server, options);
}

static enum tc_code run(struct http_server *server, const struct http_listen *listen,
                        struct tc_error *err)
{
    struct mg_server_port ports[1] = { 0 };
    enum tc_code code = http_watchdog_start(&server->watchdog, &server->glue.table,
                                            server->config.request_ms, err);

    if (code != TC_OK)
        return code;
    server->context = start(server, listen);
    if (!server->context)
        return fail_open(server, listen->text, err);
    if (mg_get_server_ports(server->context, 1, ports) != 1)
        return tc_fail(err, TC_INTERNAL, "the http library does not tell its port");
    server->port = ports[0].port;
    pthread_mutex_lock(&server->glue.table.lock);
    server->glue.table.port = htons((uint16_t)server->port);
    pthread_mutex_unlock(&server->glue.table.lock);
    atomic_store(&server->is_open, true);
    return TC_OK;
}

enum tc_code http_server_open(const struct http_server_config *config,
                              struct http_services *services, struct http_server **ret_server,
                              struct tc_error *err)
{
    struct http_server_config checked = *config;
    struct http_listen listen;
    enum tc_code code = check_config(&checked, err);

    if (code == TC_OK)
        code = http_listen_parse(checked.listen, &listen, err);
    if (code == TC_OK)
        code = raise_file_limit(checked.connections, err);
    if (code != TC_OK)
        return code;
    struct http_server *server = calloc(1, sizeof(*server));

    if (!server)
        return tc_fail(err, TC_NO_MEMORY, "no memory for the http server");
    server->config = checked;
    server->glue.services = services;
    server->glue.request_ms = checked.request_ms;
    server->glue.id_seed = (uint64_t)http_now_us() * UINT64_C(0x9e3779b97f4a7c15) ^
                           (uint64_t)time(NULL) << 32 ^ (uint64_t)getpid();
    mg_init_library(MG_FEATURES_DEFAULT);
    code = http_connections_init(&server->glue.table, checked.connections,
                                 reserve_of(checked.connections), err);
    server->glue.table.request_ms = checked.request_ms;
    if (code == TC_OK)
        code = run(server, &listen, err);
    if (code != TC_OK) {
        http_server_close(server);
        return code;
    }
    *ret_server = server;
    return TC_OK;
}

int http_server_port(const struct http_server *server)
{
    return server->port;
}

int http_server_connections(const struct http_server *server)
{
    return atomic_load(&server->glue.table.open);
}

/**
 * The library looks at its stop flag when its poll() returns, up to two seconds later. Sockets
 * that are shut down make it return at once; the watchdog goes on doing so until the end.
 */
static void stop(struct http_server *server)
{
    int listener = http_listening_socket(server->port);

    atomic_store(&server->glue.is_closing, true);
    http_watchdog_begin_stop(&server->watchdog);
    http_connections_await_none(&server->glue.table, http_now_ms() + server->config.close_ms);
    http_watchdog_cut_all(&server->watchdog);
    if (listener >= 0)
        shutdown(listener, SHUT_RDWR);
    mg_stop(server->context);
}

void http_server_close(struct http_server *server)
{
    if (!server)
        return;
    if (server->context)
        stop(server);
    http_watchdog_stop(&server->watchdog);
    http_connections_release(&server->glue.table);
    mg_exit_library();
    free(server);
}
