#ifndef TASKCORE_ADAPTERS_SQLITE_GROUPS_H
#define TASKCORE_ADAPTERS_SQLITE_GROUPS_H

/**
 * @file sqlite_groups.h
 * The rows of `ready` and `lease` that one transaction touches: read once, changed in memory,
 * written back once, so that they cost by the group and not by the task. Private to
 * adapters/sqlite/. The caller is the store's writer, inside a transaction.
 */

#include "adapters/sqlite/sqlite_connection.h"
#include "core/domain/task.h"
#include "ports/lease_repo.h"

#define SQLITE_READY_GROUP_MAX 256

struct sqlite_store;

struct sqlite_lane {
    char queue[TC_NAME_MAX + 1];
    char type[TC_NAME_MAX + 1]; /* of a ready group */
    int rank;                   /* of a ready group */
};

struct sqlite_group {
    int64_t place; /* ready.seq or lease.id */
    struct sqlite_lane lane;
    bool is_lease;
    bool is_stored; /* has a row */
    bool is_cut;    /* its members differ from the row's */
    bool is_reset;  /* the lease's terms differ from the row's */
    bool of_process;
    bool rescue;
    int64_t since_ms; /* of a ready group */
    int64_t due_ms;   /* of a lease; 0: ended with its process */
    int64_t duration_ms;
    char owner[TC_OWNER_MAX + 1];
    size_t count; /* of slots used */
    size_t left;  /* of members: slots that are not 0 */
    size_t next;  /* where the next one to leave is likely to be */
    int64_t nums[TC_LEASE_GROUP_MAX];
};

/** Written back by sqlite_groups_flush(). */
struct sqlite_groups {
    struct sqlite_group **items;
    size_t count;
    size_t capacity; /* of `items`, all of which are allocated up to `made` */
    size_t made;
};

/** A group of waiting tasks of this lane with room for one more, new if need be. */
enum tc_code sqlite_groups_open(struct sqlite_store *store, const struct sqlite_lane *lane,
                                int64_t now_ms, struct sqlite_group **ret_group,
                                struct tc_error *err) TC_MUST_CHECK;
/** A new lease, without members. */
enum tc_code sqlite_groups_lease(struct sqlite_store *store, const char *queue,
                                 struct sqlite_group **ret_group,
                                 struct tc_error *err) TC_MUST_CHECK;
/** The group at this place, from the transaction or the file; it must be there. */
enum tc_code sqlite_groups_find_ready(struct sqlite_store *store,
                                      const struct sqlite_lane *lane, int64_t seq,
                                      struct sqlite_group **ret_group,
                                      struct tc_error *err) TC_MUST_CHECK;
enum tc_code sqlite_groups_find_lease(struct sqlite_store *store, int64_t id,
                                      struct sqlite_group **ret_group,
                                      struct tc_error *err) TC_MUST_CHECK;
enum tc_code sqlite_groups_flush(struct sqlite_store *store,
                                 struct tc_error *err) TC_MUST_CHECK;
/** Bind the key of a ready group as ?1..?4. */
void sqlite_bind_lane(struct sqlite_query *query, const struct sqlite_lane *lane, int64_t seq);
/** Forget what the transaction touched. */
void sqlite_groups_clear(struct sqlite_groups *groups);
void sqlite_groups_release(struct sqlite_groups *groups);

/** Add a member; the caller knows that there is room. */
void sqlite_group_add(struct sqlite_group *group, int64_t num);
/** Take a member out. False: it is not in there. */
bool sqlite_group_take(struct sqlite_group *group, int64_t num);
/** Move up to `max` members, the oldest first, to the end of `to`. @return how many. */
size_t sqlite_group_move(struct sqlite_group *from, struct sqlite_group *to, size_t max);

/** Numbers that follow each other without a gap. */
struct sqlite_run {
    int64_t first;
    int64_t last;
};

/** The run that starts at `nums[*at]`; moves `*at` behind it. False at the end. */
bool sqlite_run_next(const int64_t *nums, size_t count, size_t *at, struct sqlite_run *ret_run);

/** Numbers to and from bytes, as `members` holds them. */
size_t sqlite_members_write(const int64_t *nums, size_t count, unsigned char *ret_bytes);
/** False: malformed, or more than `max`. */
bool sqlite_members_read(struct tc_bytes bytes, int64_t *ret_nums, size_t max,
                         size_t *ret_count);
#define SQLITE_MEMBERS_BYTES_MAX (12 * TC_LEASE_GROUP_MAX)

#endif
