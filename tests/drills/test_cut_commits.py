"""The drill cut_commits.py in the size of every test run; another seed each time, printed."""

import sys

import cut_commits

if __name__ == "__main__":
    sys.exit(cut_commits.main(["--tap", "--cycles", "200", *sys.argv[1:]]))
