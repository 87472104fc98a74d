#include "adapters/kafka/kafka_link.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define WINDOW_MS 10000
#define LINES_MAX 10
#define LINE_SIZE 512

#define TELL_AGAIN_MS 60000 /* of hints that are dropped though a broker answers */

struct kafka_link *kafka_link_new(struct tc_logger *logger)
{
    struct kafka_link *link = calloc(1, sizeof(*link));

    if (!link)
        return NULL;
    link->logger = logger;
    atomic_init(&link->refs, 1);
    if (kafka_wait_init(&link->mutex, &link->buried))
        return link;
    free(link);
    return NULL;
}

struct kafka_link *kafka_link_ref(struct kafka_link *link)
{
    atomic_fetch_add(&link->refs, 1);
    return link;
}

void kafka_link_unref(struct kafka_link *link)
{
    if (!link || atomic_fetch_sub(&link->refs, 1) != 1)
        return;
    pthread_cond_destroy(&link->buried);
    pthread_mutex_destroy(&link->mutex);
    free(link);
}

void kafka_link_mute(struct kafka_link *link)
{
    pthread_mutex_lock(&link->mutex);
    link->logger = NULL;
    pthread_mutex_unlock(&link->mutex);
}

void kafka_link_log(struct kafka_link *link, enum tc_log_level level, const char *fmt, ...)
{
    char line[LINE_SIZE];
    va_list args;

    va_start(args, fmt);
    vsnprintf(line, sizeof(line), fmt, args);
    va_end(args);
    pthread_mutex_lock(&link->mutex);
    tc_log(link->logger, level, NULL, "%s", line);
    pthread_mutex_unlock(&link->mutex);
}

/* Under the mutex. @return whether one more line may be written. */
static bool may_speak(struct kafka_link *link)
{
    int64_t now_ms = kafka_tick_ms();

    if (now_ms - link->window_ms >= WINDOW_MS) {
        if (link->left_out > 0)
            tc_log(link->logger, TC_LOG_WARN, NULL, "kafka: %u more such lines were left out",
                   link->left_out);
        link->window_ms = now_ms;
        link->lines = link->left_out = 0;
    }
    if (link->lines < LINES_MAX) {
        link->lines++;
        return true;
    }
    link->left_out++;
    return false;
}

void kafka_link_log_some(struct kafka_link *link, enum tc_log_level level, const char *fmt, ...)
{
    char line[LINE_SIZE];
    va_list args;

    va_start(args, fmt);
    vsnprintf(line, sizeof(line), fmt, args);
    va_end(args);
    pthread_mutex_lock(&link->mutex);
    if (link->logger && level >= link->logger->threshold && may_speak(link))
        tc_log(link->logger, level, NULL, "%s", line);
    pthread_mutex_unlock(&link->mutex);
}

/* Under the mutex: the outage, or the trouble with some hints, is over. */
static void tell_return(struct kafka_link *link, int64_t now_ms)
{
    uint64_t dropped = atomic_load(&link->dropped) - link->dropped_before;

    if (atomic_load(&link->state) == KAFKA_LINK_AWAY)
        tc_log(link->logger, TC_LOG_INFO, NULL,
               "kafka: a broker answers again after %" PRId64 " ms; %" PRIu64
               " hints were dropped",
               now_ms - link->away_ms, dropped);
    link->dropped_before += dropped;
    link->told_ms = 0;
}

void kafka_link_good(struct kafka_link *link)
{
    int64_t now_ms = kafka_tick_ms();

    atomic_store(&link->good_ms, now_ms);
    if (atomic_load(&link->state) == KAFKA_LINK_HERE)
        return;
    pthread_mutex_lock(&link->mutex);
    tell_return(link, now_ms);
    atomic_store(&link->state, KAFKA_LINK_HERE);
    pthread_mutex_unlock(&link->mutex);
}

void kafka_link_away(struct kafka_link *link, const char *why)
{
    pthread_mutex_lock(&link->mutex);
    if (atomic_exchange(&link->state, KAFKA_LINK_AWAY) != KAFKA_LINK_AWAY) {
        link->away_ms = kafka_tick_ms();
        tc_log(link->logger, TC_LOG_WARN, NULL,
               "kafka: no broker answers (%s); workers look into the store meanwhile", why);
    }
    pthread_mutex_unlock(&link->mutex);
}

void kafka_link_drop(struct kafka_link *link, const char *why)
{
    atomic_fetch_add(&link->dropped, 1);
    pthread_mutex_lock(&link->mutex);
    if (link->told_ms == 0 || kafka_tick_ms() - link->told_ms >= TELL_AGAIN_MS) {
        link->told_ms = kafka_tick_ms();
        tc_log(link->logger, TC_LOG_WARN, NULL,
               "kafka: hints are dropped (%s); they will be announced again", why);
    }
    pthread_mutex_unlock(&link->mutex);
}

void kafka_link_bury(struct kafka_link *link)
{
    pthread_mutex_lock(&link->mutex);
    link->burials++;
    pthread_mutex_unlock(&link->mutex);
}

void kafka_link_buried(struct kafka_link *link)
{
    pthread_mutex_lock(&link->mutex);
    link->burials--;
    pthread_cond_broadcast(&link->buried);
    pthread_mutex_unlock(&link->mutex);
}

bool kafka_link_await_burials(struct kafka_link *link, int64_t end_ms)
{
    struct timespec end = kafka_wait_timespec(end_ms);
    int over = 0;

    pthread_mutex_lock(&link->mutex);
    while (link->burials > 0 && over == 0)
        over = pthread_cond_timedwait(&link->buried, &link->mutex, &end);

    bool none = link->burials == 0;

    pthread_mutex_unlock(&link->mutex);
    return none;
}
