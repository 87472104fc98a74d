#ifndef TASKCORE_ADAPTERS_SQLITE_SQL_H
#define TASKCORE_ADAPTERS_SQLITE_SQL_H

/**
 * @file sqlite_sql.h
 * Every statement on tasks, in one table. Each connection prepares each at its first use and
 * keeps it. Private to adapters/sqlite/.
 */

/* A task as sqlite_row_read() expects it. The words come last: a row that is passed over is
 * then never read to its end. */
#define SQLITE_TASK_FIELDS                                                                     \
    "t.num, t.id, t.queue, t.type, t.priority, t.max_attempts, t.max_crashes, t.timeout_ms,"   \
    " t.titled, t.traceparent, t.tags, t.payload_kind, s.status, s.place, s.epoch,"            \
    " s.attempt, s.crashes, s.outcome, s.has, s.updated_at, s.run_at, s.started_at,"           \
    " s.finished_at, s.result_kind,"
#define SQLITE_WHOLE_TASK SQLITE_TASK_FIELDS " t.payload, s.result"
/* Words longer than ?1 come as NULL; length() does not read them. */
#define SQLITE_SHORT_TASK                                                                      \
    SQLITE_TASK_FIELDS " CASE WHEN length(t.payload) <= ?1 THEN t.payload END,"                \
                       " CASE WHEN length(s.result) <= ?1 THEN s.result END"

