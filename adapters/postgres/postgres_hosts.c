/* The order of several hosts in one URL. libpq tries them one after another, but it has no
 * limit of time for each, so one that swallows packets would use up all of ours, every time.
 * Whoever was too slow is therefore asked last the next time. */

#include "adapters/postgres/postgres_wire.h"

#include <stdlib.h>
#include <string.h>

static const char *value_of(const PQconninfoOption *options, const char *keyword)
{
    for (; options->keyword; options++) {
        if (strcmp(options->keyword, keyword) == 0)
            return options->val;
    }
    return NULL;
}

static size_t count_items(const char *list)
{
    size_t count = 1;

    for (; *list; list++)
        count += *list == ',';
    return count;
}

/* "a,b,c" by 1: "b,c,a". malloc'ed. */
static char *rotate(const char *list, size_t by)
{
    size_t len = strlen(list);
    const char *first = list;
    char *rotated = malloc(len + 1);

    for (; by > 0; by--)
        first = strchr(first, ',') + 1;
    if (!rotated || first == list)
        return rotated ? memcpy(rotated, list, len + 1) : NULL;

    size_t tail_len = len - (size_t)(first - list);

    memcpy(rotated, first, tail_len);
    rotated[tail_len] = ',';
    memcpy(rotated + tail_len + 1, list, len - tail_len - 1);
    rotated[len] = '\0';
    return rotated;
}

/* A list that counts for all hosts has one item, and stays. */
static char *turn(const PQconninfoOption *options, const char *keyword, size_t count,
                  size_t first)
{
    const char *list = value_of(options, keyword);

    return list && count_items(list) == count ? rotate(list, first) : NULL;
}

void postgres_order_hosts(const char *url, size_t first, struct postgres_hosts *ret_hosts)
{
    PQconninfoOption *options = first ? PQconninfoParse(url, NULL) : NULL;

    *ret_hosts = (struct postgres_hosts){ NULL, NULL, NULL };
    if (!options)
        return; /* as they stand in the URL */

    const char *addresses = value_of(options, "hostaddr");
    const char *hosts = addresses ? addresses : value_of(options, "host");
    size_t count = hosts ? count_items(hosts) : 1;

    if (count > 1) {
        ret_hosts->host = turn(options, "host", count, first % count);
        ret_hosts->hostaddr = turn(options, "hostaddr", count, first % count);
        ret_hosts->port = turn(options, "port", count, first % count);
    }
    PQconninfoFree(options);
}

void postgres_release_hosts(struct postgres_hosts *hosts)
{
    free(hosts->host);
    free(hosts->hostaddr);
    free(hosts->port);
}
