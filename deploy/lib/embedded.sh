# The embedded form: one taskapi with its SQLite file and its worker threads.

# where LISTEN: sets `host` and `port` to what a client on this machine connects to.
where() {
    port=${1##*:}
    host=${1%"$port"}
    host=${host%:}
    host=${host#[}
    host=${host%]}
    case $host in
    '' | '*' | 0.0.0.0) host=127.0.0.1 ;;
    ::) host=::1 ;;
    esac
    case $host in
    *:*) url=http://[$host]:$port ;;
    *) url=http://$host:$port ;;
    esac
}

# free_port_taken: with TASK_LISTEN=…:0 the port is known from the log only.
free_port_taken() {
    local listening

    listening=$(tail -c "+$log_start" "$log" | grep -ao 'listening on [^ ,"]*:[0-9]*' | head -n 1)
    [ -n "$listening" ] && where "${TASK_LISTEN%:*}:${listening##*:}"
}

# await_ready: until /readyz says 200 or the process is gone.
await_ready() {
    while kill -0 "$pid" 2>/dev/null && [ -z "$stop_asked" ]; do
        if [ "$port" != 0 ] || free_port_taken; then
            [ "$(http_status "$host" "$port" /readyz 2>/dev/null)" = 200 ] && return 0
        fi
        sleep 0.02
    done
    return 1
}

# store_words: where the tasks lie, without the password that a URL may hold.
store_words() {
    case $TASK_DATABASE_URL in
    sqlite:*) echo "${TASK_DATABASE_URL#sqlite:}" ;;
    memory:*) echo "memory only, gone when taskapi ends" ;;
    *) echo "${TASK_DATABASE_URL%%:*}" ;;
    esac
}

three_lines() {
    echo "taskapi runs at $url (pid $pid), its API documentation at $url/docs"
    echo "data: $dir (tasks: $(store_words); log: taskapi.log; settings: env)"
    echo "try: curl -s $url/api/v1/tasks -H 'Content-Type: application/json'" \
        "-d '{\"payload\":\"test task\"}'"
}

run_embedded() {
    mkdir -p "$dir" || exit 1
    dir=$(cd "$dir" && pwd -P) || exit 1
    export TASK_LISTEN=${TASK_LISTEN:-127.0.0.1:8000}
    export TASK_DATABASE_URL=${TASK_DATABASE_URL:-sqlite:$dir/taskcore.db}
    where "$TASK_LISTEN"
    is_running taskapi && die "taskapi runs in $dir already (pid $(cat "$dir/taskapi.pid"))"
    if [ "$port" != 0 ] && http_status "$host" "$port" / >/dev/null 2>&1; then
        die "something listens on $host:$port already; TASK_LISTEN=127.0.0.1:PORT takes another"
    fi
    write_env
    stop_asked=
    pid=
    trap pass_on_stop INT TERM HUP
    start taskapi "$build/taskapi"
    [ -z "$stop_asked" ] || pass_on_stop
    await_ready && three_lines
    await_end
    rm -f "$dir/taskapi.pid"
    if [ "$status" != 0 ]; then
        tail -c "+$log_start" "$log" | tail -n 20 >&2
        note "taskapi ended with status $status (its log: $log)"
    fi
    exit "$status"
}
