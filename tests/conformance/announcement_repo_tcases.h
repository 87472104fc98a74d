#ifndef TESTS_CONFORMANCE_ANNOUNCEMENT_REPO_TCASES_H
#define TESTS_CONFORMANCE_ANNOUNCEMENT_REPO_TCASES_H

/** @file announcement_repo_tcases.h What the files of the suite share. */

#include "tests/conformance/store_fixture.h"

#define HOLD_MS 10000
#define WAIT_MS 60000

/** What one take() brought. */
struct announced_groups {
    struct tc_announcement groups[TC_ANNOUNCEMENT_GROUPS_MAX];
    size_t count;
    int64_t next_ms;
};

/** Take up to `max` groups for HOLD_MS and check what holds for each. Release them. */
void announce_take(size_t max, struct announced_groups *ret_taken);
void announce_release(struct announced_groups *taken);

/** The queue has them: look again in WAIT_MS. */
void announce_tell(struct announced_groups *taken, bool pending);

/** How many tasks there are in them, or in what can be taken now. */
size_t announce_count(const struct announced_groups *taken);
size_t announce_take_count(void);

/** True when `id` is in one of them. */
bool announce_has(const struct announced_groups *taken, const struct tc_id *id);

/** Every way for a task to begin to wait. */
struct announce_way {
    const char *why;
    struct tc_id (*enter)(void); /**< makes a task, which waits then */
    bool untold;                 /**< nobody else tells the queue */
};
extern const struct announce_way announce_ways[];
extern const int announce_way_count;

TCase *announcement_repo_take_tcase(const struct store_driver *driver); /* [A1] [A2] */
TCase *announcement_repo_done_tcase(const struct store_driver *driver); /* [A3] */
TCase *announcement_repo_later_tcase(const struct store_driver *driver,
                                     const struct store_driver *later);

#endif
