"""The drill zombies.py in the size of every test run; another seed each time, printed."""

import sys

import zombies

if __name__ == "__main__":
    sys.exit(zombies.main(["--tap", "--cycles", "30", *sys.argv[1:]]))
