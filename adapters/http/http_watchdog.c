#include "adapters/http/http_watchdog.h"

#include <sys/socket.h>
#include <time.h>

#define TICK_MAX_MS   500
#define TICK_MIN_MS   10
#define STOP_TICK_MS  10
#define PRESS_TICK_MS 20
#define SECOND_CUT_MS 1000 /**< a reader that was cut and does not end is cut for good */

/**
 * Shut a socket down, under the lock. Reading only, at first: data that has arrived is still
 * read, so a request that crossed the cut on its way is answered, and a late one can be
 * told so.
 */
static void cut(struct http_slot *slot, int how, int64_t now_ms)
{
    if (slot->fd < 0)
        return;
    atomic_store(&slot->cut, true);
    atomic_store(&slot->deadline_ms, now_ms + SECOND_CUT_MS);
    shutdown(slot->fd, how);
}

static void cut_late(struct http_slot *slot, int64_t now_ms)
{
    int phase = atomic_load_explicit(&slot->phase, memory_order_acquire);

    if (atomic_load(&slot->deadline_ms) > now_ms || phase == HTTP_FREE || phase == HTTP_ROUTE)
        return;
    bool again = phase == HTTP_WRITE || atomic_load(&slot->cut);

    cut(slot, again ? SHUT_RDWR : SHUT_RD, now_ms);
}

static bool has_late(const struct http_connections *table, int64_t now_ms)
{
    for (int i = 0; i < table->slot_count; i++) {
        const struct http_slot *slot = &table->slots[i];
        int phase = atomic_load_explicit(&slot->phase, memory_order_acquire);

        if (phase != HTTP_FREE && phase != HTTP_ROUTE &&
            atomic_load(&slot->deadline_ms) <= now_ms)
            return true;
    }
    return false;
}

/** Who may be cut to make room. */
struct choice {
    int64_t now_ms;
    int64_t idle_ms; /**< idle for so long */
    int64_t slow_ms; /**< or sending a body for so long, at less than 1 KiB/s */
};

/** How dispensable a connection is; 0: it stays. */
static int rank_of(const struct http_connections *table, const struct http_slot *slot,
                   const struct choice *choice)
{
    int phase = atomic_load(&slot->phase);
    int64_t age_ms = choice->now_ms - atomic_load(&slot->since_ms);
    int64_t earned_ms = atomic_load(&slot->deadline_ms) - atomic_load(&slot->since_ms) -
                        table->request_ms; /* a second for every KiB of the body so far */

    if (slot->fd < 0 || atomic_load(&slot->cut))
        return 0;
    if (phase == HTTP_HEAD && age_ms >= choice->idle_ms)
        return atomic_load(&slot->served) == 0 ? 3 : 2;
    if (phase == HTTP_BODY && age_ms >= choice->slow_ms && earned_ms < age_ms)
        return 1;
    return 0;
}

/** The most dispensable connection: silent, then idle, then slow ones; the longest so first. */
static struct http_slot *most_dispensable(struct http_connections *table,
                                          const struct choice *choice)
{
    struct http_slot *found = NULL;
    int found_rank = 0;

    for (int i = 0; i < table->slot_count; i++) {
        struct http_slot *slot = &table->slots[i];
        int rank = rank_of(table, slot, choice);

        if (rank &&
            (rank > found_rank || (rank == found_rank && atomic_load(&slot->since_ms) <
                                                             atomic_load(&found->since_ms)))) {
            found = slot;
            found_rank = rank;
        }
    }
    return found;
}

static int being_cut(const struct http_connections *table)
{
    int count = 0;

    for (int i = 0; i < table->slot_count; i++)
        count += atomic_load(&table->slots[i].phase) != HTTP_FREE &&
                 atomic_load(&table->slots[i].cut);
    return count;
}

/** The fewer places there are, the less patience. */
static struct choice choose(const struct http_connections *table, int64_t now_ms)
{
    int open = atomic_load(&table->open);

    if (open >= table->slot_count) /* nobody is left to say 503 */
        return (struct choice){ now_ms, 100, 250 };
    if (open > table->bound)
        return (struct choice){ now_ms, 250, 1000 };
    return (struct choice){ now_ms, 1000, INT64_MAX };
}

