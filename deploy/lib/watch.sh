# What the cluster does while it runs, and how it ends. `pids`, `logs` and `commands` say what
# runs, by name.

# command_of PID: its command line, arguments separated by newlines.
command_of() {
    tr '\0' '\n' <"/proc/$1/cmdline"
} 2>/dev/null

# pids_running NAME: every process with its command line, whoever started it.
pids_running() {
    local file first

    [ -n "${commands[$1]:-}" ] || return
    read -r first <<<"${commands[$1]}"
    while IFS= read -r file; do
        file=${file%/cmdline}
        if [ "$(command_of "${file#/proc/}")" = "${commands[$1]}" ]; then
            echo "${file#/proc/}"
        fi
    done < <(grep -lsF -- "$first" /proc/[0-9]*/cmdline)
}

# lives PID: and has not just ended without anybody having asked how.
lives() {
    local stat

    read -r stat 2>/dev/null <"/proc/$1/stat" || return 1
    [[ ${stat##*) } != [ZX]* ]]
}

# look_after NAME: tell when it has ended, and when somebody has started it again.
look_after() {
    local name=$1 found

    if [ -n "${pids[$name]}" ]; then
        lives "${pids[$name]}" && return
        wait "${pids[$name]}" 2>/dev/null
        note "$name (pid ${pids[$name]}) has ended, status $?; the others go on (its log:" \
            "${logs[$name]})"
        pids[$name]=
    fi
    found=$(pids_running "$name" | head -n 1)
    if [ -n "$found" ]; then
        pids[$name]=$found
        echo "$found" >"$dir/$name.pid"
        note "$name runs again (pid $found)"
    fi
}

# watch: until a stop is asked for. Who was started again by hand is no child of ours, so all
# are looked at, which takes a few microseconds as long as they run.
watch() {
    local name

    while [ -z "$stop_asked" ]; do
        for name in "${programs[@]}" "${servers[@]}"; do
            look_after "$name"
        done
        [ -n "$stop_asked" ] || pause
    done
}

# pause: a second, without a process for it; a pipe that nobody writes to.
pause() {
    read -r -t 1 -u "$never"
}

# --- stopping

# stop_these SECONDS SIGNAL NAME...: together; kill -9 for what takes longer.
stop_these() {
    local end=$((SECONDS + $1)) signal=$2 name found
    shift 2

    for name in "$@"; do
        found=$(pids_running "$name" | xargs)
        pids[$name]=${found:-${pids[$name]:-}}
        # shellcheck disable=SC2086 # several pids
        kill "-$signal" ${pids[$name]} 2>/dev/null
    done
    for name in "$@"; do
        await_gone "$name" "$end" "$signal"
        rm -f "$dir/$name.pid"
    done
}

await_gone() { # NAME END SIGNAL
    local name=$1 id again=

    for id in ${pids[$name]:-}; do
        while lives "$id"; do
            if [ -n "$hurry" ] && [ -z "$again" ]; then
                again=1
                kill "-$3" "$id" 2>/dev/null
            fi
            if [ "$SECONDS" -ge "$2" ]; then
                note "$name (pid $id) did not end in time: killed"
                kill -KILL "$id" 2>/dev/null
                bad_end=1
                break
            fi
            sleep 0.02
        done
    done
}

# stop_all: first who takes tasks in, last what keeps them. Once: it is also called at exit.
stop_all() {
    local drain=20

    trap - EXIT
    [[ ${TASK_DRAIN_MS:-} =~ ^[0-9]{1,9}$ ]] && drain=$((10#$TASK_DRAIN_MS / 1000))
    stop_these 10 TERM taskapi
    stop_these 10 TERM taskpublisher
    stop_these $((drain + 5)) TERM taskworker-1 taskworker-2
    stop_these 10 TERM kafka
    stop_these 10 INT postgres
}

ask_stop() {
    [ -z "$stop_asked" ] || hurry=1
    stop_asked=1
}

