"""T4: cut the connections to PostgreSQL at every place of the protocol.

All programs reach PostgreSQL through a proxy (pg_proxy.py) which cuts the exchange under way
when it is told to: before, inside and behind each message, on the way there and back. What was
committed and not answered must be settled by the program itself: nothing lost, nothing twice.

    python3 tests/drills/cut_commits.py --cycles 200 --seed 1
"""

import time
from collections import Counter
from urllib.parse import urlsplit, urlunsplit

import cluster_course
import course
from cluster import Cluster
from pg_proxy import Proxy


class ProxiedCluster(Cluster):
    """Its programs, not its owner, reach PostgreSQL through a proxy."""

    proxy = None

    def url_of(self, kind):
        parts = urlsplit(super().url_of(kind))
        if self.proxy is None:
            self.proxy = Proxy((parts.hostname, parts.port))
        user, _, _ = parts.netloc.rpartition("@")
        return urlunsplit(parts._replace(netloc=f"{user}@127.0.0.1:{self.proxy.port}"))


class CutCommits(cluster_course.ClusterCourse):
    name = "cut_commits"
    strikes_word = "cuts"
    look_every = 50

    def make_cluster(self, **settings):
        return ProxiedCluster(workers=self.workers, slots=self.slots, kafka=False, **settings)

    @property
    def proxy(self):
        return self.cluster.proxy

    def strike(self):
        time.sleep(self.rng.uniform(0, 0.1))
        self.proxy.arm(self.rng)
        if self.proxy.struck.wait(10):
            self.struck()
        else:
            self.proxy.disarm()
            self.ledger.violation("drill", "no exchange came to be cut for 10 s")

    def facts(self):
        by_statement = Counter()
        for (statement, way, _), count in self.proxy.positions.items():
            by_statement[f"{statement} {way}"] += count
        return {"positions": len(self.proxy.positions), "cuts_by_statement": dict(by_statement)}

    def close(self):
        super().close()
        if self.cluster and self.proxy:
            self.proxy.close()


def main(argv=None):
    return course.main(CutCommits, course.parser_of(__doc__, 200), argv)


if __name__ == "__main__":
    raise SystemExit(main())
