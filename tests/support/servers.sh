# One PostgreSQL and one Kafka for a whole run of the tests, in a folder that goes with it.
# Sourced by tests/run. Programs of tests make databases and topics of their own on them.

servers_folder=
servers_pids=()

# start_servers: without waiting, since building takes longer than they do. Called again it does
# nothing.
start_servers() {
    [ -z "$servers_folder" ] || return 0
    "$root/deploy/dev/kafka" --fetch || return 1
    servers_folder=$(mktemp -d "${TMPDIR:-/tmp}/taskcore-tests-XXXXXX") || return 1
    chmod 711 "$servers_folder" # PostgreSQL runs as a user of its own
    run_server postgres "$root/deploy/dev/postgres" "$servers_folder/postgres"
    run_server kafka "$root/deploy/dev/kafka" "$servers_folder/kafka"
}

# run_server NAME COMMAND...: it dies with this script, whatever this script dies of.
run_server() {
    local name=$1
    shift

    set -m
    setpriv --pdeathsig KILL "$@" >"$artifacts/$name.log" 2>&1 </dev/null &
    servers_pids+=($!)
    set +m
}

# await_server NAME PID TEXT: until its log says so.
await_server() {
    local deadline=$((SECONDS + 90))

    until grep -qsF "$3" "$artifacts/$1.log"; do
        if ! kill -0 "$2" 2>/dev/null || [ "$SECONDS" -ge "$deadline" ]; then
            tail -n 20 "$artifacts/$1.log" >&2
            note "$1 does not start"
            return 1
        fi
        sleep 0.1
    done
}

# await_servers: sets TC_TEST_POSTGRES and TC_TEST_KAFKA; called again it does nothing.
await_servers() {
    [ -z "${TC_TEST_KAFKA:-}" ] || return 0
    [ -n "$servers_folder" ] || return 1
    await_server postgres "${servers_pids[0]}" 'ready to accept connections' &&
        await_server kafka "${servers_pids[1]}" 'ready on ' || return 1
    # The password by a file of its own: tests put other databases and users into the URL.
    export PGPASSFILE=$servers_folder/postgres/pgpass
    TC_TEST_POSTGRES=postgresql://postgres@127.0.0.1:$(cat "$servers_folder/postgres/port")/postgres
    TC_TEST_KAFKA=127.0.0.1:$(cat "$servers_folder/kafka/port")
    export TC_TEST_POSTGRES TC_TEST_KAFKA
    prepare_postgres
}

# prepare_postgres: roles belong to the whole server, and migrations of several databases at the
# same time would all make them. One user that does not exist is told so, not asked for a
# password.
prepare_postgres() {
    local hba=$servers_folder/postgres/data/pg_hba.conf lines

    lines=$(cat "$hba") || return 1
    printf '%s\n' 'host all taskcore_test_nobody 127.0.0.1/32 trust' "$lines" >"$hba"
    {
        printf 'CREATE ROLE taskcore_%s;\n' api worker publisher reader
        echo 'ALTER SYSTEM SET fsync = off;' # nobody kills this one; the drills kill their own
        echo 'SELECT pg_reload_conf();'
    } | psql -X -q -v ON_ERROR_STOP=1 -d "$TC_TEST_POSTGRES" >>"$artifacts/postgres.log" 2>&1
}

stop_servers() {
    local pid data

    [ -n "$servers_folder" ] || return
    for pid in "${servers_pids[@]}"; do
        kill -INT "$pid" 2>/dev/null
    done
    for pid in "${servers_pids[@]}"; do
        for _ in {1..50}; do
            kill -0 "$pid" 2>/dev/null || break
            sleep 0.1
        done
        kill -KILL "$pid" 2>/dev/null
        wait "$pid" 2>/dev/null # or the shell says behind the last line that it was killed
    done
    # Where the user postgres cannot reach the folder, the data is elsewhere.
    data=$(readlink -f "$servers_folder/postgres/data") && rm -rf "$data"
    rm -rf "$servers_folder"
}
