#include "adapters/http/http_lessee_group.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

bool http_lessee_init(struct http_lessee *lessee)
{
    pthread_condattr_t attributes;
    bool good;

    if (pthread_condattr_init(&attributes) != 0)
        return false;
    good = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0 &&
           pthread_cond_init(&lessee->call, &attributes) == 0;
    pthread_condattr_destroy(&attributes);
    return good;
}

void http_lessee_release(struct http_lessee *lessee)
{
    pthread_cond_destroy(&lessee->call);
}

/* --- wishes */

static uint64_t add_to_sum(uint64_t sum, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        for (const char *at = names[i];; at++) {
            sum = (sum ^ (unsigned char)*at) * UINT64_C(0x100000001b3);
            if (*at == '\0')
                break;
        }
    return (sum ^ count) * UINT64_C(0x100000001b3);
}

static uint64_t sum_of(const struct http_lessee_wish *wish)
{
    uint64_t sum = add_to_sum(UINT64_C(0xcbf29ce484222325), wish->queues, wish->queue_count);

    return add_to_sum(sum, wish->types, wish->type_count);
}

static bool are_same(const char *const *a, size_t a_count, const char *const *b, size_t b_count)
{
    if (a_count != b_count)
        return false;
    for (size_t i = 0; i < a_count; i++)
        if (strcmp(a[i], b[i]) != 0)
            return false;
    return true;
}

static size_t size_of(const char *const *names, size_t count)
{
    size_t size = count * sizeof(*names);

    for (size_t i = 0; i < count; i++)
        size += strlen(names[i]) + 1;
    return size;
}

/* Copy the names to `*text`, which moves on, and where they are to `places`. */
static const char *const *copy_names(const char *const *names, size_t count,
                                     const char **places, char **text)
{
    for (size_t i = 0; i < count; i++) {
        size_t size = strlen(names[i]) + 1;

        places[i] = memcpy(*text, names[i], size);
        *text += size;
    }
    return places;
}

struct http_lessee_group *http_lessee_group_new(const struct http_lessee_wish *wish)
{
    size_t count = wish->queue_count + wish->type_count;
    struct http_lessee_group *group =
        malloc(sizeof(*group) + size_of(wish->queues, wish->queue_count) +
               size_of(wish->types, wish->type_count));

    if (!group)
        return NULL;

    const char **places = (const char **)(group + 1);
    char *text = (char *)(places + count);

    *group = (struct http_lessee_group){ .sum = sum_of(wish), .wish = *wish };
    group->wish.queues = copy_names(wish->queues, wish->queue_count, places, &text);
    group->wish.types =
        copy_names(wish->types, wish->type_count, places + wish->queue_count, &text);
    return group;
}

void http_lessee_group_free(struct http_lessee_group *group)
{
    free(group);
}

struct http_lessee_group *http_lessee_group_find(struct http_lessee_group *groups,
                                                 const struct http_lessee_wish *wish)
{
    uint64_t sum = sum_of(wish);

    for (struct http_lessee_group *group = groups; group; group = group->next) {
        const struct http_lessee_wish *have = &group->wish;

        if (group->sum == sum &&
            are_same(have->queues, have->queue_count, wish->queues, wish->queue_count) &&
            are_same(have->types, have->type_count, wish->types, wish->type_count))
            return group;
    }
    return NULL;
}

static bool is_among(const char *const *names, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

bool http_lessee_group_wants(const struct http_lessee_group *group, const char *queue,
                             const char *type)
{
    const struct http_lessee_wish *wish = &group->wish;

    return is_among(wish->queues, wish->queue_count, queue) &&
           (wish->type_count == 0 || is_among(wish->types, wish->type_count, type));
}

/* --- the line */

void http_lessee_group_join(struct http_lessee_group *group, struct http_lessee *lessee)
{
    lessee->next = NULL;
    lessee->before = group->last;
    if (group->last)
        group->last->next = lessee;
    else
        group->first = lessee;
    group->last = lessee;
}

void http_lessee_group_leave(struct http_lessee_group *group, struct http_lessee *lessee)
{
    if (lessee->before)
        lessee->before->next = lessee->next;
    else
        group->first = lessee->next;
    if (lessee->next)
        lessee->next->before = lessee->before;
    else
        group->last = lessee->before;
}