int http_watchdog_make_room(struct http_connections *table, int64_t now_ms)
{
    struct choice choice = choose(table, now_ms);
    int remain = atomic_load(&table->open) - being_cut(table);

    if (remain > http_connections_room(table))
        http_connections_find(table);
    while (remain > http_connections_room(table)) {
        struct http_slot *slot = most_dispensable(table, &choice);

        if (!slot)
            break;
        cut(slot, SHUT_RD, now_ms);
        remain--;
    }
    return remain;
}

/** What is idle ends; with `is_cutting`, what reads or writes as well. */
static void cut_for_stop(struct http_watchdog *watchdog, int64_t now_ms)
{
    struct http_connections *table = watchdog->table;

    http_connections_find(table);
    for (int i = 0; i < table->slot_count; i++) {
        struct http_slot *slot = &table->slots[i];
        int phase = atomic_load_explicit(&slot->phase, memory_order_acquire);

        if (watchdog->is_cutting && (phase == HTTP_BODY || phase == HTTP_WRITE))
            cut(slot, SHUT_RDWR, now_ms);
        else if (phase == HTTP_HEAD)
            cut(slot, watchdog->is_cutting ? SHUT_RDWR : SHUT_RD, now_ms);
    }
}

static void look(struct http_watchdog *watchdog, int open)
{
    struct http_connections *table = watchdog->table;
    int64_t now_ms = http_now_ms();

    if (watchdog->is_stopping)
        cut_for_stop(watchdog, now_ms);
    if (has_late(table, now_ms)) {
        http_connections_find(table);
        for (int i = 0; i < table->slot_count; i++)
            cut_late(&table->slots[i], now_ms);
    }
    if (open > http_connections_room(table))
        http_watchdog_make_room(table, now_ms);
}

static int64_t tick_ms(const struct http_watchdog *watchdog, int open)
{
    if (watchdog->is_stopping)
        return STOP_TICK_MS;
    if (open > http_connections_room(watchdog->table) && watchdog->tick_ms > PRESS_TICK_MS)
        return PRESS_TICK_MS;
    return watchdog->tick_ms;
}

static void sleep_until(struct http_connections *table, int64_t until_ms)
{
    struct timespec until = { (time_t)(until_ms / 1000), (long)(until_ms % 1000) * 1000000 };

    pthread_cond_timedwait(&table->changed, &table->lock, &until);
}

static void *watch(void *arg)
{
    struct http_watchdog *watchdog = arg;
    struct http_connections *table = watchdog->table;

    pthread_mutex_lock(&table->lock);
    while (!watchdog->is_done) {
        int open = atomic_load(&table->open);

        if (open || watchdog->is_stopping)
            look(watchdog, open);
        sleep_until(table, http_now_ms() + tick_ms(watchdog, open));
        /* One quiet tick, then sleep for good: short connections shall not wake us each. */
        while (!atomic_load(&table->open) && !watchdog->is_stopping && !watchdog->is_done) {
            table->is_asleep = true;
            pthread_cond_wait(&table->changed, &table->lock);
        }
        table->is_asleep = false;
    }
    pthread_mutex_unlock(&table->lock);
    return NULL;
}

enum tc_code http_watchdog_start(struct http_watchdog *watchdog, struct http_connections *table,
                                 int64_t request_ms, struct tc_error *err)
{
    int64_t tick = request_ms / 10;

    watchdog->table = table;
    watchdog->tick_ms = tick > TICK_MAX_MS   ? TICK_MAX_MS
                        : tick < TICK_MIN_MS ? TICK_MIN_MS
                                             : tick;
    if (pthread_create(&watchdog->thread, NULL, watch, watchdog) != 0)
        return tc_fail(err, TC_NO_MEMORY, "cannot start the thread that watches connections");
    watchdog->is_running = true;
    return TC_OK;
}

static void tell(struct http_watchdog *watchdog, bool *flag)
{
    pthread_mutex_lock(&watchdog->table->lock);
    *flag = true;
    pthread_cond_broadcast(&watchdog->table->changed);
    pthread_mutex_unlock(&watchdog->table->lock);
}

void http_watchdog_begin_stop(struct http_watchdog *watchdog)
{
    if (watchdog->is_running)
        tell(watchdog, &watchdog->is_stopping);
}

void http_watchdog_cut_all(struct http_watchdog *watchdog)
{
    if (watchdog->is_running)
        tell(watchdog, &watchdog->is_cutting);
}

void http_watchdog_stop(struct http_watchdog *watchdog)
{
    if (!watchdog->is_running)
        return;
    tell(watchdog, &watchdog->is_done);
    pthread_join(watchdog->thread, NULL);
    watchdog->is_running = false;
}
