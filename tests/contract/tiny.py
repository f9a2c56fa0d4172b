"""A small doveadm-server of protocol 1.1, or 1.2 with TLS, written without any of fakedove's code.

It passes the contract; each of `BROKEN` differs in one thing and has to fail in the check that
is named beside it.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import re
import socket
import ssl
import struct
import threading
from collections.abc import Iterator

LIMIT = 1048576
BOXES = (b"INBOX", b"Sent")


class Closed(Exception):
    """The conversation is over."""


class Tiny:
    """One conversation."""

    minor = 1
    limit = LIMIT
    #: Most bytes read at a time.
    step = 65536

    def __init__(self, sock: socket.socket, tls: ssl.SSLContext) -> None:
        self.sock = sock
        self.tls = tls
        self.buffer = b""
        self.client_minor = 0

    def serve(self) -> None:
        self.open()
        match = self.parse_version(self.line())
        if match is None:
            return
        self.client_minor = int(match[1])
        if self.client_minor > 4294967295:
            return
        self.sock.sendall(self.opening())
        self.log_in()
        while True:
            self.command(self.line())

    def open(self) -> None:
        """Do what is done at accept."""

    def line(self) -> bytes:
        while b"\n" not in self.buffer:
            room = self.limit - len(self.buffer)
            data = self.sock.recv(min(room, self.step)) if room else b""
            if not data:
                raise Closed
            self.buffer += data
        line, _, self.buffer = self.buffer.partition(b"\n")
        return line.removesuffix(b"\r").partition(b"\0")[0]

    def parse_version(self, line: bytes) -> re.Match[bytes] | None:
        return re.fullmatch(rb"VERSION\tdoveadm-server\t0*1\t([0-9]+)", line)

    def opening(self) -> bytes:
        return (self.version() if self.client_minor else b"") + self.verdict()

    def version(self) -> bytes:
        return b"VERSION\tdoveadm-client\t1\t%d\n" % self.minor

    def verdict(self) -> bytes:
        return b"-\n"

    def log_in(self) -> None:
        try:
            line = self.line()
        except Closed:
            line = b""
        if line == b"STARTTLS" and self.minor >= 2:
            self.start_tls()
            line = self.line_after_tls()
        if not self.is_right(line):
            self.refuse()
            return
        self.sock.sendall(b"+\n")

    def refuse(self) -> None:
        self.sock.sendall(b"-\n")
        raise Closed

    def line_after_tls(self) -> bytes:
        try:
            line = self.line()
        except Closed:
            return b""
        if line == b"STARTTLS":
            raise Closed
        return line

    def start_tls(self) -> None:
        self.sock = self.tls.wrap_socket(self.sock, server_side=True)

    def is_right(self, line: bytes) -> bool:
        if not line.startswith(b"PLAIN\t"):
            return False
        text = re.sub(rb"\s", b"", line[6:])
        try:
            data = base64.b64decode(text)
        except binascii.Error:
            return False
        if base64.b64encode(data) != text:
            return False
        return data.startswith(b"\0doveadm\0") and data[9:].partition(b"\0")[0] == b"secret"

    def command(self, line: bytes) -> None:
        fields = line.split(b"\t")
        if len(fields) < 3:
            self.give_up(b"No command given")
        elif fields[0].strip(b"vD"):
            self.give_up(b"Unknown flag: " + fields[0].strip(b"vD")[:1])
        elif self.is_list(fields):
            self.list_boxes(fields[1], fields[4:] if fields[2] == b"mailbox" else fields[3:])
        else:
            name = fields[2].replace(b"\x01t", b"\t")
            self.fail(b"doveadm: Client sent unknown command: " + name, b"")

    def is_list(self, fields: list[bytes]) -> bool:
        return fields[2] == b"mailbox list" or fields[2:4] == [b"mailbox", b"list"]

    def list_boxes(self, user: bytes, args: list[bytes]) -> None:
        if user != b"tss":
            self.fail(b"User doesn't exist", b"NOUSER")
        elif args and args[0].startswith(b"--") and args[0] != b"--":
            self.fail(b"Unknown option", b"USAGE")
        else:
            found = BOXES if args in ([], [b"--"]) else ()
            self.rows([box + b"\t" for box in found])

    def rows(self, rows: list[bytes]) -> None:
        for row in rows:
            self.send(0, row)
        self.send(0, b"\n+\n")

    def fail(self, text: bytes, status: bytes) -> None:
        self.log(text)
        self.send(0, b"\n-%b\n" % status)

    def log(self, text: bytes) -> None:
        if self.client_minor:
            self.send(ord("L"), b"\x04doveadm: %b\n" % text)

    def give_up(self, text: bytes) -> None:
        self.log(b"doveadm client: " + text)
        raise Closed

    def send(self, channel: int, data: bytes) -> None:
        head = struct.pack(">BI", channel, len(data)) if self.client_minor else b""
        self.sock.sendall(head + data)


class TinyTls(Tiny):
    """The same for protocol 1.2."""

    minor = 2

    def log_in(self) -> None:
        # What is behind STARTTLS is left to TLS.
        self.step = 1
        super().log_in()
        self.step = Tiny.step


@contextlib.contextmanager
def serving(kind: type[Tiny], tls: ssl.SSLContext) -> Iterator[str]:
    """Serve on a free port and give the address."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_serve, args=(listener, kind, tls))
        thread.start()
        try:
            yield "tcp:{}:{}".format(*listener.getsockname())
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def _serve(listener: socket.socket, kind: type[Tiny], tls: ssl.SSLContext) -> None:
    threads: list[threading.Thread] = []
    while True:
        try:
            sock, _ = listener.accept()
        except OSError:
            break
        threads.append(threading.Thread(target=_converse, args=(sock, kind, tls)))
        threads[-1].start()
    for thread in threads:
        thread.join()


def _converse(sock: socket.socket, kind: type[Tiny], tls: ssl.SSLContext) -> None:
    sock.settimeout(20)
    conversation = kind(sock, tls)
    with contextlib.suppress(Closed, OSError):
        conversation.serve()
    conversation.sock.close()
