#include "adapters/postgres/postgres_lanes.h"

#include "adapters/postgres/postgres_deaths.h"
#include "adapters/postgres/postgres_places.h"
#include "adapters/postgres/postgres_plan.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SEARCH_EVERY_US 10000 /* while claims are full */
#define SEARCH_LONG_US  5000  /* from here on short claims do without, too */
#define SEARCH_SHARE    20    /* searching takes at most one part of this many */
#define JAM_US          5000000
#define SEARCHES        4 /* the shortest of so many counts: a machine may be busy */

struct postgres_lanes {
    pthread_mutex_t mutex;
    struct postgres_known items[POSTGRES_LANES_MAX]; /* by queue, type, rank */
    size_t count;
    struct postgres_known fresh[POSTGRES_LANES_MAX];          /* room for a new list */
    const struct postgres_known *fitting[POSTGRES_LANES_MAX]; /* room for a plan */
    uint64_t turn;
    uint64_t search; /* how many there were */
    int64_t searched_us;
    int64_t took_us[SEARCHES];
    uint64_t touches;
    uint64_t touches_seen;     /* by the last search */
    uint64_t scope;            /* of it */
    struct postgres_lane from; /* behind this the next one begins */
    int64_t jammed_us;         /* until then */
    struct postgres_deaths *deaths;
    struct postgres_places *places;
};

static const struct postgres_lane nowhere = { .rank = -1 }; /* before all lanes */

int64_t postgres_lanes_tick_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

enum tc_code postgres_lanes_new(struct postgres_lanes **ret_lanes, struct tc_error *err)
{
    struct postgres_lanes *lanes = calloc(1, sizeof(*lanes));

    if (!lanes)
        return tc_fail(err, TC_NO_MEMORY, "postgres: what claims remember");
    pthread_mutex_init(&lanes->mutex, NULL);
    lanes->from = nowhere;
    lanes->deaths = postgres_deaths_new();
    lanes->places = postgres_places_new();
    if (!lanes->deaths || !lanes->places) {
        postgres_lanes_free(lanes);
        return tc_fail(err, TC_NO_MEMORY, "postgres: what claims remember");
    }
    *ret_lanes = lanes;
    return TC_OK;
}

void postgres_lanes_free(struct postgres_lanes *lanes)
{
    if (!lanes)
        return;
    postgres_deaths_free(lanes->deaths);
    postgres_places_free(lanes->places);
    pthread_mutex_destroy(&lanes->mutex);
    free(lanes);
}

struct postgres_deaths *postgres_lanes_deaths(struct postgres_lanes *lanes)
{
    return lanes->deaths;
}

struct postgres_places *postgres_lanes_places(struct postgres_lanes *lanes)
{
    return lanes->places;
}

uint64_t postgres_lanes_turn(struct postgres_lanes *lanes)
{
    pthread_mutex_lock(&lanes->mutex);

    uint64_t turn = lanes->turn++;

    pthread_mutex_unlock(&lanes->mutex);
    return turn;
}

/* --- choosing --- */

static size_t find_fitting(struct postgres_lanes *lanes, const struct postgres_names *queues,
                           const struct postgres_names *types, bool dry)
{
    size_t count = 0;

    for (size_t i = 0; i < lanes->count; i++) {
        const struct postgres_known *lane = &lanes->items[i];

        if ((dry || !lane->dry) && postgres_names_have(queues, lane->key.queue) &&
            postgres_names_have(types, lane->key.type))
            lanes->fitting[count++] = lane;
    }
    return count;
}

enum tc_code postgres_lanes_plan(struct postgres_lanes *lanes, const struct tc_claim *claim,
                                 size_t wanted, uint64_t turn, bool dry,
                                 struct postgres_plan *ret_plan, struct tc_error *err)
{
    struct postgres_names queues = { 0 };
    struct postgres_names types = { 0 };
    enum tc_code code = TC_OK;

