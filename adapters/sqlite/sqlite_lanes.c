/* Which lanes (queue, type) have waiting tasks that a claim may take. The index is skipped
 * through: one probe per lane or per gap, so a million tasks of a type that nobody asked for
 * cost as much as one. */

#include "adapters/sqlite/sqlite_internal.h"

#include <stdlib.h>
#include <string.h>

/* --- what the claim wants, as sorted names; none: everything --- */

struct names {
    const char **items;
    size_t count;
};

static int compare_names(const void *a, const void *b)
{
    const char *const *first = a;
    const char *const *second = b;

    return strcmp(*first, *second);
}

static bool names_init(struct names *names, const char *const *given, size_t count)
{
    *names = (struct names){ .count = count };
    if (count == 0)
        return true;
    names->items = malloc(count * sizeof(*names->items));
    if (!names->items)
        return false;
    memcpy(names->items, given, count * sizeof(*names->items));
    qsort(names->items, count, sizeof(*names->items), compare_names);
    return true;
}

/* The first wanted name that is not before `name`; NULL: none. */
static const char *names_from(const struct names *names, const char *name)
{
    size_t low = 0;
    size_t high = names->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (strcmp(names->items[middle], name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < names->count ? names->items[low] : NULL;
}

/* --- a cursor over (queue, type) --- */

/* Room for a name and for the text right behind a name. */
#define BOUND_SIZE (TC_NAME_MAX + 2)

struct cursor {
    struct sqlite_store *store;
    struct names queues;
    struct names types;
    char queue[BOUND_SIZE]; /* the lane sought is not before (queue, type) */
    char type[BOUND_SIZE];
};

static void set(char *bound, const char *name)
{
    memcpy(bound, name, strlen(name) + 1);
}

/* No name lies between `name` and this: names have no character below '-'. */
static void set_behind(char *bound, const char *name)
{
    size_t len = strlen(name);

    memcpy(bound, name, len);
    bound[len] = '\x01';
    bound[len + 1] = '\0';
}

enum seek {
    LANE_FOUND,
    LANE_GAP, /* the cursor was moved over a gap: ask again */
    LANE_NONE,
};

/* Is the lane wanted? If not, move the cursor to where the next wanted one may be. */
static enum seek sift(struct cursor *cursor, const struct sqlite_lane *lane)
{
    const char *queue = lane->queue;

    if (cursor->queues.count > 0)
        queue = names_from(&cursor->queues, lane->queue);
    if (!queue)
        return LANE_NONE;
    if (strcmp(queue, lane->queue) != 0) {
        set(cursor->queue, queue);
        set(cursor->type, "");
        return LANE_GAP;
    }
    if (cursor->types.count == 0)
        return LANE_FOUND;

    const char *type = names_from(&cursor->types, lane->type);

    if (type && strcmp(type, lane->type) == 0)
        return LANE_FOUND;
    if (type) {
        set(cursor->queue, lane->queue);
        set(cursor->type, type);
    } else {
        set_behind(cursor->queue, lane->queue);
        set(cursor->type, "");
    }
    return LANE_GAP;
}

static enum tc_code probe(struct cursor *cursor, struct sqlite_lane_head *ret_head,
                          bool *ret_found, struct tc_error *err)
{
    AUTO_QUERY query = sqlite_query(&cursor->store->writer, SQLITE_READY_FROM_STATEMENT);
    struct sqlite_lane *lane = &ret_head->lane;

    query_bind_text(&query, 1, cursor->queue);
    query_bind_text(&query, 2, cursor->type);
    *ret_found = query_next(&query);
    if (query_is_bad(&query))
        return sqlite_fail(&cursor->store->writer, "look for waiting tasks", err);
    if (!*ret_found)
        return TC_OK;
    if (!query_copy_text(&query, 0, lane->queue, sizeof(lane->queue)) ||
        !query_copy_text(&query, 1, lane->type, sizeof(lane->type)))
        return tc_fail(err, TC_INTERNAL, "sqlite: a ready group is malformed");
    lane->rank = (int)query_int(&query, 2);
    ret_head->seq = query_int(&query, 3);
    return TC_OK;
}

/* The next wanted lane from the cursor on; moves the cursor behind it. */
static enum tc_code next_lane(struct cursor *cursor, struct sqlite_lane_head *ret_head,
                              bool *ret_found, struct tc_error *err)
{
    enum seek seek = LANE_GAP;

    while (seek == LANE_GAP) {
        enum tc_code code = probe(cursor, ret_head, ret_found, err);

        if (code != TC_OK || !*ret_found)
            return code;
        seek = sift(cursor, &ret_head->lane);
    }
    *ret_found = seek == LANE_FOUND;
    if (*ret_found) {
        set(cursor->queue, ret_head->lane.queue);
        set_behind(cursor->type, ret_head->lane.type);
    }
    return TC_OK;
}

/* --- collecting --- */

static bool add(struct sqlite_lanes *lanes, const struct sqlite_lane_head *head)
{
    if (lanes->count == lanes->capacity) {
        size_t capacity = lanes->capacity ? 2 * lanes->capacity : 8;
        struct sqlite_lane_head *heads =
            realloc(lanes->heads, capacity * sizeof(*lanes->heads));

        if (!heads)
            return false;
        lanes->heads = heads;
        lanes->capacity = capacity;
    }
    lanes->heads[lanes->count++] = *head;
    return true;
}

struct limits {
    size_t queues_left;
    const char *last; /* stop behind this queue; NULL: at the end */
};

static bool is_new_queue(const struct sqlite_lanes *lanes, const char *queue)
{
    return lanes->count == 0 || strcmp(lanes->heads[lanes->count - 1].lane.queue, queue) != 0;
}

static enum tc_code collect(struct cursor *cursor, struct limits *limits,
                            struct sqlite_lanes *lanes, struct tc_error *err)
{
    for (;;) {
        struct sqlite_lane_head head;
        bool found = false;
        enum tc_code code = next_lane(cursor, &head, &found, err);

        if (code != TC_OK || !found ||
            (limits->last && strcmp(head.lane.queue, limits->last) > 0))
            return code;
        if (is_new_queue(lanes, head.lane.queue) && limits->queues_left-- == 0) {
            limits->queues_left = 0;
            return TC_OK;
        }
        if (!add(lanes, &head))
            return tc_fail(err, TC_NO_MEMORY, "sqlite: %zu lanes", lanes->count);
    }
}

static enum tc_code find(struct cursor *cursor, size_t max, struct sqlite_lanes *lanes,
                         struct tc_error *err)
{
    struct limits limits = { .queues_left = max };
    enum tc_code code;

    set_behind(cursor->queue, cursor->store->last_queue);
    set(cursor->type, "");
    code = collect(cursor, &limits, lanes, err);
    if (code != TC_OK || limits.queues_left == 0 || !cursor->store->last_queue[0])
        return code;

    /* Round to those up to and with the queue served last. */
    limits.last = cursor->store->last_queue;
    set(cursor->queue, "");
    set(cursor->type, "");
    return collect(cursor, &limits, lanes, err);
}

enum tc_code sqlite_lanes_find(struct sqlite_store *store, const struct tc_claim *claim,
                               struct sqlite_lanes *ret_lanes, struct tc_error *err)
{
    struct cursor cursor = { .store = store };
    struct sqlite_lanes lanes = { 0 };
    enum tc_code code;

    if (names_init(&cursor.queues, claim->queues, claim->queue_count) &&
        names_init(&cursor.types, claim->types, claim->type_count))
        code = find(&cursor, claim->max, &lanes, err);
    else
        code = tc_fail(err, TC_NO_MEMORY, "sqlite: the names of a claim");
    free(cursor.queues.items);
    free(cursor.types.items);
    if (code != TC_OK)
        free(lanes.heads);
    else
        *ret_lanes = lanes;
    return code;
}

enum tc_code sqlite_lanes_advance(struct sqlite_store *store, struct sqlite_lane_head *head,
                                  struct tc_error *err)
{
    AUTO_QUERY query = sqlite_query(&store->writer, SQLITE_READY_BEHIND_STATEMENT);

    query_bind_text(&query, 1, head->lane.queue);
    query_bind_text(&query, 2, head->lane.type);
    query_bind_int(&query, 3, head->lane.rank);
    query_bind_int(&query, 4, head->seq);
    head->seq = 0;
    if (query_next(&query)) {
        head->lane.rank = (int)query_int(&query, 0);
        head->seq = query_int(&query, 1);
    }
    return query_is_bad(&query) ? sqlite_fail(&store->writer, "look for waiting tasks", err)
                                : TC_OK;
}
