#include "tests/adapters/postgres_server.h"
#include "tests/adapters/postgres_session_site.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define LONG_MS 30000

#ifdef __SANITIZE_THREAD__ /* has a thread of its own, which wakes up all the time */
#define WAKES_OF_TOOLS 25  /* a second */
#else
#define WAKES_OF_TOOLS 0
#endif

static struct postgres_session *ours;
static PGconn *pg;

static void open_one(void)
{
    pg = site_connect();
    site_do(pg, "DELETE FROM taskcore.listener");
    ours = site_open(site_url(NULL));
}

static void close_one(void)
{
    postgres_session_close(ours);
    PQfinish(pg);
}

/* --- no server --- */

/* A port on which nobody answers: `hangs`: it is open, but nothing ever comes. */
static int make_port(bool hangs, int *ret_socket)
{
    struct sockaddr_in address = { .sin_family = AF_INET };
    socklen_t size = sizeof(address);

    *ret_socket = socket(AF_INET, SOCK_STREAM, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ck_assert_int_eq(bind(*ret_socket, (struct sockaddr *)&address, size), 0);
    ck_assert_int_eq(getsockname(*ret_socket, (struct sockaddr *)&address, &size), 0);
    if (hangs)
        ck_assert_int_eq(listen(*ret_socket, 16), 0);
    return ntohs(address.sin_port);
}

static int deaf;

static void open_without_server(bool hangs)
{
    static char url[80];

    snprintf(url, sizeof(url), "postgresql://nobody@127.0.0.1:%d/none",
             make_port(hangs, &deaf));
    ours = site_open(url);
}

static void open_absent(void)
{
    open_without_server(false);
}

static void open_hung(void)
{
    open_without_server(true);
}

static void close_without_server(void)
{
    int64_t start_us = site_tick_us();

    postgres_session_close(ours);
    ck_assert_int_lt(site_tick_us() - start_us, 3000000);
    close(deaf);
}

START_TEST(without_a_server_a_receive_and_a_wait_end_in_their_time)
{
    int64_t start_us = site_tick_us();
    uint64_t ticket = site_watch(ours, 1);
    int64_t took_ms = site_wait(ours, 1, &ticket, 300);

    ck_assert_int_eq(postgres_session_incarnation(ours), 0);
    ck_assert_int_ge(took_ms, 299);
    ck_assert_int_le(took_ms, 400);
    ck_assert(!site_receive(ours, 300));
    ck_assert_int_le(site_tick_us() - start_us, 850000);
}
END_TEST

START_TEST(without_a_server_this_process_is_still_woken)
{
    struct tc_task_queue *queue = postgres_session_task_queue(ours);
    int64_t start_us = site_tick_us();
    uint64_t ticket = site_watch(ours, 1);

    site_publish(ours);
    ck_assert(site_receive(ours, LONG_MS));
    queue->ops->interrupt(queue);
    ck_assert(!site_receive(ours, LONG_MS));
    site_notify(ours, 1);
    site_wait(ours, 1, &ticket, LONG_MS);
    ck_assert_int_lt(site_tick_us() - start_us, 1000000);
}
END_TEST

/* --- nothing to do --- */

struct effort {
    int64_t cpu_us;
    long wakes;
};

static int64_t microseconds(struct timeval time)
{
    return (int64_t)time.tv_sec * 1000000 + time.tv_usec;
}

/* What this process did while the test slept. */
static struct effort effort_in(int64_t ms)
{
    struct rusage before;
    struct rusage after;

    getrusage(RUSAGE_SELF, &before);
    site_sleep_ms(ms);
    getrusage(RUSAGE_SELF, &after);
    return (struct effort){
        .cpu_us = microseconds(after.ru_utime) + microseconds(after.ru_stime) -
                  microseconds(before.ru_utime) - microseconds(before.ru_stime),
        .wakes = after.ru_nvcsw - before.ru_nvcsw,
    };
}

static void *receive_long(void *arg)
{
    (void)arg;
    while (site_receive(ours, LONG_MS))
        continue;
    return NULL;
}

/* A wake-up a second, and a sleep for the answer to its one statement. */
START_TEST(an_idle_session_sleeps) /* loop: nobody waits, a receiver waits */
{
    struct tc_task_queue *queue = postgres_session_task_queue(ours);
    struct effort effort;

    if (_i) {
        site_enter(ours);
        site_start(receive_long, NULL);
    }
    site_sleep_ms(500);
    effort = effort_in(4000);
    fprintf(stderr, "# idle for 4 s: %lld us CPU, %ld sleeps\n", (long long)effort.cpu_us,
            effort.wakes);
    ck_assert_int_le(effort.wakes, 20 + 4 * WAKES_OF_TOOLS);
    ck_assert_int_le(effort.cpu_us, 40000);
    queue->ops->interrupt(queue);
    if (_i)
        site_join();
}
END_TEST

START_TEST(a_session_without_a_server_sleeps)
{
    struct effort effort;

    site_publish(ours);
    site_notify(ours, 1);
    site_sleep_ms(500);
    effort = effort_in(3000);
    fprintf(stderr, "# without a server for 3 s: %lld us CPU, %ld sleeps\n",
            (long long)effort.cpu_us, effort.wakes);
    ck_assert_int_le(effort.wakes, 60 + 3 * WAKES_OF_TOOLS);
    ck_assert_int_le(effort.cpu_us, 150000);
}
END_TEST

/* Who may connect and nothing else: every statement fails. */
START_TEST(a_session_whose_statements_fail_sleeps)
{
    struct postgres_session *theirs;
    struct effort effort;

    site_do(pg, "DROP ROLE IF EXISTS taskcore_session_stranger");
    site_do(pg, "CREATE ROLE taskcore_session_stranger");
    theirs = site_open(site_url("options=-c%20role%3Dtaskcore_session_stranger"));
    ck_assert(!site_receive(theirs, 300));
    site_publish(theirs);
    effort = effort_in(3000);
    ck_assert_int_le(effort.wakes, 100 + 3 * WAKES_OF_TOOLS);
    ck_assert_int_le(effort.cpu_us, 200000);
    ck_assert_int_gt(postgres_session_incarnation(theirs), 0);
    postgres_session_close(theirs);
    site_do(pg, "DROP ROLE taskcore_session_stranger");
}
END_TEST

static TCase *new_case(Suite *suite, const char *name, void (*open)(void),
                       void (*close_it)(void))
{
    TCase *tcase = tcase_create(name);

    tcase_set_timeout(tcase, 60);
    if (open)
        tcase_add_checked_fixture(tcase, open, close_it);
    suite_add_tcase(suite, tcase);
    return tcase;
}

int main(void)
{
    Suite *suite = suite_create("postgres session with nothing to do or no server");
    TCase *idle = new_case(suite, "idle", open_one, close_one);
    TCase *absent = new_case(suite, "no server", open_absent, close_without_server);
    TCase *hung = new_case(suite, "hung server", open_hung, close_without_server);

    tcase_add_loop_test(idle, an_idle_session_sleeps, 0, 2);
    tcase_add_test(idle, a_session_whose_statements_fail_sleeps);
    tcase_add_test(absent, without_a_server_a_receive_and_a_wait_end_in_their_time);
    tcase_add_test(absent, without_a_server_this_process_is_still_woken);
    tcase_add_test(absent, a_session_without_a_server_sleeps);
    tcase_add_test(hung, without_a_server_a_receive_and_a_wait_end_in_their_time);
    tcase_add_test(hung, without_a_server_this_process_is_still_woken);
    tcase_add_test(hung, a_session_without_a_server_sleeps);
    return postgres_server_run(suite);
}