    ret_plan->count = 0;
    if (!postgres_names_sort(claim->queues, claim->queue_count, &queues) ||
        !postgres_names_sort(claim->types, claim->type_count, &types)) {
        code = tc_fail(err, TC_NO_MEMORY, "postgres: a claim of %zu types", claim->type_count);
    } else {
        pthread_mutex_lock(&lanes->mutex);
        ret_plan->search = lanes->search;
        postgres_plan_share(lanes->fitting, find_fitting(lanes, &queues, &types, dry), wanted,
                            turn, ret_plan);
        pthread_mutex_unlock(&lanes->mutex);
    }
    postgres_names_release(&queues);
    postgres_names_release(&types);
    return code;
}

/* --- learning --- */

static int compare_keys(const struct postgres_lane *a, const struct postgres_lane *b)
{
    int order = strcmp(a->queue, b->queue);

    if (order == 0)
        order = strcmp(a->type, b->type);
    return order ? order : a->rank - b->rank;
}

static int compare_lanes(const void *a, const void *b)
{
    return compare_keys(&((const struct postgres_known *)a)->key,
                        &((const struct postgres_known *)b)->key);
}

static struct postgres_known *find(struct postgres_lanes *lanes,
                                   const struct postgres_lane *key)
{
    const struct postgres_known wanted = { .key = *key };

    return bsearch(&wanted, lanes->items, lanes->count, sizeof(*lanes->items), compare_lanes);
}

void postgres_lanes_note(struct postgres_lanes *lanes, const struct postgres_plan *plan,
                         size_t index, const struct postgres_probed *probed)
{
    const struct postgres_probe *probe = &plan->probes[index];

    pthread_mutex_lock(&lanes->mutex);

    struct postgres_known *lane = find(lanes, &probe->lane);

    if (lane) {
        lane->deep = probed->rows >= probe->rows;
        if (probed->rows > 0)
            lane->size =
                (3 * lane->size + probed->ids * POSTGRES_SIZE_SCALE / probed->rows) / 4;
        if (lane->size < POSTGRES_SIZE_SCALE)
            lane->size = POSTGRES_SIZE_SCALE;
        if (probed->taken_to > lane->key.seq)
            lane->key.seq = probed->taken_to;
        lane->head = probed->left_at ? probed->left_at : lane->key.seq + 1;
        if (plan->search == lanes->search) /* else newer is known */
            lane->dry = !lane->deep && probed->left_at == 0;
    }
    pthread_mutex_unlock(&lanes->mutex);
}

void postgres_lanes_touch(struct postgres_lanes *lanes)
{
    pthread_mutex_lock(&lanes->mutex);
    lanes->touches++;
    pthread_mutex_unlock(&lanes->mutex);
}

void postgres_lanes_jam(struct postgres_lanes *lanes)
{
    pthread_mutex_lock(&lanes->mutex);
    lanes->jammed_us = postgres_lanes_tick_us() + JAM_US;
    pthread_mutex_unlock(&lanes->mutex);
}

bool postgres_lanes_are_jammed(struct postgres_lanes *lanes)
{
    pthread_mutex_lock(&lanes->mutex);

    bool jammed = postgres_lanes_tick_us() < lanes->jammed_us;

    pthread_mutex_unlock(&lanes->mutex);
    return jammed;
}

static int64_t usual_us(const struct postgres_lanes *lanes)
{
    int64_t us = lanes->took_us[0];

    for (size_t i = 1; i < SEARCHES; i++)
        us = lanes->took_us[i] < us ? lanes->took_us[i] : us;
    return us;
}

/* Searches are quick, or the last one was long ago. */
static bool may_search(const struct postgres_lanes *lanes)
{
    int64_t us = usual_us(lanes);

    return us < SEARCH_LONG_US ||
           postgres_lanes_tick_us() - lanes->searched_us >= SEARCH_SHARE * us;
}

