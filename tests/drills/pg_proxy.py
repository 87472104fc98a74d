"""A proxy between programs and PostgreSQL that cuts connections at chosen places of the protocol.

It frames the messages of protocol 3.0 in both directions. An exchange is what a client sends up
to Sync or Query, and what the server answers up to ReadyForQuery. When armed, the next exchange
is cut once, at one of its positions: between two messages or inside one, on the way there (then
the server may have seen nothing, a part or all of it) or on the way back (then all is done, and
the client does not know).
"""

import socket
import struct
import threading
from collections import Counter

SSL_REQUEST, GSS_REQUEST = 80877103, 80877104
IDLE, ASKING, ANSWERING = "idle", "asking", "answering"


class Cut(Exception):
    """The connection has been cut on purpose."""


class Plan:
    """Where the next exchange is cut: `way` there or back, then fractions of what there is."""

    def __init__(self, rng):
        self.way = rng.choice(["there", "back", "back"])
        self.message = rng.randint(0, 5)  # there: how many messages go through
        self.where = rng.random()         # back: which of the boundaries
        self.inside = rng.random() < 0.3  # inside of a message, not behind one
        self.share = rng.random()
        self.abrupt = rng.random() < 0.5  # RST towards the server, else FIN


class Proxy:
    def __init__(self, upstream):
        self.upstream = upstream  # (host, port)
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        self.lock = threading.Lock()
        self.plan = None
        self.struck = threading.Event()
        self.positions = Counter()  # (statement, way, position) -> cuts
        self.pairs = set()
        threading.Thread(target=self._accept, daemon=True).start()

    def arm(self, rng):
        with self.lock:
            self.struck.clear()
            self.plan = Plan(rng)

    def disarm(self):
        """-> True when the cut had not come yet"""
        with self.lock:
            waiting, self.plan = self.plan is not None, None
        return waiting

    def take_plan(self):
        with self.lock:
            plan, self.plan = self.plan, None
        return plan

    def note(self, statement, way, position):
        with self.lock:
            self.positions[statement, way, position] += 1
        self.struck.set()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(self.upstream, timeout=10)
                server.settimeout(None)
            except OSError:
                client.close()
                continue
            for end in (client, server):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            pair = Pair(self, client, server)
            self.pairs.add(pair)
            pair.start()

    def close(self):
        self.listener.close()
        for pair in list(self.pairs):
            pair.cut(False)


class Pair:
    """One client and its server; each direction has a thread once the connection is begun."""

    def __init__(self, proxy, client, server):
        self.proxy, self.client, self.server = proxy, client, server
        self.state = IDLE
        self.plan = None       # of the exchange that goes on
        self.statement = "?"
        self.held = b""        # of the answer, while it is to be cut
        self.started = False   # the login is over

    def start(self):
        self._thread(self._begin)

    def _thread(self, work):
        threading.Thread(target=self._run, args=(work,), daemon=True).start()

    def _run(self, work):
        try:
            work()
        except (OSError, Cut, struct.error):
            pass
        self.cut(False)

    def _begin(self):
        self._pass_startup()
        self._thread(self._answer)
        self._ask()

    def cut(self, abrupt):
        self.proxy.pairs.discard(self)
        if abrupt:
            try:
                self.server.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                       struct.pack("ii", 1, 0))
            except OSError:
                pass
        for end in (self.client, self.server):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            end.close()

    # --- there

    def _ask(self):
        messages = 0
        for kind, message in frames(self.client):
            if self.state != ASKING:
                self.state, messages = ASKING, 0
                self.statement = "?"
                self.plan = self.proxy.take_plan() if self.started and kind != b"X" else None
            if kind in b"BQ":
                self.statement = statement_of(kind, message)
            self._forward(kind, message, messages)
            messages += 1

    def _forward(self, kind, message, messages):
        plan = self.plan
        ends = kind in b"SQ"
        if plan and plan.way == "there" and (messages == plan.message or ends):
            part = message[:int(len(message) * plan.share)] if plan.inside else b""
            if ends and messages < plan.message:
                part = message  # everything went through, and nobody is there for the answer
            self.server.sendall(part)
            self.proxy.note(self.statement, "there", f"{messages}{'+' if part else ''}")
            self.cut(plan.abrupt)
            raise Cut
        if ends:
            self.held = b""
            self.state = ANSWERING
        self.server.sendall(message)

    def _pass_startup(self):
        while True:
            head = read_exactly(self.client, 8)
            size, code = struct.unpack("!II", head)
            self.server.sendall(head + read_exactly(self.client, size - 8))
            if code not in (SSL_REQUEST, GSS_REQUEST):
                return
            self.client.sendall(read_exactly(self.server, 1))  # "N": no TLS on loopback

    # --- back

    def _answer(self):
        for kind, message in frames(self.server):
            plan = self.plan
            if plan and plan.way == "back" and self.state == ANSWERING:
                self.held += message
                if kind == b"Z":
                    self._cut_back(plan)
                continue
            if kind == b"Z":
                self.started = True
                self.state = IDLE
                self.plan = None
            self.client.sendall(message)

    def _cut_back(self, plan):
        ends = [0]
        while ends[-1] < len(self.held):
            size = struct.unpack_from("!I", self.held, ends[-1] + 1)[0]
            ends.append(ends[-1] + 1 + size)
        index = int(plan.where * (len(ends) - 1))  # the whole answer never goes through
        length = ends[index]
        if plan.inside:
            length += int((ends[index + 1] - length) * plan.share)
        self.client.sendall(self.held[:length])
        self.proxy.note(self.statement, "back", f"{min(index, 20)}{'+' if plan.inside else ''}")
        self.cut(plan.abrupt)
        raise Cut


def statement_of(kind, message):
    """The name of the prepared statement that a Bind runs, or the first word of a Query."""
    if kind == b"Q":
        return message[5:].split(None, 1)[0].decode(errors="replace").upper().rstrip("\0;")
    portal_end = message.index(b"\0", 5)
    return message[portal_end + 1:message.index(b"\0", portal_end + 1)].decode() or "unnamed"


def read_exactly(source, count):
    data = b""
    while len(data) < count:
        part = source.recv(count - len(data))
        if not part:
            raise OSError("closed")
        data += part
    return data


def frames(source):
    """The messages of one direction, one after the other: (type, all its bytes)."""
    buffer = bytearray()
    while True:
        while len(buffer) >= 5:
            size = 1 + struct.unpack_from("!I", buffer, 1)[0]
            if len(buffer) < size:
                break
            message = bytes(buffer[:size])
            del buffer[:size]
            yield message[:1], message
        part = source.recv(65536)
        if not part:
            return
        buffer += part
