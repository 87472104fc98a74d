"""The drill kill_postgres.py in the size of every test run; another seed each time, printed."""

import sys

import kill_postgres

if __name__ == "__main__":
    sys.exit(kill_postgres.main(["--tap", "--cycles", "20", *sys.argv[1:]]))
