#!/usr/bin/env python3
"""Embed files into a program as C arrays.

    embed-files.py OUT.c NAME=PATH...

writes OUT.c with, for each pair,

    const unsigned char NAME[];    the bytes of the file, then one NUL that is not counted
    const unsigned long NAME_len;

To use them, declare both in C:

    extern const unsigned char openapi_json[];
    extern const unsigned long openapi_json_len;

In meson.build:

    embedded = custom_target('embedded', output: 'embedded.c', input: files('docs/openapi.json'),
      command: [find_program('scripts/embed-files.py'), '@OUTPUT@', 'openapi_json=@INPUT@'])

The same input gives the same output. An unreadable file or a bad name ends with status 1.
"""

import pathlib
import re
import sys

PER_LINE = 16


def array_of(name, data):
    lines = []
    for at in range(0, len(data), PER_LINE):
        lines.append("    " + " ".join(f"{byte}," for byte in data[at : at + PER_LINE]))
    lines.append("    0")
    body = "\n".join(lines)
    return (
        f"extern const unsigned char {name}[];\n"
        f"extern const unsigned long {name}_len;\n"
        f"const unsigned char {name}[] = {{\n{body}\n}};\n"
        f"const unsigned long {name}_len = {len(data)};\n"
    )


def main(args):
    if len(args) < 2:
        print(__doc__, file=sys.stderr)
        return 1
    parts = ["/* Made by scripts/embed-files.py: do not edit. */\n"]
    for pair in args[1:]:
        name, equals, path = pair.partition("=")
        if not equals or not re.fullmatch(r"[a-z][a-z0-9_]*", name):
            print(f"embed-files: '{pair}' is not NAME=PATH", file=sys.stderr)
            return 1
        try:
            parts.append(array_of(name, pathlib.Path(path).read_bytes()))
        except OSError as error:
            print(f"embed-files: {error}", file=sys.stderr)
            return 1
    pathlib.Path(args[0]).write_text("\n".join(parts), encoding="ascii")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
