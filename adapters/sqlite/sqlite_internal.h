#ifndef TASKCORE_ADAPTERS_SQLITE_INTERNAL_H
#define TASKCORE_ADAPTERS_SQLITE_INTERNAL_H

/**
 * @file sqlite_internal.h
 * How the SQLite store is put together. Private to adapters/sqlite/; the data model is told in
 * migrations/sqlite/0001_tasks.sql.
 *
 * Functions that take the store expect the caller to be its writer (sqlite_writer_lock) and
 * inside a transaction (sqlite_writer_begin), unless they say otherwise. After a failure the
 * transaction is rolled back as a whole, so no function undoes anything itself.
 */

#include "adapters/sqlite/sqlite_connection.h"
#include "adapters/sqlite/sqlite_groups.h"
#include "adapters/sqlite/sqlite_store.h"

#include "core/domain/container_of.h"

#include <pthread.h>

#define SQLITE_READERS_MAX   16
#define SQLITE_WAIT_MAX_MS   5000 /* for the writer, or a reader, to become free */
#define SQLITE_RESULT_INLINE 512  /* bytes; longer results stand beside the state */

/** Bits of state.has. */
#define SQLITE_HAS_FAILURE  1u
#define SQLITE_HAS_PROGRESS 2u
#define SQLITE_HAS_RESULT   4u

/** Where a task was last seen. Only a hint: whoever uses it checks it in SQL. */
struct sqlite_hint {
    struct tc_id id;
    int64_t num;
    int64_t place;
};

#define SQLITE_HINT_COUNT 4096 /* power of two */

struct sqlite_store {
    struct tc_task_repo task_repo;
    struct tc_lease_repo lease_repo;
    struct tc_clock *clock;
    struct tc_logger *logger;
    char *path; /* absolute */
    char *lock_path;
    int lock_fd; /* -1: not locked */
    int64_t size_max;
    int64_t opened_ms;

    pthread_mutex_t mutex; /* guards the two `busy` below and nothing else */
    pthread_cond_t writer_freed;
    pthread_cond_t reader_freed;
    bool writer_busy;
    bool reader_busy[SQLITE_READERS_MAX];
    size_t reader_count;
    struct sqlite_connection readers[SQLITE_READERS_MAX];

    /* The writer's. */
    struct sqlite_connection writer;
    struct sqlite_groups groups;
    int64_t last_num;
    int64_t last_place;
    char last_queue[TC_NAME_MAX + 1]; /* served last by a claim */
    bool checkpoint_failed;           /* and it has been said */
    struct sqlite_hint hints[SQLITE_HINT_COUNT];
    unsigned char scratch[SQLITE_MEMBERS_BYTES_MAX]; /* for one statement; fits tags too */
};

extern const struct tc_task_repo_ops sqlite_task_repo_ops;
extern const struct tc_lease_repo_ops sqlite_lease_repo_ops;

static inline struct sqlite_store *sqlite_store_of_tasks(struct tc_task_repo *repo)
{
    return TC_CONTAINER_OF(repo, struct sqlite_store, task_repo);
}

static inline struct sqlite_store *sqlite_store_of_leases(struct tc_lease_repo *repo)
{
    return TC_CONTAINER_OF(repo, struct sqlite_store, lease_repo);
}

/* --- sqlite_lock.c: the file's whereabouts --- */

/** True for the magic number (statfs) of a file system that lies on another machine. */
bool sqlite_fs_is_remote(unsigned long magic);

/**
 * The absolute path of a file that may be absent, malloc'ed, links resolved.
 * @return TC_OK, TC_INVALID, TC_UNAVAILABLE, TC_NO_MEMORY.
 */
enum tc_code sqlite_path_resolve(const char *path, char **ret_path,
                                 struct tc_error *err) TC_MUST_CHECK;

/** Lock `lock_path` for this process and write its id there. TC_CONFLICT: it is taken. */
enum tc_code sqlite_lock_take(const char *lock_path, const char *path, int *ret_fd,
                              struct tc_error *err) TC_MUST_CHECK;
void sqlite_lock_release(int fd);

/** Make an empty file, for its owner only, if there is none. */
enum tc_code sqlite_file_make(const char *path, struct tc_error *err) TC_MUST_CHECK;

/* --- sqlite_migrate.c --- */

/** Bring the schema up to date. @return TC_OK; TC_INVALID: not ours, or too new; as writes. */
enum tc_code sqlite_migrate(struct sqlite_connection *connection, int64_t now_ms,
                            struct tc_error *err) TC_MUST_CHECK;

/* --- sqlite_access.c: whose turn it is --- */

