"""The drill kill_processes.py in the size of every test run; another seed each time, printed."""

import sys

import kill_processes

if __name__ == "__main__":
    sys.exit(kill_processes.main(["--tap", "--cycles", "300", *sys.argv[1:]]))
