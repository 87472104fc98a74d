#!/bin/sh
# fetch-swagger-ui.sh OUT_DIR
#
# Puts swagger-ui-bundle.js and swagger-ui.css (Swagger UI 5, Apache-2.0) into OUT_DIR, for the
# page at /docs. They come out of a package of a registry, whichever client is there: pip or
# npm. The package is pinned by version and checksum; a file with another checksum is never
# unpacked. Does nothing when the files are there already.
#
# Ends with 0 when they are there, with 75 when no registry could be reached or gave the
# package: the service can be built without them, /docs then lists the operations.
set -u

pip_name=drf-spectacular-sidecar
pip_version=2026.10.1
pip_sum=fe1d005d8ac9b5d0472f2fe5deeb2e7d6dcffaa24118044f22578b4b8c4b31f2
npm_name=swagger-ui-dist
npm_version=5.35.0
npm_sum=1b8e891893404ea4c3558b6a87e2a3e494e7eedba41168c2ece5800a391a6ea6

if [ $# -ne 1 ]; then
    echo "usage: $0 OUT_DIR" >&2
    exit 2
fi
out=$1

is_there() {
    [ -s "$out/swagger-ui-bundle.js" ] && [ -s "$out/swagger-ui.css" ] &&
        grep -q -e "$pip_sum" -e "$npm_sum" "$out/PACKAGE" 2>/dev/null
}

if is_there; then
    exit 0
fi
mkdir -p "$out" || exit 1
work=$(mktemp -d "$out/fetch.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

# unpack ARCHIVE SUM TITLE: check, and move the two files into place, the mark last.
unpack() {
    python3 - "$1" "$2" "$3" "$work" "$out" <<'PYTHON'
import hashlib
import os
import sys
import tarfile
import zipfile

archive, wanted, title, work, out = sys.argv[1:]
names = ("swagger-ui-bundle.js", "swagger-ui.css")

with open(archive, "rb") as file:
    got = hashlib.sha256(file.read()).hexdigest()
if got != wanted:
    sys.exit(f"{title}: sha256 is {got}, not {wanted}: not unpacked")
if zipfile.is_zipfile(archive):
    with zipfile.ZipFile(archive) as package:
        members = {os.path.basename(n): package.read(n) for n in package.namelist()
                   if os.path.basename(n) in names and "swagger" in os.path.dirname(n)}
else:
    with tarfile.open(archive) as package:
        members = {os.path.basename(m.name): package.extractfile(m).read() for m in package
                   if m.isfile() and os.path.basename(m.name) in names}
missing = set(names) - set(members)
if missing:
    sys.exit(f"{title} lacks {', '.join(sorted(missing))}")
members["PACKAGE"] = f"{title} sha256:{wanted}\n".encode()
for name in (*names, "PACKAGE"):
    with open(os.path.join(work, name), "wb") as file:
        file.write(members[name])
    os.replace(os.path.join(work, name), os.path.join(out, name))
PYTHON
}

by_pip() {
    python3 -m pip --version >/dev/null 2>&1 || return 1
    printf '%s==%s --hash=sha256:%s\n' "$pip_name" "$pip_version" "$pip_sum" >"$work/wanted"
    python3 -m pip download --quiet --disable-pip-version-check --no-deps --no-cache-dir \
        --timeout 10 --retries 1 --require-hashes -r "$work/wanted" -d "$work" || return 1
    unpack "$work"/*.whl "$pip_sum" "$pip_name $pip_version"
}

by_npm() {
    command -v npm >/dev/null 2>&1 || return 1
    (cd "$work" && npm pack --silent --fetch-timeout=10000 --fetch-retries=0 \
        "$npm_name@$npm_version" >/dev/null) || return 1
    unpack "$work"/*.tgz "$npm_sum" "$npm_name $npm_version"
}

for client in by_pip by_npm; do
    if $client && is_there; then
        echo "Swagger UI from $(cat "$out/PACKAGE")"
        exit 0
    fi
done
echo "Swagger UI could not be fetched (neither pip nor npm gave the package)" >&2
exit 75
