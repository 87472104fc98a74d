"""Time, and how much of it the machine had: a virtual one is not run all the time, and what its
host took (the steal of /proc/stat) is no delay of the program. A bound is on the rest."""

import os
import time

TICK_MS = 1000 / os.sysconf("SC_CLK_TCK")


def stolen_ms():
    """Of all processors together: work that goes from one to another waits for each."""
    with open("/proc/stat", encoding="ascii") as stat:
        fields = stat.readline().split()
    return int(fields[8]) * TICK_MS if len(fields) > 8 else 0


class Stopwatch:
    def __init__(self):
        self.began = time.monotonic()
        self.stolen = stolen_ms()

    def ms(self):
        return (time.monotonic() - self.began) * 1000

    def own_ms(self):
        return self.ms() - (stolen_ms() - self.stolen)
