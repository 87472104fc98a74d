-- The data model: what was asked (task), what became of it (state), what waits (ready), who
-- works on what (lease), what is due later or was given up (aside).
--
-- Tasks are numbered in the order of their insertion. Everything but clients refers to the
-- number, because SQLite finds a row by an integer several times faster than by a 16-byte
-- key, and reads or updates a run of numbers in one statement.

-- Written once, never updated. The time of creation is in the id (its first 48 bits).
CREATE TABLE task (
    num INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    queue TEXT NOT NULL,
    type TEXT NOT NULL,
    priority INTEGER NOT NULL,
    max_attempts INTEGER NOT NULL,
    max_crashes INTEGER NOT NULL,
    timeout_ms INTEGER NOT NULL,
    titled INTEGER NOT NULL,
    traceparent TEXT,
    tags BLOB, -- per tag: two bytes of length, low one first, and the text
    payload_kind INTEGER NOT NULL,
    payload BLOB
) STRICT;

-- Small, because every step of a task writes it anew. No index: the normal way of a task
-- touches no other page. started_at counts once epoch > 0 and finished_at once the status
-- is terminal; they are written from the start so that a row keeps its size and its page
-- is not split when it is claimed.
CREATE TABLE state (
    num INTEGER PRIMARY KEY,
    status INTEGER NOT NULL,
    place INTEGER,            -- ready.seq while waiting, lease.id while processing
    epoch INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    crashes INTEGER NOT NULL,
    outcome INTEGER NOT NULL, -- what the holder of this epoch said; 0: nothing yet
    has INTEGER NOT NULL,     -- rows elsewhere: 1 failure, 2 progress, 4 result
    updated_at INTEGER NOT NULL,
    run_at INTEGER NOT NULL,
    started_at INTEGER NOT NULL,
    finished_at INTEGER NOT NULL,
    result_kind INTEGER NOT NULL,
    result BLOB               -- a short one
) STRICT;

-- Beside the state, so that it stays small.
CREATE TABLE failure (
    num INTEGER PRIMARY KEY,
    reason INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    message TEXT NOT NULL
) STRICT;

CREATE TABLE progress (
    num INTEGER PRIMARY KEY,
    data BLOB NOT NULL
) STRICT;

CREATE TABLE result (
    num INTEGER PRIMARY KEY,
    data BLOB NOT NULL
) STRICT;

-- One row per group of waiting tasks of one queue, type and priority. rank = 10 - priority,
-- so that the order of the key is the order of the claims. members: runs of numbers, each
-- 8 bytes of the first and 4 of how many, low byte first.
CREATE TABLE ready (
    queue TEXT NOT NULL,
    type TEXT NOT NULL,
    rank INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    since_ms INTEGER NOT NULL,
    count INTEGER NOT NULL,
    members BLOB NOT NULL,
    PRIMARY KEY (queue, type, rank, seq)
) STRICT, WITHOUT ROWID;

-- One row per group that was claimed together from one queue; rescue: taken over from an
-- ended lease, whose crash is counted already. due_at 0: ended with its process.
CREATE TABLE lease (
    id INTEGER PRIMARY KEY,
    queue TEXT NOT NULL,
    owner TEXT NOT NULL,
    due_at INTEGER NOT NULL,
    duration_ms INTEGER NOT NULL,
    of_process INTEGER NOT NULL,
    rescue INTEGER NOT NULL,
    count INTEGER NOT NULL,
    members BLOB NOT NULL
) STRICT;

CREATE INDEX lease_due ON lease (due_at);

-- Scheduled tasks with the time they are due, and failed ones without.
CREATE TABLE aside (
    status INTEGER NOT NULL,
    id BLOB NOT NULL,
    num INTEGER NOT NULL,
    due_at INTEGER,
    PRIMARY KEY (status, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX aside_due ON aside (due_at) WHERE due_at IS NOT NULL;

-- How many of them each queue has, so that nobody has to count rows.
CREATE TABLE tally (
    queue TEXT PRIMARY KEY,
    scheduled INTEGER NOT NULL,
    failed INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE key (
    num INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    hash BLOB NOT NULL,
    first_id BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    answer BLOB NOT NULL
) STRICT;

CREATE INDEX key_created ON key (created_at);

-- One row, written by the health check to prove that writing works.
CREATE TABLE health (
    num INTEGER PRIMARY KEY CHECK (num = 1),
    checked_at INTEGER NOT NULL
) STRICT;

INSERT INTO health (num, checked_at) VALUES (1, 0);
