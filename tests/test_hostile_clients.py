"""Clients that misbehave on real sockets: answered as Dovecot does, and nobody else suffers."""

from __future__ import annotations

import resource
import socket
import struct
from collections.abc import Iterator
from contextlib import ExitStack, suppress

import pytest

from fakedove import FakeDovecot

HELLO = b"VERSION\tdoveadm-server\t1\t0\n"
MIB = 1024 * 1024


@pytest.fixture
def fake() -> Iterator[FakeDovecot]:
    with FakeDovecot(dovecot="2.4.1") as fake:
        yield fake


def connect(fake: FakeDovecot, listener: str = "unix") -> socket.socket:
    if listener == "unix":
        client = socket.socket(socket.AF_UNIX)
        client.connect(fake.path("unix"))
    else:
        client = socket.create_connection(fake.address(listener))
    client.settimeout(10)
    return client


def read_all(client: socket.socket) -> bytes:
    pieces = []
    while piece := client.recv(65536):
        pieces.append(piece)
    return b"".join(pieces)


def works(fake: FakeDovecot) -> bool:
    with connect(fake) as client:
        client.sendall(HELLO + b"\tann\tmailbox list\tINBOX\n")
        client.shutdown(socket.SHUT_WR)
        return read_all(client) == b"+\nINBOX\t\n+\n"


def test_two_hundred_silent_connections(fake: FakeDovecot) -> None:
    with ExitStack() as stack:
        for _ in range(100):
            stack.enter_context(connect(fake))
            stack.enter_context(connect(fake, "tcp"))
        assert works(fake)


@pytest.mark.parametrize("listener", ["unix", "tcp"])
def test_a_line_over_the_limit_is_a_reset(fake: FakeDovecot, listener: str) -> None:
    with connect(fake, listener) as client, suppress(BrokenPipeError, ConnectionResetError):
        # Whether the reset comes while sending or afterwards is the kernel's affair.
        client.sendall(b"V" * (3 * MIB))
        with pytest.raises(ConnectionResetError):
            client.recv(1)
    assert works(fake)


def test_garbage_instead_of_tls(fake: FakeDovecot) -> None:
    with connect(fake, "tls") as client:
        client.sendall(b"GET / HTTP/1.0\r\n\r\n")
        assert read_all(client) == b""
    assert works(fake)


def test_a_client_that_closes_its_sending_half_gets_all_answers(fake: FakeDovecot) -> None:
    with connect(fake) as client:
        client.sendall(HELLO + b"\tann\tmailbox list\tINBOX\n" * 3 + b"\tann\tunfinished")
        client.shutdown(socket.SHUT_WR)
        assert read_all(client) == b"+\n" + b"INBOX\t\n+\n" * 3


def test_a_client_that_resets_in_mid_reply(fake: FakeDovecot) -> None:
    fake.store.users["ann"].mailbox("INBOX").deliver(b"Subject: big\n\n" + b"x" * MIB)
    with connect(fake) as client:
        client.sendall(HELLO + b"\tann\tfetch\ttext\tall\n" * 50)
        client.recv(1)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    assert works(fake)


def test_a_client_that_reads_nothing_costs_no_memory(fake: FakeDovecot) -> None:
    fake.store.users["ann"].mailbox("INBOX").deliver(b"Subject: big\n\n" + b"x" * MIB)
    command = b"\tann\tfetch\ttext\tall\n"
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with connect(fake) as client:
        # 64 kB of commands ask for some 3 GB of answers.
        client.sendall(HELLO + command * (65536 // len(command)))
        assert works(fake)
        assert len(client.recv(65536)) > 0
        assert works(fake)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 64 * 1024, f"{grown} kB more"