/** Become the writer. Waits SQLITE_WAIT_MAX_MS at most. Opens a broken connection anew. */
enum tc_code sqlite_writer_lock(struct sqlite_store *store, struct tc_error *err) TC_MUST_CHECK;
/** Begin the transaction. After a failure the lock is given back. */
enum tc_code sqlite_writer_begin(struct sqlite_store *store,
                                 struct tc_error *err) TC_MUST_CHECK;
/** With `code` TC_OK write the groups back and commit, else roll back; then unlock. */
enum tc_code sqlite_writer_end(struct sqlite_store *store, enum tc_code code,
                               struct tc_error *err) TC_MUST_CHECK;
void sqlite_writer_unlock(struct sqlite_store *store);

/** Lock and begin. */
enum tc_code sqlite_write(struct sqlite_store *store, struct tc_error *err) TC_MUST_CHECK;

/** A connection that reads one state of the file until it is given back. */
enum tc_code sqlite_read(struct sqlite_store *store, struct sqlite_connection **ret_reader,
                         struct tc_error *err) TC_MUST_CHECK;
void sqlite_read_end(struct sqlite_store *store, struct sqlite_connection *reader);

/** Read last_num and last_place from the file. For opening. */
enum tc_code sqlite_counters_load(struct sqlite_store *store,
                                  struct tc_error *err) TC_MUST_CHECK;

/* --- sqlite_hints.c --- */

void sqlite_hint_put(struct sqlite_store *store, const struct tc_id *id, int64_t num,
                     int64_t place);
/** NULL: nothing known. */
const struct sqlite_hint *sqlite_hint_get(const struct sqlite_store *store,
                                          const struct tc_id *id);
/** The number of a task; 0: there is no such task. */
enum tc_code sqlite_num_of(struct sqlite_store *store, const struct tc_id *id, int64_t *ret_num,
                           struct tc_error *err) TC_MUST_CHECK;

/* --- sqlite_rows.c --- */

/** A task as the tables have it. `task` borrows from the query; its lease, failure and
 *  progress, and a long result, are not filled yet. */
struct sqlite_row {
    int64_t num;
    int64_t place;    /* 0: none */
    unsigned outcome; /* of enum tc_outcome_kind; 0: none */
    unsigned has;
    struct tc_omitted omitted;
    struct tc_task task;
};

/** Read the query's present row. @return TC_OK or TC_INTERNAL. */
enum tc_code sqlite_row_read(const struct sqlite_query *query, struct sqlite_row *ret_row,
                             struct tc_error *err) TC_MUST_CHECK;

/**
 * Load what stands beside the row (lease, failure, progress, a result up to `large`) and make
 * a task of it that borrows nothing. `omitted` of the row is completed.
 */
enum tc_code sqlite_row_copy(const struct sqlite_store *store,
                             struct sqlite_connection *connection, struct sqlite_row *row,
                             int64_t large, struct tc_task *ret_task,
                             struct tc_error *err) TC_MUST_CHECK;

/** As above with the lease that the caller knows. */
enum tc_code sqlite_row_copy_leased(struct sqlite_connection *connection,
                                    struct sqlite_row *row, const struct sqlite_group *lease,
                                    struct tc_task *ret_task,
                                    struct tc_error *err) TC_MUST_CHECK;

/** Load one task on the writer or a reader. TC_NOT_FOUND: no such task. */
enum tc_code sqlite_task_load(const struct sqlite_store *store,
                              struct sqlite_connection *connection, const struct tc_id *id,
                              struct tc_task *ret_task, struct tc_error *err) TC_MUST_CHECK;

enum tc_code sqlite_not_found(const struct tc_id *id, struct tc_error *err);

/** The lane of a task. */
struct sqlite_lane sqlite_lane_of(const struct tc_task *task);

#define SQLITE_TAGS_BYTES_MAX (TC_TAG_COUNT_MAX * (2 + 4 * TC_TAG_MAX))
_Static_assert(SQLITE_TAGS_BYTES_MAX <= SQLITE_MEMBERS_BYTES_MAX, "tags fit the scratch");
/** @return bytes used. */
size_t sqlite_tags_write(const struct tc_task *task, unsigned char *ret_bytes);

/* --- sqlite_step.c: from one status to another --- */

/** What a step makes of a task. */
struct sqlite_step {
    enum tc_status next; /* not PROCESSING */
    int attempt;
    int crashes;
    unsigned outcome; /* of enum tc_outcome_kind; 0: none */
    int64_t run_at_ms;
    int64_t now_ms;
    bool set_result;           /* else it stays */
    bool set_failure;          /* else it stays */
    bool drop_progress;        /* else it stays */
    struct tc_content result;  /* with set_result; NONE: none from now on */
    struct tc_failure failure; /* with set_failure; reason NONE: none from now on */
};