#define SQLITE_STATEMENTS(X)                                                                   \
    X(BEGIN, "BEGIN IMMEDIATE")                                                                \
    X(BEGIN_READ, "BEGIN")                                                                     \
    X(COMMIT, "COMMIT")                                                                        \
    X(ROLLBACK, "ROLLBACK")                                                                    \
    /* tasks */                                                                                \
    X(TASK_INSERT,                                                                             \
      "INSERT INTO task (num, id, queue, type, priority, max_attempts, max_crashes,"           \
      " timeout_ms, titled, traceparent, tags, payload_kind, payload)"                         \
      " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)")                      \
    X(STATE_INSERT,                                                                            \
      "INSERT INTO state (num, status, place, epoch, attempt, crashes, outcome, has,"          \
      " updated_at, run_at, started_at, finished_at, result_kind, result)"                     \
      " VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, 0, ?7, ?8, ?7, ?7, 0, zeroblob(8))")                \
    X(STATE_INSERT_RUN,                                                                        \
      "INSERT INTO state (num, status, place, epoch, attempt, crashes, outcome, has,"          \
      " updated_at, run_at, started_at, finished_at, result_kind, result)"                     \
      " SELECT num, 1, ?3, 0, 0, 0, 0, 0, ?4, ?4, ?4, ?4, 0, zeroblob(8) FROM task"            \
      " WHERE num BETWEEN ?1 AND ?2")                                                          \
    X(NUM_OF_ID, "SELECT num FROM task WHERE id = ?1")                                         \
    X(TASK_BY_ID,                                                                              \
      "SELECT " SQLITE_WHOLE_TASK " FROM task t CROSS JOIN state s ON s.num = t.num"           \
      " WHERE t.id = ?1")                                                                      \
    X(TASK_BY_NUM,                                                                             \
      "SELECT " SQLITE_WHOLE_TASK " FROM task t CROSS JOIN state s ON s.num = t.num"           \
      " WHERE t.num = ?1")                                                                     \
    X(TASKS_OF_RUN,                                                                            \
      "SELECT " SQLITE_WHOLE_TASK " FROM state s CROSS JOIN task t ON t.num = s.num"           \
      " WHERE s.num BETWEEN ?1 AND ?2 ORDER BY s.num")                                         \
    X(STATE_BRIEF, "SELECT status, epoch, place FROM state WHERE num = ?1")                    \
    X(STATE_SET,                                                                               \
      "UPDATE state SET status = ?2, place = ?3, attempt = ?4, crashes = ?5, outcome = ?6,"    \
      " has = ?7, updated_at = ?8, run_at = ?9, finished_at = ?8, result_kind = ?10,"          \
      " result = ?11 WHERE num = ?1")                                                          \
    X(STATE_DONE,                                                                              \
      "UPDATE state SET status = ?4, place = NULL, outcome = ?5, updated_at = ?6,"             \
      " finished_at = ?6, result_kind = ?7, result = ?8"                                       \
      " WHERE num = ?1 AND status = 3 AND epoch = ?2 AND place = ?3 AND has & 5 = 0")          \
    X(STATE_CLAIM,                                                                             \
      "UPDATE state SET status = 3, place = ?3, epoch = epoch + 1, attempt = attempt + 1,"     \
      " outcome = 0, has = has & ~2, updated_at = ?4, started_at = ?4"                         \
      " WHERE num BETWEEN ?1 AND ?2 AND status IN (1, 2)")                                     \
    X(STATE_RESCUE, "UPDATE state SET place = ?3, epoch = epoch + 1, attempt = attempt - ?5,"  \
                    " crashes = crashes + ?5, outcome = 0, updated_at = ?4"                    \
                    " WHERE num BETWEEN ?1 AND ?2 AND status = 3")                             \
    X(STATE_PLACE, "UPDATE state SET place = ?3 WHERE num BETWEEN ?1 AND ?2 AND status = 3")   \
    X(STATE_WAKE, "UPDATE state SET status = 1, place = ?2, updated_at = ?3 WHERE num = ?1")   \
    X(STATE_PROGRESS, "UPDATE state SET has = has | 2, updated_at = ?2 WHERE num = ?1")        \
    /* words beside the state */                                                               \
    X(FAILURE_PUT, "INSERT OR REPLACE INTO failure (num, reason, attempt, at_ms, message)"     \
                   " VALUES (?1, ?2, ?3, ?4, ?5)")                                             \
    X(FAILURE_GET, "SELECT reason, attempt, at_ms, message FROM failure WHERE num = ?1")       \
    X(FAILURE_DELETE, "DELETE FROM failure WHERE num = ?1")                                    \
    X(PROGRESS_PUT, "INSERT OR REPLACE INTO progress (num, data) VALUES (?1, ?2)")             \
    X(PROGRESS_GET, "SELECT data FROM progress WHERE num = ?1")                                \
    X(PROGRESS_DELETE, "DELETE FROM progress WHERE num = ?1")                                  \
    X(RESULT_PUT, "INSERT OR REPLACE INTO result (num, data) VALUES (?1, ?2)")                 \
    X(RESULT_GET, "SELECT CASE WHEN length(data) <= ?2 THEN data END FROM result"              \
                  " WHERE num = ?1")                                                           \
    X(RESULT_DELETE, "DELETE FROM result WHERE num = ?1")                                      \
    /* groups that wait */                                                                     \
    X(READY_INSERT, "INSERT INTO ready (queue, type, rank, seq, since_ms, count, members)"     \
                    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")                                    \
    X(READY_GET, "SELECT since_ms, members FROM ready"                                         \
                 " WHERE queue = ?1 AND type = ?2 AND rank = ?3 AND seq = ?4")                 \
    X(READY_SET, "UPDATE ready SET count = ?5, members = ?6"                                   \
                 " WHERE queue = ?1 AND type = ?2 AND rank = ?3 AND seq = ?4")                 \
    X(READY_DELETE, "DELETE FROM ready"                                                        \
                    " WHERE queue = ?1 AND type = ?2 AND rank = ?3 AND seq = ?4")              \
    X(READY_FROM, "SELECT queue, type, rank, seq FROM ready WHERE (queue, type) >= (?1, ?2)"   \
                  " ORDER BY queue, type, rank, seq LIMIT 1")                                  \
    X(READY_BEHIND, "SELECT rank, seq FROM ready"                                              \
                    " WHERE queue = ?1 AND type = ?2 AND (rank, seq) > (?3, ?4)"               \
                    " ORDER BY rank, seq LIMIT 1")                                             \
    /* leases */                                                                               \
    X(LEASE_INSERT,                                                                            \
      "INSERT INTO lease (id, queue, owner, due_at, duration_ms, of_process, rescue, count,"   \
      " members) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)")                                 \
    X(LEASE_GET, "SELECT queue, owner, due_at, duration_ms, of_process, rescue, members"       \
                 " FROM lease WHERE id = ?1")                                                  \
    X(LEASE_SET, "UPDATE lease SET owner = ?2, due_at = ?3, duration_ms = ?4,"                 \
                 " of_process = ?5, rescue = ?6, count = ?7, members = ?8 WHERE id = ?1")      \
    X(LEASE_SHORTEN, "UPDATE lease SET count = ?2, members = ?3 WHERE id = ?1")                \
    X(LEASE_DELETE, "DELETE FROM lease WHERE id = ?1")                                         \
    X(LEASE_TERMS, "SELECT owner, due_at, duration_ms FROM lease WHERE id = ?1")               \
    X(LEASE_ENDED, "SELECT id FROM lease WHERE due_at <= ?1 ORDER BY due_at, id LIMIT ?2")     \
    X(LEASE_ALL, "SELECT count, members FROM lease")                                           \
    X(LEASE_END_OF_PROCESS,                                                                    \
      "UPDATE lease SET due_at = 0 WHERE of_process = 1 AND due_at <> 0")                      \
    /* scheduled and failed ones */                                                            \
    X(ASIDE_INSERT, "INSERT INTO aside (status, id, num, due_at) VALUES (?1, ?2, ?3, ?4)")     \
    X(ASIDE_DELETE, "DELETE FROM aside WHERE status = ?1 AND id = ?2")                         \
    X(ASIDE_DUE, "SELECT a.num, a.id, t.queue, t.type, t.priority"                             \
                 " FROM aside a CROSS JOIN task t ON t.num = a.num"                            \
                 " WHERE a.due_at <= ?1 ORDER BY a.due_at LIMIT ?2")                           \
    X(ASIDE_NEXT, "SELECT min(due_at) FROM aside WHERE due_at IS NOT NULL")                    \
    X(TALLY_ADD, "INSERT INTO tally (queue, scheduled, failed) VALUES (?1, ?2, ?3)"            \
                 " ON CONFLICT (queue) DO UPDATE SET scheduled = scheduled + ?2,"              \
                 " failed = failed + ?3")                                                      \
    /* idempotency keys */                                                                     \
    X(KEY_GET, "SELECT hash, first_id, answer FROM key WHERE key = ?1")                        \
    X(KEY_INSERT, "INSERT INTO key (key, hash, first_id, created_at, answer)"                  \
                  " VALUES (?1, ?2, ?3, ?4, ?5)")                                              \
    X(KEY_FORGET, "DELETE FROM key WHERE num IN (SELECT num FROM key WHERE created_at < ?1"    \
                  " ORDER BY created_at LIMIT ?2)")                                            \
    /* pages and sums */                                                                       \
    X(LIST_UP, "SELECT " SQLITE_SHORT_TASK " FROM task t CROSS JOIN state s ON s.num = t.num"  \
               " WHERE t.id > ?2 AND t.id < ?3 ORDER BY t.id LIMIT ?4")                        \
    X(LIST_DOWN,                                                                               \
      "SELECT " SQLITE_SHORT_TASK " FROM task t CROSS JOIN state s ON s.num = t.num"           \
      " WHERE t.id > ?2 AND t.id < ?3 ORDER BY t.id DESC LIMIT ?4")                            \
    X(LIST_ASIDE_UP, "SELECT " SQLITE_SHORT_TASK " FROM aside a"                               \
                     " CROSS JOIN task t ON t.num = a.num CROSS JOIN state s ON s.num = t.num" \
                     " WHERE a.status = ?5 AND a.id > ?2 AND a.id < ?3"                        \
                     " ORDER BY a.id LIMIT ?4")                                                \
    X(LIST_ASIDE_DOWN, "SELECT " SQLITE_SHORT_TASK " FROM aside a"                             \
                       " CROSS JOIN task t ON t.num = a.num"                                   \
                       " CROSS JOIN state s ON s.num = t.num"                                  \
                       " WHERE a.status = ?5 AND a.id > ?2 AND a.id < ?3"                      \
                       " ORDER BY a.id DESC LIMIT ?4")                                         \
    X(LIST_ONE, "SELECT " SQLITE_SHORT_TASK " FROM task t CROSS JOIN state s ON s.num = t.num" \
                " WHERE t.num = ?2")                                                           \
    X(ID_OF_NUM, "SELECT id FROM task WHERE num = ?1")                                         \
    X(COUNTS,                                                                                  \
      "SELECT queue, sum(waiting), sum(processing), sum(scheduled), sum(failed), min(since)"   \
      " FROM (SELECT queue, sum(count) AS waiting, 0 AS processing, 0 AS scheduled,"           \
      " 0 AS failed, min(since_ms) AS since FROM ready GROUP BY queue"                         \
      " UNION ALL SELECT queue, 0, sum(count), 0, 0, NULL FROM lease GROUP BY queue"           \
      " UNION ALL SELECT queue, 0, 0, scheduled, failed, NULL FROM tally"                      \
      " WHERE scheduled <> 0 OR failed <> 0) GROUP BY queue ORDER BY queue")                   \
    X(LAST_NUM, "SELECT max(num) FROM task")                                                   \
    X(LAST_PLACE, "SELECT max(coalesce((SELECT max(seq) FROM ready), 0),"                      \
                  " coalesce((SELECT max(id) FROM lease), 0))")                                \
    X(HEALTH_SET, "UPDATE health SET checked_at = ?1 WHERE num = 1")

#define SQLITE_NAME_OF(name, text) SQLITE_##name##_STATEMENT,
enum sqlite_statement { SQLITE_STATEMENTS(SQLITE_NAME_OF) SQLITE_STATEMENT_COUNT };
#undef SQLITE_NAME_OF

/** The text of a statement. */
const char *sqlite_statement_text(enum sqlite_statement statement);

#endif
