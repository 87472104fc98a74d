"""The drill kill_kafka.py in the size of every test run; another seed each time, printed."""

import sys

import kill_kafka

if __name__ == "__main__":
    sys.exit(kill_kafka.main(["--tap", "--cycles", "20", *sys.argv[1:]]))
