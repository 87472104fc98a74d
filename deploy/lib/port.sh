# Ports for servers of our own.

# port_in_use PORT: somebody listens there. Connections that an earlier server left do no harm.
port_in_use() {
    local hex

    hex=$(printf '%04X' "$1")
    grep -qs "^ *[0-9]*: [0-9A-F]*:$hex [0-9A-F]*:0000 0A " /proc/net/tcp /proc/net/tcp6
}

# free_port: below the range that the kernel takes outgoing connections from, so that no client
# has the port when its server comes back.
free_port() {
    local port tries

    for ((tries = 0; tries < 200; tries++)); do
        port=$((20000 + (RANDOM * 32768 + RANDOM) % 12000))
        if ! port_in_use "$port"; then
            echo "$port"
            return
        fi
    done
    die "found no free port between 20000 and 32000"
}

# kept_port FILE: the port of the last time, so that who was told goes on finding the server; a
# new one when there was none, or when somebody else has it now.
kept_port() {
    local port=

    [ ! -e "$1" ] || read -r port <"$1"
    if ! [[ $port =~ ^[1-9][0-9]{0,4}$ ]] || port_in_use "$port"; then
        [ -z "$port" ] || note "port $port is in use: taking another"
        port=$(free_port) || exit 1
        echo "$port" >"$1" || die "cannot write $1"
    fi
    echo "$port"
}
