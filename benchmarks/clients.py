"""Loads: what clients do to a server, as fast as it lets them.

Each is a function of the socket's path and a count of operations. An echo takes command
lines as well as any other.
"""

from __future__ import annotations

import binascii
import contextlib
import select
import socket
import ssl
import statistics
import time
from collections.abc import Callable, Iterator
from typing import Final, TypeAlias

from benchmarks.servers import BIG_USER, IDLE_USER, USER

Client: TypeAlias = socket.socket
Load: TypeAlias = Callable[[str, int], None]

#: Replies are read in pieces of this many bytes.
_READ_BYTES: Final = 1 << 20
_PATIENCE: Final = 60.0

QUOTA_GET: Final = f"\t{USER}\tquota get\n".encode()
#: Commands with a short reply, which are measured beside the real Dovecot.
SMALL: Final = {
    "mailbox list": f"\t{USER}\tmailbox list\n".encode(),
    "mailbox status all": f"\t{USER}\tmailbox status\tall\t*\n".encode(),
    "quota get": QUOTA_GET,
    "user": f"\t\tuser\t{USER}\n".encode(),
}
WHO: Final = b"\t\twho\n"
#: A command that is answered with its status line alone.
NO_ROWS: Final = f"\t{IDLE_USER}\tmailbox list\t-s\n".encode()


@contextlib.contextmanager
def connected(path: str, minor: int | None = 0) -> Iterator[socket.socket]:
    """Connect and shake hands; `minor` None says nothing, to an echo."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.settimeout(_PATIENCE)
        client.connect(path)
        if minor is not None:
            shake_hands(client, minor)
        yield client


def shake_hands(client: socket.socket, minor: int) -> None:
    """Say VERSION and read the server's answer, for a pre-authenticated connection."""
    client.sendall(b"VERSION\tdoveadm-server\t1\t%d\n" % minor)
    answer = b""
    while not answer.endswith(b"+\n"):
        answer += client.recv(4096)


def round_trips(line: bytes, minor: int | None) -> Load:
    """Send `line` and read the reply, again and again, on one connection."""

    def load(path: str, count: int) -> None:
        with connected(path, minor) as client:
            for _ in range(count):
                client.sendall(line)
                client.recv(65536)

    return load


def latency(path: str, line: bytes, count: int) -> float:
    """Return the median round trip in microseconds of wall-clock time."""
    seconds: list[float] = []
    with connected(path) as client:
        for _ in range(count):
            start = time.perf_counter()
            client.sendall(line)
            while not client.recv(65536).endswith(b"\n+\n"):
                pass
            seconds.append(time.perf_counter() - start)
    return statistics.median(seconds) * 1e6


def pipelined(line: bytes, reply: bytes) -> Load:
    """Send `line` by the thousand, and read the replies afterwards."""

    def load(path: str, count: int) -> None:
        at_once = 1000
        with connected(path) as client:
            for _ in range(count // at_once):
                client.sendall(line * at_once)
                awaited = len(reply) * at_once
                while awaited:
                    awaited -= len(client.recv(_READ_BYTES))

    return load


def busy(line: bytes, connections: int) -> Load:
    """Keep one command under way on each of many connections."""

    def load(path: str, count: int) -> None:
        with contextlib.ExitStack() as stack:
            clients = [stack.enter_context(connected(path)) for _ in range(connections)]
            by_number = {client.fileno(): client for client in clients}
            poll = stack.enter_context(select.epoll())
            for number, client in by_number.items():
                poll.register(number, select.EPOLLIN)
                client.sendall(line)
            answered = 0
            while answered < count:
                for number, _ in poll.poll():
                    by_number[number].recv(65536)
                    by_number[number].sendall(line)
                    answered += 1
            for client in clients:
                client.recv(65536)

    return load


def connects(minor: int | None) -> Load:
    """Connect, exchange one line and close."""

    def load(path: str, count: int) -> None:
        for _ in range(count):
            with connected(path, minor) as client:
                if minor is None:
                    client.sendall(QUOTA_GET)
                    client.recv(4096)

    return load


@contextlib.contextmanager
def idle(path: str, count: int) -> Iterator[None]:
    """Hold `count` connections that have shaken hands and say nothing more."""
    with contextlib.ExitStack() as stack:
        for _ in range(count):
            stack.enter_context(connected(path))
        yield


def read_reply(client: socket.socket) -> int:
    """Read one reply whose rows have no `\\n+\\n` in them; return its bytes."""
    buffer = bytearray(_READ_BYTES)
    total, end = 0, b""
    while end != b"\n+\n":
        got = client.recv_into(buffer)
        if not got:
            raise RuntimeError("the server closed within a reply")
        total += got
        end = (end + buffer[max(0, got - 3) : got])[-3:]
    return total


def fetch(client: socket.socket, mailbox: str) -> int:
    """Fetch the text of all mails in a mailbox; return the bytes of the reply."""
    client.sendall(f"\t{BIG_USER}\tfetch\ttext\tmailbox\t{mailbox}\n".encode())
    return read_reply(client)


def search(client: socket.socket, mailbox: str, key: str) -> int:
    """Search a mailbox; return the bytes of the reply."""
    words = key.replace(" ", "\t")
    client.sendall(f"\t{BIG_USER}\tsearch\tmailbox\t{mailbox}\t{words}\n".encode())
    return read_reply(client)


@contextlib.contextmanager
def connected_by_tls(port: int, password: bytes) -> Iterator[ssl.SSLSocket]:
    """Connect by TLS, whoever the server may be, and authenticate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with (
        socket.create_connection(("127.0.0.1", port), _PATIENCE) as sock,
        context.wrap_socket(sock) as client,
    ):
        client.sendall(b"VERSION\tdoveadm-server\t1\t0\n")
        client.recv(4096)
        plain = binascii.b2a_base64(b"\0doveadm\0" + password)
        client.sendall(b"PLAIN\t" + plain)
        client.recv(4096)
        yield client
