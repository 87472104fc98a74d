#include "tests/adapters/postgres_client.h"

#include <string.h>
#include <time.h>

struct postgres_client client;

const struct postgres_statement client_read = { .name = "client_read", .sql = "SELECT 7" };
const struct postgres_statement client_insert = {
    .name = "client_insert",
    .sql = "INSERT INTO public.thing (num) SELECT 1 + count(*) FROM public.thing",
    .writes = true,
};

void client_open(void)
{
    postgres_connection_free(client.connection);
    client.connection = NULL;
    ck_assert_msg(postgres_connection_new(&client.config, &client.connection, &client.err) ==
                      TC_OK,
                  "%s", client.err.message);
}

void client_setup(void)
{
    postgres_server_sql("DROP TABLE IF EXISTS public.thing;"
                        " CREATE TABLE public.thing (num bigint CONSTRAINT thing_num UNIQUE"
                        " DEFERRABLE INITIALLY IMMEDIATE)");
    client.config = (struct postgres_connection_config){
        .url = postgres_server_url(),
        .name = "taskcore-test",
        .statement_ms = CLIENT_STATEMENT_MS,
        .connect_ms = CLIENT_CONNECT_MS,
        .prepares = true,
    };
    client_open();
}

void client_teardown(void)
{
    postgres_clear_result(&client.result);
    postgres_connection_free(client.connection);
    client.connection = NULL;
}

enum tc_code client_run(const struct postgres_statement *statement)
{
    postgres_clear_result(&client.result);
    return postgres_run(client.connection, statement, NULL, &client.result, &client.err);
}

void client_do(const struct postgres_statement *statement)
{
    ck_assert_msg(client_run(statement) == TC_OK, "%s", client.err.message);
}

int64_t client_number(void)
{
    ck_assert_int_eq(PQntuples(client.result), 1);
    return postgres_get_int(client.result, 0, 0);
}

void client_assert_failed(enum tc_code actual, enum tc_code code, const char *sqlstate)
{
    ck_assert_msg(actual == code, "%s, not %s: %s", tc_code_name(actual), tc_code_name(code),
                  client.err.message);
    ck_assert_int_eq(client.err.code, code);
    ck_assert_str_eq(postgres_sqlstate(client.connection), sqlstate);
    ck_assert_ptr_nonnull(strstr(client.err.message, sqlstate));
}

int64_t client_thing_count(void)
{
    return postgres_server_number("SELECT count(*) FROM public.thing");
}

int64_t client_tick_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void client_await_reconnect(void)
{
    const struct timespec pause = { .tv_nsec = 10 * 1000000 };
    int64_t end_ms = client_tick_ms() + 10000;

    while (postgres_connect(client.connection, &client.err) != TC_OK) {
        ck_assert_msg(client_tick_ms() < end_ms, "%s", client.err.message);
        nanosleep(&pause, NULL);
    }
}
