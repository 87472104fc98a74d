# The cluster's database: its users, their passwords, its schema.

roles=(owner api worker publisher reader)

encoded() { # TEXT: for a URL
    local LC_ALL=C text=$1 at byte

    for ((at = 0; at < ${#text}; at++)); do
        byte=${text:at:1}
        case $byte in
        [A-Za-z0-9/._-]) printf %s "$byte" ;;
        *) printf '%%%02X' "$(printf %d "'$byte")" ;;
        esac
    done
}

# database_url ROLE
database_url() {
    echo "postgresql://taskcore_$1@127.0.0.1:$postgres_port/taskcore?passfile=$(encoded "$dir/pgpass")"
}

# write_passwords: made once; the file is for psql as well.
write_passwords() {
    local role

    [ ! -s "$dir/pgpass" ] || return
    (umask 077 && : >"$dir/pgpass.new") || die "cannot write in $dir"
    for role in "${roles[@]}"; do
        printf '*:*:*:taskcore_%s:%s\n' "$role" \
            "$(od -An -N24 -tx1 /dev/urandom | tr -d ' \n')"
    done >>"$dir/pgpass.new"
    mv -f "$dir/pgpass.new" "$dir/pgpass"
}

# roles_sql: users that bear the names of the roles that the schema gives its rights to, and
# the database, owned by who migrates it. May be run again.
roles_sql() {
    local role name password

    for role in "${roles[@]}"; do
        name=taskcore_$role
        password=$(sed -n "s/^.*:$name://p" "$dir/pgpass")
        cat <<END
SELECT 'CREATE ROLE $name' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '$name') \gexec
ALTER ROLE $name LOGIN PASSWORD '$password';
END
    done
    cat <<'END'
SELECT 'CREATE DATABASE taskcore OWNER taskcore_owner'
    WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'taskcore') \gexec
REVOKE ALL ON DATABASE taskcore FROM PUBLIC;
GRANT CONNECT ON DATABASE taskcore TO taskcore_api, taskcore_worker, taskcore_publisher,
    taskcore_reader;
END
}

make_database() {
    local log=$dir/setup.log superuser

    superuser="postgresql://postgres@127.0.0.1:$postgres_port/postgres"
    superuser+="?passfile=$(encoded "$dir/postgres/pgpass")"
    write_passwords
    if ! {
        roles_sql | psql -X -q -v ON_ERROR_STOP=1 -d "$superuser" &&
            "$build/taskctl" --database-url "$(database_url owner)" migrate
    } >"$log" 2>&1; then
        tail -n 20 "$log" >&2
        note "the database could not be set up (log: $log)"
        stop_all
        exit 1
    fi
}