bool postgres_lanes_may_search(struct postgres_lanes *lanes)
{
    pthread_mutex_lock(&lanes->mutex);

    bool may = may_search(lanes);

    pthread_mutex_unlock(&lanes->mutex);
    return may;
}

/* A number for the queues that a claim names; 0: all. */
static uint64_t scope_of(const struct tc_claim *claim)
{
    uint64_t scope = claim->queue_count;

    for (size_t i = 0; i < claim->queue_count; i++)
        for (const char *at = claim->queues[i]; *at; at++)
            scope = (scope ^ (unsigned char)*at) * UINT64_C(1099511628211);
    return scope;
}

bool postgres_lanes_are_old(struct postgres_lanes *lanes, const struct tc_claim *claim)
{
    uint64_t scope = scope_of(claim);

    pthread_mutex_lock(&lanes->mutex);

    int64_t age_us = postgres_lanes_tick_us() - lanes->searched_us;
    bool is_late = age_us >= SEARCH_EVERY_US && age_us >= SEARCH_SHARE * usual_us(lanes);
    bool is_elsewhere = lanes->scope != 0 && lanes->scope != scope;
    bool old =
        (is_late || is_elsewhere || lanes->touches != lanes->touches_seen) && may_search(lanes);

    pthread_mutex_unlock(&lanes->mutex);
    return old;
}

struct postgres_search postgres_lanes_begin(struct postgres_lanes *lanes)
{
    pthread_mutex_lock(&lanes->mutex);

    struct postgres_search search = { lanes->from, postgres_lanes_tick_us(), lanes->touches };

    pthread_mutex_unlock(&lanes->mutex);
    return search;
}

/* What the search did not ask for stays as it was known. */
static bool is_searched(const struct tc_claim *claim, const struct postgres_known *lane)
{
    for (size_t i = 0; i < claim->queue_count; i++)
        if (strcmp(claim->queues[i], lane->key.queue) == 0)
            return true;
    return claim->queue_count == 0;
}

static struct postgres_known make_lane(struct postgres_lanes *lanes,
                                       const struct postgres_lane *found)
{
    const struct postgres_known *known = find(lanes, found);
    struct postgres_known lane = { .key = *found,
                                   .head = found->seq,
                                   .size = (int64_t)(found->ids > 0 ? found->ids : 1) *
                                           POSTGRES_SIZE_SCALE };

    lane.key.seq = found->seq - 1;
    if (known) {
        lane.size = known->size;
        lane.deep = known->deep;
    }
    return lane;
}

void postgres_lanes_learn(struct postgres_lanes *lanes, const struct tc_claim *claim,
                          const struct postgres_search *search,
                          const struct postgres_lane *found, size_t count)
{
    size_t fresh = 0;

    pthread_mutex_lock(&lanes->mutex);
    for (size_t i = 0; i < count && fresh < POSTGRES_LANES_MAX; i++)
        lanes->fresh[fresh++] = make_lane(lanes, &found[i]);
    for (size_t i = 0; i < lanes->count && fresh < POSTGRES_LANES_MAX; i++)
        if (!is_searched(claim, &lanes->items[i]))
            lanes->fresh[fresh++] = lanes->items[i];
    memcpy(lanes->items, lanes->fresh, fresh * sizeof(*lanes->items));
    lanes->count = fresh;
    qsort(lanes->items, fresh, sizeof(*lanes->items), compare_lanes);
    lanes->searched_us = postgres_lanes_tick_us();
    lanes->took_us[lanes->search++ % SEARCHES] = lanes->searched_us - search->began_us;
    lanes->scope = scope_of(claim);
    lanes->from = count < POSTGRES_LANES_MAX ? nowhere : found[count - 1];
    if (lanes->touches_seen < search->touches)
        lanes->touches_seen = search->touches;
    pthread_mutex_unlock(&lanes->mutex);
}
