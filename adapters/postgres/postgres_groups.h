#ifndef TASKCORE_ADAPTERS_POSTGRES_GROUPS_H
#define TASKCORE_ADAPTERS_POSTGRES_GROUPS_H

/**
 * @file postgres_groups.h
 * How tasks that the server has just picked enter rows of taskcore.ready: for wake, finish and
 * change. (An insert knows its groups before and does without.)
 *
 * The text of three CTEs, to be put between others: `picked` is the name of one before, with
 * the columns id, queue, type and priority; `now` and `check_after` are expressions of type
 * bigint. After them `placed(id, seq)` tells what to write into task.place:
 *
 *     WITH clock AS (…), due AS MATERIALIZED (SELECT … FOR UPDATE),
 *     POSTGRES_ENTER_READY("due", "(SELECT at FROM clock)", "$3")
 *     UPDATE taskcore.task t SET place = p.seq, … FROM placed p WHERE t.id = p.id
 *
 * One row per queue, type and priority and 256 ids; older tasks get the lower seq. The names
 * grouped, entered and placed are taken then.
 */
#define POSTGRES_ENTER_READY(picked, now, check_after)                                         \
    "grouped AS MATERIALIZED ("                                                                \
    "    SELECT queue, type, priority, nextval('taskcore.ready_seq') AS seq, ids"              \
    "    FROM (SELECT queue, type, priority, array_agg(id ORDER BY id) AS ids"                 \
    "          FROM (SELECT id, queue, type, priority,"                                        \
    "                       (row_number() OVER (PARTITION BY queue, type, priority"            \
    "                                           ORDER BY id) - 1) / 256 AS part"               \
    "                FROM " picked ") AS numbered"                                             \
    "          GROUP BY queue, type, priority, part"                                           \
    "          ORDER BY (array_agg(id ORDER BY id))[1]) AS parts),"                            \
    "entered AS ("                                                                             \
    "    INSERT INTO taskcore.ready (queue, type, rank, seq, since, check_at, ids)"            \
    "    SELECT queue, type, 10 - priority, seq, " now ", " now " + " check_after ", ids"      \
    "    FROM grouped),"                                                                       \
    "placed AS (SELECT unnest(ids) AS id, seq FROM grouped)"

#endif
