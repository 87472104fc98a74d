#!/usr/bin/env python3
"""The dependency rule: prints every #include that leaves the layer it may see.

Run in the root of the tree. LAYERS is the architecture as a table; a new adapter with a
library of its own adds one row to LIBRARIES.
"""
import os
import re
import sys

ISO_CORE = set("""assert.h ctype.h float.h inttypes.h limits.h stdalign.h stdarg.h stdatomic.h
stdbool.h stddef.h stdint.h stdio.h stdlib.h stdnoreturn.h string.h""".split())

# Everything that only the operating system gives; adapters and apps may use it.
SYSTEM = ISO_CORE | set("""dirent.h dlfcn.h errno.h fcntl.h fenv.h getopt.h grp.h ifaddrs.h
iso646.h langinfo.h libgen.h locale.h malloc.h math.h netdb.h poll.h pthread.h pwd.h sched.h
semaphore.h setjmp.h signal.h spawn.h strings.h sysexits.h syslog.h termios.h threads.h time.h
uchar.h unistd.h wchar.h wctype.h""".split())
SYSTEM_FOLDERS = ("sys/", "netinet/", "arpa/", "net/", "linux/")

# Adapter -> the headers of its one library. Header-only containers are open to all.
CONTAINERS = {"uthash.h", "utlist.h", "utarray.h", "utstring.h"}
LIBRARIES = {
    "http": {"civetweb.h", "openssl/sha.h", "openssl/evp.h"},
    "postgres": {"libpq-fe.h"},
    "kafka": {"librdkafka/rdkafka.h"},
    "sqlite": {"sqlite3.h"},
    "system": {"openssl/rand.h"},
}
# Driving adapters call the use cases; the others implement ports and never see them.
DRIVING = {"http", "publisher", "worker"}

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def rule_for(path):
    """Return (project prefixes, angle headers or None for any) that `path` may include."""
    part = path.split("/")
    if path.startswith("core/domain/"):
        return ("core/domain/",), ISO_CORE
    if path.startswith("ports/"):
        return ("core/domain/", "ports/"), ISO_CORE
    if path.startswith("core/usecases/"):
        return ("core/domain/", "ports/", "core/usecases/"), ISO_CORE
    if path.startswith("include/"):
        return (), ISO_CORE
    if part[0] == "adapters" and len(part) > 2:
        seen = ("core/domain/", "ports/", f"adapters/{part[1]}/")
        if part[1] in DRIVING:
            seen += ("core/usecases/",)
        return seen, SYSTEM | CONTAINERS | LIBRARIES.get(part[1], set())
    if part[0] == "apps":
        return ("core/", "ports/", "adapters/", "apps/", "include/"), None
    if path.startswith("tests/core/"):
        # The store in memory needs nothing but the core: it serves as the fake.
        return ("core/", "ports/", "adapters/memory/", "tests/core/", "tests/support/"), None
    if path.startswith("tests/conformance/"):  # one suite for every adapter knows none
        return ("core/", "ports/", "tests/support/", "tests/conformance/"), None
    if part[0] in ("tests", "docs"):
        return ("",), None
    return None


def made_by_build():
    """Names of headers that meson.build generates."""
    if not os.path.exists("meson.build"):
        return set()
    with open("meson.build", encoding="utf-8") as build:
        return set(re.findall(r"output: '([^'/]+\.h)'", build.read()))


def faults_in(path):
    rule = rule_for(path)
    if rule is None:
        yield 1, "lies in no known layer"
        return
    prefixes, angles = rule
    with open(path, encoding="utf-8") as source:
        for number, line in enumerate(source, 1):
            match = INCLUDE.match(line)
            if not match:
                continue
            kind, name = match.groups()
            if kind == '"':
                if name in GENERATED:
                    continue
                if ".." in name or not os.path.exists(name):
                    yield number, f'"{name}" is no path from the root of the tree'
                elif not name.startswith(tuple(prefixes)):
                    yield number, f'"{name}" is not for this layer'
            elif angles is not None and name not in angles \
                    and not (angles is not ISO_CORE and name.startswith(SYSTEM_FOLDERS)):
                yield number, f"<{name}> is not for this layer"


GENERATED = made_by_build()


def sources():
    for top in ("core", "ports", "adapters", "apps", "include", "tests", "docs"):
        for folder, _, names in os.walk(top):
            for name in sorted(names):
                if name.endswith((".c", ".h")):
                    yield os.path.join(folder, name)


def main():
    files = list(sources())
    faults = [(path, *fault) for path in files for fault in faults_in(path)]
    for path, line, text in faults:
        print(f"{path}:{line}: {text}")
    print(f"{len(files)} files, {len(faults)} forbidden includes")
    return 1 if faults or not files else 0


sys.exit(main())
