#include "adapters/postgres/postgres_plan.h"

#include <stdlib.h>
#include <string.h>

/* --- names, sorted; none: any */

static int compare_names(const void *a, const void *b)
{
    const char *const *first = a;
    const char *const *second = b;

    return strcmp(*first, *second);
}

bool postgres_names_sort(const char *const *given, size_t count,
                         struct postgres_names *ret_names)
{
    *ret_names = (struct postgres_names){ .count = count };
    if (count == 0)
        return true;
    ret_names->items = malloc(count * sizeof(*ret_names->items));
    if (!ret_names->items)
        return false;
    memcpy(ret_names->items, given, count * sizeof(*ret_names->items));
    qsort(ret_names->items, count, sizeof(*ret_names->items), compare_names);
    return true;
}

bool postgres_names_have(const struct postgres_names *names, const char *name)
{
    return names->count == 0 ||
           bsearch(&name, names->items, names->count, sizeof(*names->items), compare_names);
}

void postgres_names_release(struct postgres_names *names)
{
    free(names->items);
}

/* --- choosing */

/* Within a queue the best rank first, and within that what may be the oldest. */
static int compare_turns(const void *a, const void *b)
{
    const struct postgres_known *first = *(const struct postgres_known *const *)a;
    const struct postgres_known *second = *(const struct postgres_known *const *)b;
    int order = strcmp(first->key.queue, second->key.queue);

    if (order == 0)
        order = first->key.rank - second->key.rank;
    if (order == 0)
        order = (first->head > second->head) - (first->head < second->head);
    return order;
}

static int64_t div_up(int64_t a, int64_t b)
{
    return (a + b - 1) / b;
}

/* One row more than ought to do, for sizes differ. */
static int rows_for(const struct postgres_known *lane, int64_t ids, size_t lane_count)
{
    int64_t rows =
        div_up(div_up(ids * POSTGRES_SIZE_SCALE, lane->size), (int64_t)lane_count) + 1;

    if (rows < 2)
        rows = 2;
    return rows > POSTGRES_ROWS_MAX ? POSTGRES_ROWS_MAX : (int)rows;
}

static size_t count_rank(const struct postgres_known *const *lanes, size_t count, size_t max)
{
    size_t same = 1;

    while (same < count && same < max && lanes[same]->key.rank == lanes[0]->key.rank)
        same++;
    return same;
}

/* Lanes of one queue, rank by rank, until they are likely to have `quota` tasks. */
static void choose(const struct postgres_known *const *lanes, size_t count, size_t max,
                   int quota, struct postgres_plan *plan)
{
    int64_t expected = 0;
    size_t chosen = 0;

    while (chosen < count && chosen < max && expected < quota) {
        size_t same = count_rank(&lanes[chosen], count - chosen, max - chosen);

        for (size_t end = chosen + same; chosen < end; chosen++) {
            const struct postgres_known *lane = lanes[chosen];
            int rows = rows_for(lane, quota, same);

            plan->probes[plan->count++] =
                (struct postgres_probe){ .lane = lane->key, .rows = rows, .quota = quota };
            expected += (lane->deep ? rows : 1) * lane->size / POSTGRES_SIZE_SCALE;
        }
    }
}

static size_t queue_end(const struct postgres_known *const *lanes, size_t count, size_t from)
{
    size_t end = from + 1;

    while (end < count && strcmp(lanes[end]->key.queue, lanes[from]->key.queue) == 0)
        end++;
    return end;
}

static size_t count_queues(const struct postgres_known *const *lanes, size_t count)
{
    size_t queues = 0;

    for (size_t at = 0; at < count; at = queue_end(lanes, count, at))
        queues++;
    return queues;
}

/* Equal shares for all queues, or for those whose turn it is when there are many. */
void postgres_plan_share(const struct postgres_known **lanes, size_t count, size_t wanted,
                         uint64_t turn, struct postgres_plan *plan)
{
    size_t at = 0;

    if (count > 1)
        qsort(lanes, count, sizeof(*lanes), compare_turns);

    size_t queues = count_queues(lanes, count);
    size_t served = queues < POSTGRES_PROBES_MAX ? queues : POSTGRES_PROBES_MAX;

    for (size_t skip = queues ? turn % queues : 0; skip > 0; skip--)
        at = queue_end(lanes, count, at);
    for (size_t left = served; left > 0 && wanted > 0; left--) {
        size_t end = queue_end(lanes, count, at);
        size_t quota = (wanted + left - 1) / left;

        choose(&lanes[at], end - at, POSTGRES_PROBES_MAX / served, (int)quota, plan);
        wanted -= quota;
        at = end < count ? end : 0;
    }
}
