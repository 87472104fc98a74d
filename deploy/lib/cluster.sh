# The cluster on one machine: PostgreSQL, Kafka, taskapi, taskpublisher, two taskworker. What
# differs between programs is on their command lines, what they share in DIR/env.

servers=(postgres kafka)
programs=(taskapi taskpublisher taskworker-1 taskworker-2)
declare -A pids logs log_starts commands urls

# comm_of NAME: what the kernel calls the process; Kafka is a Java program.
comm_of() {
    case $1 in
    kafka) echo java ;;
    taskworker-*) echo taskworker ;;
    *) echo "$1" ;;
    esac
}

# --- starting

fetch_kafka() {
    [ -n "$(compgen -G "$build/kafka-[0-9]*")" ] || note "fetching Apache Kafka"
    "$root/deploy/dev/kafka" --fetch || exit 1
}

# refuse_settings: those that name what this form brings itself.
refuse_settings() {
    local name

    for name in TASK_DATABASE_URL TASK_QUEUE_URL; do
        [ -z "${!name:-}" ] || die "deploy/run cluster has servers of its own: unset $name"
    done
    unset TASK_DATABASE_URL TASK_QUEUE_URL TASK_ADMIN_LISTEN
}

# refuse_twice: nothing of an earlier start may be left.
refuse_twice() {
    local name left=() ids=()

    for name in "${programs[@]}" "${servers[@]}"; do
        if is_running "$name" "$(comm_of "$name")"; then
            left+=("$name")
            ids+=("$(cat "$dir/$name.pid")")
        fi
    done
    if [ ${#left[@]} -gt 0 ]; then
        die "in $dir there run already: ${left[*]} (kill ${ids[*]})"
    fi
}

# launch NAME COMMAND...: start it and remember it.
launch() {
    local name=$1

    start "$@"
    pids[$name]=$pid
    logs[$name]=$log
    log_starts[$name]=$log_start
}

log_of() { # NAME: since this start
    tail -c "+${log_starts[$1]}" "${logs[$1]}"
}

fail_with_log() { # NAME
    log_of "$1" | tail -n 20 >&2
    note "$1 did not start (its log: ${logs[$1]})"
    stop_all
    exit 1
}

# await NAME COMMAND...: until the command succeeds; ends everything when the process ends
# before, or when a stop is asked for.
await() {
    local name=$1
    shift

    until "$@" 2>/dev/null; do
        if [ -n "$stop_asked" ]; then
            stop_all
            exit 0
        fi
        lives "${pids[$name]}" || fail_with_log "$name"
        sleep 0.05
    done
    commands[$name]=$(command_of "${pids[$name]}")
}

start_servers() {
    mkdir -p "$dir/kafka" || exit 1
    kafka_port=$(kept_port "$dir/kafka/port") || exit 1
    launch postgres "$root/deploy/dev/postgres" "$dir/postgres"
    launch kafka "$root/deploy/dev/kafka" "$dir/kafka" --port "$kafka_port"
}

has_said() { # NAME TEXT
    log_of "$1" | grep -qF "$2"
}

await_postgres() {
    await postgres has_said postgres 'ready to accept connections'
    log_of postgres | grep -F 'cannot reach' >&2
    read -r postgres_port <"$dir/postgres/port"
}

# --- programs

# own_port: sets `port`; who was given one a moment ago may not listen yet.
own_port() {
    while [ -z "$port" ] || [[ " ${urls[*]} " == *":$port "* ]]; do
        port=$(free_port) || exit 1
    done
}

# start_program NAME ARGUMENTS...: with an admin port of its own, but for taskapi, which
# answers on its one port.
start_program() {
    local name=$1 port=
    shift

    case $name in
    taskapi) urls[$name]=$url ;;
    *)
        own_port
        set -- "$@" --admin-listen "127.0.0.1:$port"
        urls[$name]=http://127.0.0.1:$port
        ;;
    esac
    launch "$name" "$build/$(comm_of "$name")" "$@"
}

start_programs() {
    start_program taskapi --database-url "$(database_url api)" --workers 0
    start_program taskpublisher --database-url "$(database_url publisher)"
    start_program taskworker-1 --database-url "$(database_url worker)"
    start_program taskworker-2 --database-url "$(database_url worker)"
}

is_ready() { # NAME
    local at=${urls[$1]#http://}

    [ "$(http_status "${at%:*}" "${at##*:}" /readyz)" = 200 ]
}

tell() {
    echo "taskapi runs at $url, its API documentation at $url/docs;" \
        "with it taskpublisher, taskworker-1 and -2, PostgreSQL, Kafka"
    echo "data: $dir (NAME.pid and NAME.log of each; common settings: env)"
    echo "try: curl -s $url/api/v1/tasks -H 'Content-Type: application/json'" \
        "-d '{\"payload\":\"test task\"}'"
    echo "stop: Ctrl-C, or kill $$"
}

run_cluster() {
    refuse_settings
    mkdir -p "$dir" || exit 1
    dir=$(cd "$dir" && pwd -P) || exit 1
    export TASK_LISTEN=${TASK_LISTEN:-127.0.0.1:8000}
    where "$TASK_LISTEN"
    [ "$port" != 0 ] || die "TASK_LISTEN needs a port"
    refuse_twice
    if http_status "$host" "$port" / >/dev/null 2>&1; then
        die "something listens on $host:$port already; TASK_LISTEN=127.0.0.1:PORT takes another"
    fi
    stop_asked=
    hurry=
    bad_end=
    exec {never}<> <(:)
    trap ask_stop INT TERM HUP
    trap stop_all EXIT
    start_servers
    await_postgres
    make_database
    await kafka has_said kafka 'ready on '
    export TASK_QUEUE_URL=kafka://127.0.0.1:$kafka_port
    write_env
    start_programs
    for name in "${programs[@]}"; do
        await "$name" is_ready "$name"
    done
    tell
    watch
    stop_all
    exit ${bad_end:-0}
}
