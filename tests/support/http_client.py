"""A small HTTP client on keep-alive connections, standard library only."""

import http.client
import io
import json
import socket
from json.decoder import scanstring

LENIENT = json.JSONDecoder(parse_int=str, parse_float=str)  # never fails on long numbers


class Response:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers  # email.message.Message: any case, get_all()
        self.body = body

    def json(self):
        return json.loads(self.body)

    def member(self, name):
        """The exact bytes of a member of the body, as they stand there."""
        return raw_members(self.body)[name]

    def __repr__(self):
        return f"<{self.status} {self.body[:400]!r}>"


def raw_members(body):
    """Member name -> exact bytes of its value, of a JSON object."""
    text = body.decode()
    return {name: text[begin:end].encode() for name, begin, end in _members(text)}


def _members(text):
    at = _skip(text, 0)
    if text[at] != "{":
        raise ValueError("no object")
    at = _skip(text, at + 1)
    while text[at] != "}":
        name, at = scanstring(text, at + 1, True)
        begin = _skip(text, _skip(text, at) + 1)
        _, end = LENIENT.raw_decode(text, begin)
        yield name, begin, end
        at = _skip(text, end)
        if text[at] == ",":
            at = _skip(text, at + 1)


def _skip(text, at):
    while text[at] in " \t\r\n":
        at += 1
    return at


class Client:
    """One keep-alive connection. `address`: (host, port), or a function that gives it."""

    def __init__(self, address, timeout=30):
        self.address = address if callable(address) else (lambda: address)
        self.timeout = timeout
        self.connection = None

    def request(self, method, path, body=None, headers=None):
        """Send once; `body` bytes, str, or a value to be written as JSON."""
        if body is not None and not isinstance(body, (bytes, str)):
            body = json.dumps(body, ensure_ascii=False)
        if isinstance(body, str):
            body = body.encode()
        sent = dict(headers or {})
        if body is not None and not any(n.lower() == "content-type" for n in sent):
            sent["Content-Type"] = "application/json"
        if self.connection is None:
            host, port = self.address()
            self.connection = http.client.HTTPConnection(host, port, timeout=self.timeout)
        try:
            self.connection.request(method, path, body=body, headers=sent)
            if self.connection.sock:
                self.connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            answer = self.connection.getresponse()
            response = Response(answer.status, answer.headers, answer.read())
            if answer.will_close:
                self.close()
            return response
        except BaseException:
            self.close()
            raise

    def get(self, path, headers=None):
        return self.request("GET", path, headers=headers)

    def post(self, path, body=None, headers=None):
        return self.request("POST", path, body, headers)

    def delete(self, path, headers=None):
        return self.request("DELETE", path, headers=headers)

    def close(self):
        if self.connection is not None:
            self.connection.close()
            self.connection = None


class _Received(io.BytesIO):
    """What http.client parses a response from: a file that is not closed under it."""

    def makefile(self, *_):
        return self


def volley(address, requests):
    """Send requests [(method, path, body, headers)] on a connection each so that all arrive
    at one moment: everything but the last byte of each first. -> Responses in order"""
    sockets, last = [], []
    try:
        for method, path, body, headers in requests:
            body = body.encode() if isinstance(body, str) else body
            head = [f"{method} {path} HTTP/1.1", f"Host: {address[0]}", "Connection: close",
                    "Content-Type: application/json", f"Content-Length: {len(body)}"]
            head += [f"{name}: {value}" for name, value in headers.items()]
            data = "\r\n".join(head).encode() + b"\r\n\r\n" + body
            connection = socket.create_connection(address, timeout=30)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.sendall(data[:-1])
            sockets.append(connection)
            last.append(data[-1:])
        for connection, byte in zip(sockets, last):
            connection.sendall(byte)
        return [_read_all(connection) for connection in sockets]
    finally:
        for connection in sockets:
            connection.close()


def _read_all(connection):
    data = b""
    while True:
        more = connection.recv(65536)
        if not more:
            break
        data += more
    answer = http.client.HTTPResponse(_Received(data))
    answer.begin()
    return Response(answer.status, answer.headers, answer.read())
