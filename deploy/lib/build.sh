# The plain build in build/, which deploy/run starts and the tests of whole processes use.

build=$root/build
build_log=$build/deploy.log

# prepare_build: a folder to log to; a build that was moved here with its tree starts anew,
# because its files name the old place.
prepare_build() {
    local made_for

    if [ -e "$build/build.ninja" ]; then
        made_for=$(cat "$build/configured-root" 2>/dev/null)
        if [ -n "$made_for" ] && [ "$made_for" != "$root" ]; then
            note "build/ was made for $made_for: building anew"
            rm -rf "$build"
        fi
    fi
    mkdir -p "$build" || exit 1
    : >"$build_log" || die "cannot write $build_log"
}

# fetch_docs_ui: Swagger UI into build/swagger-ui. Without a registry the build goes on; what
# failed is tried again after a day.
fetch_docs_ui() {
    local script=$root/scripts/fetch-swagger-ui.sh ui=$build/swagger-ui
    local failed=$build/swagger-ui.failed

    docs_ui=
    if [ ! -s "$ui/swagger-ui-bundle.js" ] && [ -e "$script" ]; then
        [ -n "$(find "$failed" -mmin -1440 2>/dev/null)" ] && return
        note "fetching Swagger UI for /docs"
        if ! sh "$script" "$ui" >"$ui.log" 2>&1 </dev/null; then
            note "Swagger UI could not be fetched: /docs lists the operations without it" \
                "(log: $ui.log)"
            : >"$failed"
            return
        fi
        rm -f "$failed"
    fi
    [ -s "$ui/swagger-ui-bundle.js" ] && docs_ui=$ui
}

# configure_build: meson setup, only when there is none or what it was told has changed.
configure_build() {
    if [ ! -e "$build/build.ninja" ]; then
        note "building (log: $build_log)"
        meson setup "$build" "$root" -Ddocs_ui="$docs_ui" >>"$build_log" 2>&1 ||
            die_with_log "$build_log" "meson setup failed"
        echo "$root" >"$build/configured-root"
    elif [ "$docs_ui" != "$(cat "$build/configured-docs-ui" 2>/dev/null)" ]; then
        meson configure "$build" -Ddocs_ui="$docs_ui" >>"$build_log" 2>&1 ||
            die_with_log "$build_log" "meson configure failed"
    fi
    echo "$docs_ui" >"$build/configured-docs-ui"
}

# build_programs: what lies directly in build/, that is programs and libraries, no tests.
build_programs() {
    local targets

    targets=$({
        ninja -C "$build" -t targets rule c_LINKER
        ninja -C "$build" -t targets rule STATIC_LINKER
    } 2>/dev/null | grep -v '/' | grep -v '^ninja:')
    [ -n "$targets" ] || die "the build knows no programs"
    # shellcheck disable=SC2086
    ninja -C "$build" --quiet $targets >>"$build_log" 2>&1 ||
        die_with_log "$build_log" "the build failed"
}

# configure_all LIST...: everything from a bare machine to a build folder.
configure_all() {
    prepare_build
    install_missing "$build_log" "$@"
    fetch_docs_ui
    configure_build
}

# build_all LIST...: from a bare machine to binaries in build/.
build_all() {
    configure_all "$@"
    build_programs
}
