"""The kill -9 drill in the size of every test run; another seed each time, printed."""

import sys

import kill9

if __name__ == "__main__":
    sys.exit(kill9.main(["--tap", "--cycles", "60", "--alive-max", "0.7",
                         *sys.argv[1:]]))
