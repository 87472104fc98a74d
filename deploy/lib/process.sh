# Processes of a deployment: each has NAME.pid and NAME.log in the data folder.

# is_running NAME [COMM]: the pid file's process is alive and is NAME, or what the kernel calls
# it.
is_running() {
    local pid

    read -r pid 2>/dev/null <"$dir/$1.pid" || return 1
    [ -n "$pid" ] && [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = "${2:-$1}" ]
}

# quoted VALUE: as a shell reads it back; plain when it needs no quotes.
quoted() {
    case $1 in
    *[!A-Za-z0-9_./:,@%+=-]*) printf "'%s'" "${1//\'/\'\\\'\'}" ;;
    *) printf '%s' "$1" ;;
    esac
}

# write_env: the TASK_ settings in force, for `set -a; . DIR/env`. They may hold secrets.
write_env() {
    local name

    (umask 077 && : >"$dir/env.new") || die "cannot write in $dir"
    for name in $(compgen -e | grep '^TASK_' | LC_ALL=C sort); do
        printf '%s=%s\n' "$name" "$(quoted "${!name}")"
    done >>"$dir/env.new"
    mv -f "$dir/env.new" "$dir/env"
}

# start NAME PROGRAM ARGUMENTS...: in a process group of its own, so that a terminal's Ctrl-C
# reaches this script alone, which passes on exactly one SIGTERM. Sets `pid` and `log_start`.
start() {
    local name=$1
    shift
    log=$dir/$name.log
    if [ "$(stat -c %s "$log" 2>/dev/null || echo 0)" -gt 67108864 ]; then
        mv -f "$log" "$log.1"
    fi
    : >>"$log" || die "cannot write $log"
    log_start=$(($(stat -c %s "$log") + 1))
    set -m
    "$@" >>"$log" 2>&1 </dev/null &
    pid=$!
    set +m
    echo "$pid" >"$dir/$name.pid"
}

pass_on_stop() {
    stop_asked=1
    kill -TERM "$pid" 2>/dev/null
}

# await_end: wait for `pid` whatever signals come in between. Sets `status`.
await_end() {
    while :; do
        stop_asked=
        wait "$pid" 2>/dev/null # without the shell's own note on how it ended
        status=$?
        [ -n "$stop_asked" ] || return 0
    done
}

# http_status HOST PORT PATH: the status code, empty when nobody answers within 2 s.
http_status() {
    local line

    exec 3<>"/dev/tcp/$1/$2" || return 1
    printf 'GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' "$3" >&3
    IFS= read -r -t 2 line <&3
    exec 3>&-
    [[ $line =~ ^HTTP/1\.[01]\ ([0-9]{3}) ]] && echo "${BASH_REMATCH[1]}"
}
