-- The data model: the truth (task), what waits (ready), who works on what (lease). Statements
-- name the schema, so that no search_path matters.

CREATE SCHEMA IF NOT EXISTS taskcore;

-- The time of the store: milliseconds since 1970, UTC.
CREATE FUNCTION taskcore.now_ms() RETURNS bigint LANGUAGE sql VOLATILE PARALLEL SAFE
    AS $$ SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint $$;

-- Reached by its key alone. No index mentions a column that changes on the normal way
-- (create, claim, finish), so every update of it is HOT: the new version goes to the same page,
-- for which fillfactor leaves room, and no index is written. wake_at and failed_at stay NULL on
-- that way. The time of creation is in the id (its first 48 bits).
CREATE TABLE taskcore.task (
    id uuid PRIMARY KEY,
    place bigint,                -- ready.seq while waiting, lease.id while processing
    epoch bigint NOT NULL DEFAULT 0,
    updated_at bigint NOT NULL,
    run_at bigint NOT NULL,
    started_at bigint NOT NULL DEFAULT 0,
    finished_at bigint NOT NULL DEFAULT 0,
    wake_at bigint,              -- run_at while scheduled
    failed_at bigint,            -- finished_at of the dead letters
    timeout_ms bigint NOT NULL,
    error_at bigint NOT NULL DEFAULT 0,
    attempt int NOT NULL DEFAULT 0,
    max_attempts int NOT NULL,
    crashes int NOT NULL DEFAULT 0,
    max_crashes int NOT NULL,
    error_attempt int NOT NULL DEFAULT 0,
    status smallint NOT NULL,
    priority smallint NOT NULL,
    payload_kind smallint NOT NULL,
    result_kind smallint NOT NULL DEFAULT 0,
    outcome smallint NOT NULL DEFAULT 0, -- what the holder of this epoch said; 0: nothing yet
    error_reason smallint NOT NULL DEFAULT 0,
    titled boolean NOT NULL,
    -- What changes stands before what does not: the WAL leaves out what two versions of a row
    -- have in common at their ends, and so does not repeat the payload.
    result bytea,
    error bytea,                 -- the message of the last attempt that did not end well
    progress bytea,
    queue text COLLATE "C" NOT NULL,
    type text COLLATE "C" NOT NULL,
    traceparent text COLLATE "C",
    tags bytea,                  -- per tag: two bytes of length, low one first, and the text
    payload bytea,
    CONSTRAINT task_status CHECK (status BETWEEN 0 AND 6),
    CONSTRAINT task_finished CHECK ((status >= 4) = (finished_at <> 0)),
    CONSTRAINT task_scheduled CHECK ((status = 0) = (wake_at IS NOT NULL)),
    CONSTRAINT task_failed CHECK ((status = 5) = (failed_at IS NOT NULL)),
    CONSTRAINT task_place CHECK ((status BETWEEN 1 AND 3) = (place IS NOT NULL)),
    CONSTRAINT task_attempts CHECK (attempt >= 0 AND crashes >= 0)
) WITH (fillfactor = 45, autovacuum_vacuum_scale_factor = 0.05,
        autovacuum_vacuum_insert_scale_factor = 0.2, autovacuum_vacuum_cost_delay = 0);

CREATE INDEX task_wake ON taskcore.task (wake_at) WHERE wake_at IS NOT NULL;
CREATE INDEX task_scheduled ON taskcore.task (queue, id) WHERE wake_at IS NOT NULL;
CREATE INDEX task_failed ON taskcore.task (queue, id) WHERE failed_at IS NOT NULL;

-- One row per group of waiting tasks of one queue, type and priority. rank = 10 - priority, so
-- that the order of the key is the order of the claims. seq comes from a sequence before the
-- commit: a lower one may show up later than a higher one. Members that were claimed by id while
-- another session held the row stay in it until a claim comes by; a claim asks the task.
CREATE SEQUENCE taskcore.ready_seq;
CREATE TABLE taskcore.ready (
    queue text COLLATE "C" NOT NULL,
    type text COLLATE "C" NOT NULL,
    rank smallint NOT NULL,
    seq bigint NOT NULL,
    since bigint NOT NULL,       -- when they began to wait
    check_at bigint,             -- when a publisher has to look after them; NULL: never
    announced int NOT NULL DEFAULT 0,
    ids uuid[] NOT NULL,         -- at most 256
    PRIMARY KEY (queue, type, rank, seq)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.01,
        autovacuum_vacuum_threshold = 500, autovacuum_vacuum_cost_delay = 0);
-- In the row, not beside it and not packed: it is read and shortened all the time.
ALTER TABLE taskcore.ready ALTER COLUMN ids SET STORAGE PLAIN;
CREATE INDEX ready_check ON taskcore.ready (check_at) WHERE check_at IS NOT NULL;

