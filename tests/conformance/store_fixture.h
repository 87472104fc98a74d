#ifndef TESTS_CONFORMANCE_STORE_FIXTURE_H
#define TESTS_CONFORMANCE_STORE_FIXTURE_H

/**
 * @file store_fixture.h
 * What the conformance suites of the repository ports share: the driver that a store
 * brings, one open store per test on a clock that stands still, and helpers that make and
 * compare tasks. Every helper fails the test when a call does not answer TC_OK.
 */

#include "ports/announcement_repo.h"
#include "ports/lease_repo.h"
#include "ports/task_repo.h"
#include "tests/support/fakes.h"

#include <check.h>

/** An open store, as its driver fills it. */
struct store_under_test {
    struct tc_task_repo *tasks;
    struct tc_lease_repo *leases;
    struct tc_announcement_repo *announcements; /**< NULL: the store has none */
    void *ctx;                                  /**< the driver's own */
};

/** How the suites get at a store. */
struct store_driver {
    const char *name;

    /** Open a store that holds nothing. `clock` outlives it; the suites run on its time. */
    enum tc_code (*open)(struct tc_clock *clock, struct store_under_test *ret_store,
                         struct tc_error *err);

    /** Close it and remove what it keeps. */
    void (*close)(struct store_under_test *store);

    /**
     * Close it and open the same data again, as the next incarnation of the process would;
     * `*store` is replaced. NULL: the store does not outlive its process, and the promises
     * about that ([T1] durability, [L8]) are not tested.
     */
    enum tc_code (*reopen)(struct store_under_test *store, struct tc_clock *clock,
                           struct tc_error *err);

    /**
     * How long after its first look a store takes to believe that an incarnation is gone;
     * 0: it knows at open.
     */
    int64_t death_ms;
};

#define STORE_START_MS INT64_C(1700000000000)
#define STORE_LEASE_MS INT64_C(30000)

/** The store of the running test. */
extern struct store_fixture {
    const struct store_driver *driver;
    const struct store_driver *opened_by; /* the same, but after store_open_with() */
    struct store_under_test under_test;
    struct tc_task_repo *tasks;
    struct tc_lease_repo *leases;
    struct tc_announcement_repo *announcements;
    struct fake_clock clock;
    struct tc_error err;
} store;

/** A test case whose tests each run on an empty store. */
TCase *store_tcase(const struct store_driver *driver, const char *name);

/** Close the test's store and open an empty one by another driver, for this test alone. */
void store_open_with(const struct store_driver *driver);

/** Close and open again over the same data. */
void store_reopen(void);

/** Let time pass. */
void store_advance(int64_t ms);
int64_t store_now_ms(void);

/* --- making tasks --- */

/** A new id, above all before it. Any thread. */
struct tc_id store_next_id(void);

/** What a test may want to say of a task; zero is the default. */
struct store_wish {
    const char *queue;         /**< "default" */
    const char *type;          /**< "test" */
    int priority;              /**< 0 */
    int64_t delay_ms;          /**< over 0: SCHEDULED */
    struct tc_content payload; /**< a short JSON text */
    const char *tag;           /**< no tags */
};

/** Nothing special. */
extern const struct store_wish store_plain;

/** A valid task, created now; everything in it is borrowed. Any thread. */
struct tc_task store_make(struct store_wish wish);

/** Insert `count` tasks as one creation without a key; must be CREATED. */
void store_put(const struct tc_task *tasks, size_t count);

/** Make and insert one. */
struct tc_id store_create(struct store_wish wish);

/** Make and insert `count` alike, as one creation; `ret_ids` may be NULL. */
void store_create_many(struct store_wish wish, size_t count, struct tc_id *ret_ids);

/* --- reading them --- */

/** Must be there. Release it. */
struct tc_task store_get(const struct tc_id *id);

enum tc_status store_status_of(const struct tc_id *id);

/** Must not be there. */
void store_assert_absent(const struct tc_id *id);

/** Every field equal. */
void store_assert_same(const struct tc_task *actual, const struct tc_task *expected);

/** Stored and equal in every field. */
void store_assert_stored(const struct tc_task *expected);

/** The row of a queue; all zero when there is none. */
struct tc_queue_count store_count_of(const char *queue);

/* --- leases --- */

struct store_group {
    struct tc_task tasks[TC_LEASE_GROUP_MAX];
    size_t count;
};

/** A claim of everything by "worker-1", STORE_LEASE_MS. */
struct tc_claim store_any(size_t max);

/** Claim into the group; release it. */
void store_claim(const struct tc_claim *claim, struct store_group *ret_group);
void store_group_release(struct store_group *group);

/** Claim whatever comes first; there must be one. Release it. */
struct tc_task store_claim_one(void);

/** Claim just this task, which must be waiting. @return its epoch. */
int64_t store_claim_id(const struct tc_id *id);

/** How many can be claimed; they are leased afterwards. */
size_t store_claim_count(size_t max);

void store_take_ended(size_t max, struct store_group *ret_group);

/** Wake up to `max`. @return how many. */
size_t store_wake(size_t max, int64_t *ret_next_ms);

/* --- outcomes --- */

struct tc_outcome store_done(const struct tc_id *id, int64_t epoch, const char *result);
struct tc_outcome store_again(const struct tc_id *id, int64_t epoch, int64_t delay_ms);
struct tc_outcome store_failed(const struct tc_id *id, int64_t epoch, const char *message);
struct tc_outcome store_released(const struct tc_id *id, int64_t epoch, int64_t delay_ms);

/** One of those, by its enum tc_outcome_kind: for loops over the kinds. */
struct tc_outcome store_outcome(int kind, const struct tc_id *id, int64_t epoch);

/** Finish one. */
struct tc_verdict store_finish(struct tc_outcome outcome);

/** Finish one, which must be APPLIED. */
void store_apply(struct tc_outcome outcome);

/** Extend one, without progress. */
struct tc_renewed store_extend(const struct tc_id *id, int64_t epoch, int64_t lease_ms);

/** A change by the status table's condition; the task after it goes to the caller. */
enum tc_code store_change(const struct tc_id *id, enum tc_status to, enum tc_cause cause,
                          struct tc_task *ret_task);

/** Cancel; must apply. */
void store_cancel(const struct tc_id *id);

/** Retry; must apply. */
void store_retry(const struct tc_id *id);

/* --- threads --- */

#define STORE_THREADS 4

/** Run `body(number)` on STORE_THREADS threads at once, number 0.., and wait for all. */
void store_run_threads(void (*body)(size_t number));

#endif
