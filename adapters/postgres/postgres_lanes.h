#ifndef TASKCORE_ADAPTERS_POSTGRES_LANES_H
#define TASKCORE_ADAPTERS_POSTGRES_LANES_H

/**
 * @file postgres_lanes.h
 * Where tasks wait, as far as this process knows: the lanes (queue, type, rank) of
 * taskcore.ready, and for each how far claims have come.
 *
 * A claim then looks into a few lanes, behind their marks, instead of searching: neither what
 * nobody here runs nor rows that were deleted but must be kept for some open snapshot cost
 * anything. What is known is wrong now and then (a lower seq may be committed later than a
 * higher one, a row may have been passed over because somebody held it, a lane may be new), so
 * a search for lanes corrects it: whenever a claim comes up short or this process has made
 * rows itself, and else every 10 ms while claims are full. When searches take long, because
 * there are many deleted rows, they get a twentieth of the time; claims then go on behind the
 * marks.
 *
 * Any thread; never blocks for long.
 */

#include "ports/lease_repo.h"

#define POSTGRES_LANES_MAX  1024
#define POSTGRES_PROBES_MAX 16 /* lanes of one claim */
#define POSTGRES_ROWS_MAX   64 /* rows of one lane in one claim */

struct postgres_deaths;
struct postgres_lanes;
struct postgres_places;

/** A lane, and its first row as a search has found it. */
struct postgres_lane {
    char queue[TC_NAME_MAX + 1];
    char type[TC_NAME_MAX + 1];
    int rank;
    int64_t seq; /**< of the first row; in a probe: look behind this one */
    int ids;     /**< in that row */
};

/** One lane of a claim: lock at most `rows` rows, take at most `quota` tasks of its queue. */
struct postgres_probe {
    struct postgres_lane lane;
    int rows;
    int quota;
};

struct postgres_plan {
    struct postgres_probe probes[POSTGRES_PROBES_MAX];
    size_t count;
    uint64_t search; /**< how many searches it knows of */
};

/** What came of a probe. */
struct postgres_probed {
    int rows;         /**< that were locked */
    int64_t ids;      /**< in them */
    int64_t taken_to; /**< seq of the last row before which all were taken whole; 0: none */
    int64_t left_at;  /**< seq of the first that was not; 0: none */
};

enum tc_code postgres_lanes_new(struct postgres_lanes **ret_lanes,
                                struct tc_error *err) TC_MUST_CHECK;
void postgres_lanes_free(struct postgres_lanes *lanes); /**< NULL is fine */

/** The other things that the lease methods remember; they live as long as the lanes. */
struct postgres_deaths *postgres_lanes_deaths(struct postgres_lanes *lanes);
struct postgres_places *postgres_lanes_places(struct postgres_lanes *lanes);

/** A number for each claim, by which queues take turns. */
uint64_t postgres_lanes_turn(struct postgres_lanes *lanes);

/**
 * Choose where to look for `wanted` tasks: of each queue the best ranks first, a fair share of
 * each. `ret_plan->count` 0: nothing is known to wait. `dry` as well: lanes that had no more
 * at the last look, for who may not search. @return TC_OK; TC_NO_MEMORY.
 */
enum tc_code postgres_lanes_plan(struct postgres_lanes *lanes, const struct tc_claim *claim,
                                 size_t wanted, uint64_t turn, bool dry,
                                 struct postgres_plan *ret_plan,
                                 struct tc_error *err) TC_MUST_CHECK;

/** Learn what came of the plan's probe of that index. */
void postgres_lanes_note(struct postgres_lanes *lanes, const struct postgres_plan *plan,
                         size_t index, const struct postgres_probed *probed);

/** Somebody of this process has made new rows: the next claim searches first. */
void postgres_lanes_touch(struct postgres_lanes *lanes);

/** Is it time for a search although claims are full? */
bool postgres_lanes_are_old(struct postgres_lanes *lanes, const struct tc_claim *claim);
/** May a claim that came up short search again? Not when searches take long. */
bool postgres_lanes_may_search(struct postgres_lanes *lanes);

/** Somebody hangs with a row in hand: wait for nobody, for some seconds. */
void postgres_lanes_jam(struct postgres_lanes *lanes);
bool postgres_lanes_are_jammed(struct postgres_lanes *lanes);

/** Before and after a search. */
struct postgres_search {
    struct postgres_lane from; /**< begin behind this lane */
    int64_t began_us;
    uint64_t touches;
};
struct postgres_search postgres_lanes_begin(struct postgres_lanes *lanes);

/** What the search has found: POSTGRES_LANES_MAX at most, and then the next one goes on behind
 *  them. `claim` has named queues: only these were searched. */
void postgres_lanes_learn(struct postgres_lanes *lanes, const struct tc_claim *claim,
                          const struct postgres_search *search,
                          const struct postgres_lane *found, size_t count);

/** Microseconds of a clock that does not jump. */
int64_t postgres_lanes_tick_us(void);

#endif