/** The step that changes nothing but the status. */
struct sqlite_step sqlite_step_to(const struct sqlite_row *row, enum tc_status next,
                                  int64_t now_ms);

/** Take the task from its place, put it where `step->next` belongs, and write its state. */
enum tc_code sqlite_step_apply(struct sqlite_store *store, const struct sqlite_row *row,
                               const struct sqlite_step *step,
                               struct tc_error *err) TC_MUST_CHECK;

/** Put a task among the scheduled or failed ones. */
enum tc_code sqlite_aside_put(struct sqlite_store *store, const struct tc_task *task,
                              int64_t num, enum tc_status status, int64_t run_at_ms,
                              struct tc_error *err) TC_MUST_CHECK;
/** Take it from there. */
enum tc_code sqlite_aside_take(struct sqlite_store *store, const struct tc_id *id,
                               const char *queue, enum tc_status status,
                               struct tc_error *err) TC_MUST_CHECK;

/* --- sqlite_lanes.c: what a claim may take, best first --- */

/** The best group of one queue and type. */
struct sqlite_lane_head {
    struct sqlite_lane lane; /* of its first group */
    int64_t seq;             /* of its first group; 0: nothing left */
};

/** The lanes of all queues and types that a claim asks for, queue by queue. free() them. */
struct sqlite_lanes {
    struct sqlite_lane_head *heads;
    size_t count;
    size_t capacity;
};

/**
 * Find the lanes with waiting tasks, from the queue after the one served last, at most
 * `claim->max` queues. Needs the writer's lock but no transaction.
 */
enum tc_code sqlite_lanes_find(struct sqlite_store *store, const struct tc_claim *claim,
                               struct sqlite_lanes *ret_lanes,
                               struct tc_error *err) TC_MUST_CHECK;

/** Move a head to the next group of its lane. */
enum tc_code sqlite_lanes_advance(struct sqlite_store *store, struct sqlite_lane_head *head,
                                  struct tc_error *err) TC_MUST_CHECK;

/* --- sqlite_grip.c: tasks taken by a claim or a rescue --- */

/** Where the tasks taken go; released as a whole when the call fails. */
struct sqlite_grip {
    struct tc_task *tasks; /* the caller's room */
    size_t count;
    int64_t now_ms;
};

/** Load the members of `lease` from `from` on as tasks, and give them to it in SQL too. */
enum tc_code sqlite_grip_take(struct sqlite_store *store, struct sqlite_grip *grip,
                              const struct sqlite_group *lease, size_t from, int crashes,
                              struct tc_error *err) TC_MUST_CHECK;
void sqlite_grip_release(struct sqlite_grip *grip);

/* --- methods --- */

enum tc_code sqlite_insert(struct tc_task_repo *repo, const struct tc_creation *creations,
                           size_t count, struct tc_inserted *ret_inserted,
                           struct tc_error *err);
enum tc_code sqlite_get(struct tc_task_repo *repo, const struct tc_id *id,
                        struct tc_task *ret_task, struct tc_error *err);
enum tc_code sqlite_list(struct tc_task_repo *repo, const struct tc_task_filter *filter,
                         struct tc_task_page *ret_page, struct tc_error *err);
enum tc_code sqlite_change(struct tc_task_repo *repo, const struct tc_change *change,
                           struct tc_task *ret_task, struct tc_error *err);
enum tc_code sqlite_counts(struct tc_task_repo *repo, struct tc_queue_count **ret_counts,
                           size_t *ret_count, struct tc_error *err);
enum tc_code sqlite_claim(struct tc_lease_repo *repo, const struct tc_claim *claim,
                          struct tc_task *ret_tasks, size_t *ret_count, struct tc_error *err);
enum tc_code sqlite_extend(struct tc_lease_repo *repo, const struct tc_renewal *renewals,
                           size_t count, struct tc_renewed *ret_renewed, struct tc_error *err);
enum tc_code sqlite_finish(struct tc_lease_repo *repo, const struct tc_outcome *outcomes,
                           size_t count, struct tc_verdict *ret_verdicts, struct tc_error *err);
enum tc_code sqlite_take_ended(struct tc_lease_repo *repo, const char *owner, size_t max,
                               int64_t lease_ms, struct tc_task *ret_tasks, size_t *ret_count,
                               struct tc_error *err);
enum tc_code sqlite_wake(struct tc_lease_repo *repo, size_t max, size_t *ret_count,
                         int64_t *ret_next_ms, struct tc_error *err);

#endif
