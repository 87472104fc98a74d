"""Base class of the tests of programs on PostgreSQL and Kafka, and a run of one to its end."""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from cluster import Cluster  # noqa: E402
from processes import run_to_end  # noqa: E402
from server_case import Words  # noqa: E402
from taskapi import build_folder, clean_environment  # noqa: E402


def run(program, *arguments, **settings):
    """Run a program of ours to its end, settings without TASK_. -> CompletedProcess"""
    environment = clean_environment({f"TASK_{k}": v for k, v in settings.items()})
    return run_to_end([str(build_folder() / program), *arguments], environment, timeout=30)


class ClusterCase(Words, unittest.TestCase):
    """A cluster for each test: self.serve(workers=1) starts it, self.make() all but programs."""

    def make(self, **options):
        self.cluster = Cluster(**options)
        self.server = self.cluster  # whose logs a failing test shows
        self.addCleanup(self.cluster.close)
        return self.cluster.make()

    def serve(self, **options):
        self.make(**options).start()
        self.http = self.cluster.api.client()
        return self.cluster
