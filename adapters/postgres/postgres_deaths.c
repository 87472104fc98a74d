#include "adapters/postgres/postgres_deaths.h"

#include <pthread.h>
#include <stdlib.h>

struct missed {
    int64_t incarnation;
    int64_t since_ms;
};

struct postgres_deaths {
    pthread_mutex_t mutex;
    int64_t session;
    struct missed items[POSTGRES_DEATHS_MAX];
    size_t count;
};

struct postgres_deaths *postgres_deaths_new(void)
{
    struct postgres_deaths *deaths = calloc(1, sizeof(*deaths));

    if (deaths)
        pthread_mutex_init(&deaths->mutex, NULL);
    return deaths;
}

void postgres_deaths_free(struct postgres_deaths *deaths)
{
    if (!deaths)
        return;
    pthread_mutex_destroy(&deaths->mutex);
    free(deaths);
}

static int64_t since(const struct postgres_deaths *deaths, int64_t incarnation, int64_t tick_ms)
{
    for (size_t i = 0; i < deaths->count; i++)
        if (deaths->items[i].incarnation == incarnation)
            return deaths->items[i].since_ms;
    return tick_ms;
}

size_t postgres_deaths_note(struct postgres_deaths *deaths, int64_t tick_ms, int64_t session,
                            const int64_t *missing, size_t count, int64_t *ret_gone)
{
    struct missed now[POSTGRES_DEATHS_MAX];
    size_t gone = 0;

    if (count > POSTGRES_DEATHS_MAX) /* the others when these are through */
        count = POSTGRES_DEATHS_MAX;
    pthread_mutex_lock(&deaths->mutex);
    if (session != deaths->session)
        deaths->count = 0;
    deaths->session = session;
    for (size_t i = 0; i < count; i++) {
        now[i] = (struct missed){ missing[i], since(deaths, missing[i], tick_ms) };
        if (tick_ms - now[i].since_ms >= POSTGRES_DEATH_MS)
            ret_gone[gone++] = missing[i];
    }
    for (deaths->count = 0; deaths->count < count; deaths->count++)
        deaths->items[deaths->count] = now[deaths->count];
    pthread_mutex_unlock(&deaths->mutex);
    return gone;
}
