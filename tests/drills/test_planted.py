"""The drill finds every planted bug, and every patch still applies."""

import sys

import planted

if __name__ == "__main__":
    sys.exit(planted.main())