-- One row per group that was claimed together from one queue. live: how many of ids are still
-- processing under this lease; the row goes with the last of them. rescue: taken over from an
-- ended lease, whose crash is counted already.
CREATE SEQUENCE taskcore.lease_id;
CREATE TABLE taskcore.lease (
    id bigint PRIMARY KEY,
    due_at bigint NOT NULL,
    duration_ms bigint NOT NULL,
    incarnation bigint,          -- the process it ends with (an advisory lock); NULL: none
    live int NOT NULL CHECK (live > 0),
    rescue boolean NOT NULL,
    queue text COLLATE "C" NOT NULL,
    owner text COLLATE "C" NOT NULL,
    ids uuid[] NOT NULL
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.01,
        autovacuum_vacuum_threshold = 500, autovacuum_vacuum_cost_delay = 0);
ALTER TABLE taskcore.lease ALTER COLUMN ids SET STORAGE PLAIN;
CREATE INDEX lease_due ON taskcore.lease (due_at);

-- Idempotency keys; the first answer is given again.
CREATE TABLE taskcore.key (
    key text COLLATE "C" PRIMARY KEY,
    hash bytea NOT NULL,
    first_id uuid NOT NULL,
    created_at bigint NOT NULL,
    answer bytea NOT NULL
);
CREATE INDEX key_created ON taskcore.key (created_at);

-- Processes that sleep until they are told something: who tells nobody sends no NOTIFY. A hint,
-- so it need not survive a crash of the server.
CREATE UNLOGGED TABLE taskcore.listener (
    incarnation bigint PRIMARY KEY,
    ready boolean NOT NULL,      -- waits for tasks
    ended boolean NOT NULL       -- waits for the end of tasks
) WITH (fillfactor = 50);

-- One row, written by the health check to prove that writing works.
CREATE TABLE taskcore.health (
    num int PRIMARY KEY CHECK (num = 1),
    checked_at bigint NOT NULL
) WITH (fillfactor = 10);
INSERT INTO taskcore.health (num, checked_at) VALUES (1, 0);

-- Roles without login, to be granted to the users of each program. Whoever migrates and may not
-- create roles leaves that to the administrator: what is missing is left out below.
DO $$
DECLARE
    may_create boolean := (SELECT rolsuper OR rolcreaterole FROM pg_roles
                           WHERE rolname = current_user);
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['taskcore_api', 'taskcore_worker', 'taskcore_publisher',
                                'taskcore_reader'] LOOP
        IF may_create AND NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) THEN
            EXECUTE format('CREATE ROLE %I NOLOGIN', name);
        END IF;
        IF EXISTS (SELECT FROM pg_roles WHERE rolname = name) THEN
            EXECUTE format('GRANT USAGE ON SCHEMA taskcore TO %I', name);
            EXECUTE format('GRANT SELECT ON ALL TABLES IN SCHEMA taskcore TO %I', name);
        END IF;
    END LOOP;
END $$;

-- Who creates, cancels and serves pull workers; who runs tasks; who announces. Nobody but the
-- owner may delete a task, change its payload or the schema.
DO $$
DECLARE
    moving text := 'place, epoch, updated_at, run_at, started_at, finished_at, wake_at, '
                   'failed_at, error_at, attempt, crashes, error_attempt, status, result_kind, '
                   'outcome, error_reason, result, error, progress';
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['taskcore_api', 'taskcore_worker'] LOOP
        CONTINUE WHEN NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name);
        EXECUTE format('GRANT UPDATE (%s) ON taskcore.task TO %I', moving, name);
        EXECUTE format('GRANT INSERT, UPDATE, DELETE ON taskcore.ready, taskcore.lease, '
                       'taskcore.listener TO %I', name);
        EXECUTE format('GRANT DELETE ON taskcore.key TO %I', name);
        EXECUTE format('GRANT UPDATE ON taskcore.health TO %I', name);
        EXECUTE format('GRANT USAGE ON ALL SEQUENCES IN SCHEMA taskcore TO %I', name);
    END LOOP;
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'taskcore_api') THEN
        GRANT INSERT ON taskcore.task, taskcore.key TO taskcore_api;
    END IF;
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'taskcore_publisher') THEN
        GRANT UPDATE (status, updated_at) ON taskcore.task TO taskcore_publisher;
        GRANT UPDATE, DELETE ON taskcore.ready TO taskcore_publisher;
        GRANT INSERT, UPDATE, DELETE ON taskcore.listener TO taskcore_publisher;
        GRANT UPDATE ON taskcore.health TO taskcore_publisher;
    END IF;
END $$;
