#!/bin/sh
# A pull worker in shell: takes tasks of type "double" and says how each of them ended.
# Usage: worker.sh [http://HOST:PORT]
api=${1:-http://127.0.0.1:8000}/api/v1

# Your work: payload in, result out, both as JSON text; any status but 0 is a failure.
work() { case $1 in *[!0-9]*) return 65 ;; *) echo $((2 * $1)) ;; esac; }

post() { curl -sS --fail-with-body --json "$2" "$api/$1"; }

# One line for each leased task: id, epoch, payload. Without any it fails.
lines() { python3 -c 'import json, sys
for task in json.loads(sys.stdin.read() or "{}").get("tasks") or sys.exit(1):
    print(task["id"], task["epoch"], json.dumps(task["payload"]))'; }

wish='{"worker":"shell","types":["double"],"wait_ms":20000}'
while tasks=$(post leases "$wish" | lines) || sleep 1; do
    printf '%s' "${tasks:+$tasks
}" | while read -r id epoch payload; do
        while sleep 10 && post "tasks/$id/heartbeat" "{\"epoch\":$epoch}"; do :; done >&2 &
        if result=$(work "$payload"); then
            post "tasks/$id/complete" "{\"epoch\":$epoch,\"result\":$result}"
        else
            post "tasks/$id/fail" "{\"epoch\":$epoch,\"error\":\"exit status $?\"}"
        fi
        kill $!
        echo
    done
done
