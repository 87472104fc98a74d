"""Holds tests/adapters/json_corpus/ against Python's own JSON reader, so that the corpus is
not only what our reader believes. TAP on stdout."""
import json
import re
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent / "json_corpus"
DEPTH_MAX = 32


def text_of(written):
    def piece(match):
        if match[1]:
            return bytes([int(match[1], 16)])
        return int(match[2]) * match[3]
    return re.sub(rb"%(?:([0-9A-F]{2})|\((\d+)\*(.*?)\))", piece, written)


def cases(name):
    for line in (FOLDER / name).read_bytes().splitlines():
        if line and not line.startswith(b"#"):
            why, written = line.split(b"\t")
            yield why.decode(), text_of(written)


def refuse(word):
    raise ValueError(f"{word} is no JSON")


def object_of(pairs):
    keys = [key for key, _ in pairs]
    if len(set(keys)) != len(keys):
        raise ValueError("a key comes twice")
    for key in keys:
        check_string(key)
    return dict(pairs)


def check_string(text):
    text.encode("utf-8")  # a lone surrogate cannot be encoded
    if "\0" in text:
        raise ValueError("NUL")


def check(value, depth=0):
    if isinstance(value, str):
        check_string(value)
    if isinstance(value, (list, dict)):
        if depth == DEPTH_MAX:
            raise ValueError("too deep")
        for item in value.values() if isinstance(value, dict) else value:
            check(item, depth + 1)


def is_good(data):
    """RFC 8259 as Python reads it, plus the rules that the service adds."""
    try:
        text = data.decode("utf-8")
        if text.startswith("\ufeff"):
            return False
        check(json.loads(text, parse_constant=refuse, object_pairs_hook=object_of))
        return True
    except (ValueError, RecursionError):
        return False


def main():
    number = failed = 0
    for name, expected in (("accept.txt", True), ("reject.txt", False)):
        for why, data in cases(name):
            number += 1
            good = is_good(data) == expected
            failed += not good
            print(f"{'ok' if good else 'not ok'} {number} - {name}: {why}: {data[:60]!r}"
                  .replace("#", "\\#"))
    print(f"1..{number}")
    return 1 if failed or number < 300 else 0


if __name__ == "__main__":
    sys.exit(main())
