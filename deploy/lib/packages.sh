# Debian packages: install what is missing, touch nothing else.

# listed_packages FILE...: the names in package lists.
listed_packages() {
    sed 's/#.*//' "$@" | xargs -n 1
}

# missing_packages FILE...: those of the lists that are not installed.
missing_packages() {
    local wanted installed

    wanted=$(listed_packages "$@" | LC_ALL=C sort -u)
    # shellcheck disable=SC2086 # one argument per name is meant
    installed=$(dpkg-query -W -f '${Package} ${db:Status-Abbrev}\n' $wanted 2>/dev/null |
        sed -n 's/ ii *$//p' | LC_ALL=C sort -u)
    LC_ALL=C comm -23 <(echo "$wanted") <(echo "$installed")
}

# as_root COMMAND...: directly, or through sudo.
as_root() {
    local path="$PATH:/usr/local/sbin:/usr/sbin:/sbin" # dpkg looks for its helpers there

    if [ "$(id -u)" = 0 ]; then
        env PATH="$path" DEBIAN_FRONTEND=noninteractive "$@"
    else
        sudo env PATH="$path" DEBIAN_FRONTEND=noninteractive "$@"
    fi
}

apt_install() {
    as_root apt-get install -qq -y --no-install-recommends -o Dpkg::Use-Pty=0 \
        -o DPkg::Lock::Timeout=600 "$@"
}

# install_missing LOG FILE...: asks the archive for fresh lists only when the old ones fail.
install_missing() {
    local log=$1 missing
    shift

    if ! command -v dpkg-query >/dev/null; then
        note "this is no Debian: the packages in $* have to be there already"
        return
    fi
    missing=$(missing_packages "$@" | xargs)
    [ -n "$missing" ] || return 0
    if [ "$(id -u)" != 0 ] && ! command -v sudo >/dev/null; then
        die "as root: apt-get install --no-install-recommends $missing"
    fi
    note "installing $missing"
    # shellcheck disable=SC2086
    apt_install $missing >>"$log" 2>&1 </dev/null && return
    as_root apt-get update -qq >>"$log" 2>&1 </dev/null ||
        die_with_log "$log" "apt-get update failed"
    # shellcheck disable=SC2086
    apt_install $missing >>"$log" 2>&1 </dev/null ||
        die_with_log "$log" "could not install $missing"
}

# install_servers LOG FILE...: as install_missing, but without the server "main" that Debian's
# PostgreSQL makes and starts on port 5432 when it is installed: ours are private ones.
install_servers() {
    local dropin=/etc/postgresql-common/createcluster.d/zz-taskcore.conf log=$1 status
    shift

    if [ -z "$(missing_packages "$@" 2>/dev/null)" ]; then
        return
    fi
    if [ "$(id -u)" = 0 ] || command -v sudo >/dev/null; then
        as_root mkdir -p "${dropin%/*}"
        echo 'create_main_cluster = false' | as_root tee "$dropin" >/dev/null
    fi
    (install_missing "$log" "$@")
    status=$?
    as_root rm -f "$dropin" 2>/dev/null
    [ "$status" = 0 ] || exit "$status"
}
