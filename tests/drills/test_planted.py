"""The drill of the embedded form finds every bug planted for it, and every patch still applies.
Those of the cluster take longer: tests/drills/run plants them."""

import sys

import planted

if __name__ == "__main__":
    status = planted.main(["--drill", "kill9", *sys.argv[1:]])
    sys.exit(status)
