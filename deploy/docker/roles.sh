#!/bin/bash
# Run once by the postgres image on an empty data folder: the users that the programs log in as,
# and the database, owned by the one that migrates it. As `deploy/run cluster` does.
set -eu
password=${TASKCORE_PASSWORD:?}
for role in owner api worker publisher reader; do
    printf "CREATE ROLE taskcore_%s LOGIN PASSWORD '%s';\n" "$role" "${password//\'/\'\'}"
done | psql -X -q -v ON_ERROR_STOP=1 -U "$POSTGRES_USER" -d postgres
psql -X -q -v ON_ERROR_STOP=1 -U "$POSTGRES_USER" -d postgres <<'END'
CREATE DATABASE taskcore OWNER taskcore_owner;
REVOKE ALL ON DATABASE taskcore FROM PUBLIC;
GRANT CONNECT ON DATABASE taskcore TO taskcore_api, taskcore_worker, taskcore_publisher,
    taskcore_reader;
END
