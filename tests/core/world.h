#ifndef TESTS_CORE_WORLD_H
#define TESTS_CORE_WORLD_H

/**
 * @file world.h
 * A memory store with fakes around it: what every test of a use case starts from. The
 * helpers go through the use cases and abort the test when a step that should work does not.
 */

#include "adapters/memory/memory_store.h"
#include "core/usecases/announce_tasks.h"
#include "core/usecases/change_task.h"
#include "core/usecases/create_tasks.h"
#include "core/usecases/finish_tasks.h"
#include "core/usecases/get_task.h"
#include "core/usecases/rescue_tasks.h"
#include "tests/support/fakes.h"
#include "tests/support/faults.h"

#include <check.h>

#define WORLD_NOW   INT64_C(1795300000000)
#define WORLD_OWNER "w1"

/**
 * The use cases reach the store through `tasks`, `leases` and `announcements`, which let
 * everything pass until a test sets their plan; `repo` is the bare store, for looking at what
 * is true.
 */
struct world {
    struct fake_clock clock;
    struct fake_ids ids;
    struct fake_queue queue;
    struct fake_events events;
    struct tc_policy policy;
    struct memory_store *store;
    struct tc_task_repo *repo;
    struct fault_task_repo tasks;
    struct fault_lease_repo leases;
    struct fault_announcement_repo announcements;
    struct tc_error err;
};

void world_open(struct world *world);
void world_close(struct world *world);

/** Make the `nth` call from now on fail, or none with nth -1. */
void world_break(struct world *world, int nth, enum tc_code code, enum fault_kind kind);

/** How many calls failed since world_break(). */
int world_fired(const struct world *world);

struct tc_create_tasks_ports world_create_ports(struct world *world);
struct tc_get_task_ports world_get_ports(struct world *world);
struct tc_change_task_ports world_change_ports(struct world *world);
struct tc_finish_tasks_ports world_finish_ports(struct world *world);
struct tc_rescue_tasks_ports world_rescue_ports(struct world *world);
struct tc_announce_tasks_ports world_announce_ports(struct world *world);

/** A good spec: type "email", everything else by default. */
struct tc_task_spec world_spec(void);

/** Create one task. */
struct tc_id world_create(struct world *world, const struct tc_task_spec *spec);

/** Create one and bring it into `status`: PROCESSING and later at epoch 1. */
struct tc_id world_create_in(struct world *world, enum tc_status status);

/** Claim exactly one task, as WORLD_OWNER, for the policy's lease. The caller releases it. */
struct tc_task world_claim(struct world *world);

/** Finish `task` with `report`. */
struct tc_verdict world_finish(struct world *world, const struct tc_task *task,
                               const struct tc_report *report);

/** What the store holds. The caller releases it. */
struct tc_task world_get(struct world *world, const struct tc_id *id);

/** A plain copy of the fields of world_get(), its bytes released: numbers and names only. */
struct tc_task world_peek(struct world *world, const struct tc_id *id);

/** How many tasks the store holds (up to 200). */
size_t world_count(struct world *world);

/** Both faults that the ports document, and the harmless half of TC_UNKNOWN. */
struct world_fault {
    const char *why;
    enum tc_code code;
    enum fault_kind kind;
};

#define WORLD_FAULT_COUNT 3
extern const struct world_fault world_faults[WORLD_FAULT_COUNT];

/**
 * Run `scenario` in a fresh world for nth = 0, 1, … until a run in which nothing fired. It
 * prepares, calls world_break() with nth and the fault, acts, and asserts what must be true.
 */
void world_each_call(const struct world_fault *fault,
                     void (*scenario)(struct world *world, const struct world_fault *fault,
                                      int nth));

#endif
