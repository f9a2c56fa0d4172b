"""Any input, in any pieces: the same events, and at worst a fault."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from fakedove.dovecot.releases import ROWS
from fakedove.errors import ProtocolError
from fakedove.wire import multiplex
from fakedove.wire.dialect import Dialect
from fakedove.wire.doveadm import (
    NEED_DATA,
    Authenticate,
    Body,
    Eof,
    Event,
    Hello,
    Line,
    Ready,
)
from fakedove.wire.doveadm_client import ClientConnection
from fakedove.wire.doveadm_server import ServerConnection
from fakedove.wire.handshake import Fault
from tests.wire.cuts import cuts, pieces

PLAIN = b"PLAIN\tAGRvdmVhZG0Ac2VjcmV0\n"


dialects = st.sampled_from([row.dialect for row in ROWS])
hellos = st.sampled_from(
    [b"VERSION\tdoveadm-server\t1\t%d\n" % minor for minor in range(5)]
    + [b"VERSION\tdoveadm-server\t1\n", b"VERSION\tdoveadm-server\t2\t0\n", b""]
)
spoken = st.lists(
    st.sampled_from(
        [
            PLAIN,
            b"STARTTLS\n",
            b"\ttss\tsave\n",
            b"\t\tx\r\n",
            b".\n",
            b"..\r\n",
            b"\n",
            b"a",
            b"\0",
        ]
    )
    | st.binary(max_size=12),
    max_size=8,
).map(b"".join)


def heard_by_server(server: ServerConnection, data: bytes, sizes: list[int]) -> list[object]:
    """Return what a server makes of `data`: it takes any password, and a mail behind `save`."""
    heard: list[object] = []
    behind = data
    for piece in [*pieces(data, sizes), b""]:
        behind = behind[len(piece) :]
        server.receive(piece)
        try:
            while (event := server.next_event()) is not NEED_DATA:
                before = heard[-1] if heard else None
                if isinstance(event, Body) and isinstance(before, Body) and not before.last:
                    event = Body(before.data + event.data, event.last)
                    heard.pop()
                heard.append(event)
                if isinstance(event, Authenticate) and event.starttls:
                    return [*heard, server.start_tls() + behind]
                if isinstance(event, Eof):
                    return heard
                answer_client(server, event)
        except ProtocolError as error:
            return [*heard, error.fault]
    raise AssertionError("a server hears the end of its input")


def answer_client(server: ServerConnection, event: Event) -> None:
    match event:
        case Hello():
            server.answer_hello()
        case Authenticate():
            server.accept()
        case Line(line) if b"save" in line:
            server.expect_body()


def heard_by_client(
    client: ClientConnection, data: bytes, sizes: list[int], commands: int
) -> list[object]:
    """Return what a client that sends some commands makes of `data`."""
    heard: list[object] = []
    for piece in [*pieces(data, sizes), b""]:
        client.receive(piece)
        try:
            while (event := client.next_event()) is not NEED_DATA:
                heard.append(event)
                if isinstance(event, Eof):
                    return heard
                if isinstance(event, Ready):
                    for _ in range(commands):
                        client.command(b"tss", b"quota get")
        except ProtocolError as error:
            return [*heard, error.fault]
    raise AssertionError("a client hears the end of its input")


WHOLE = [1 << 20]


@given(dialects, st.booleans(), hellos, spoken, cuts)
@settings(max_examples=300)
def test_any_cut_of_any_input_is_the_same_to_a_server(
    dialect: Dialect, preauthenticated: bool, hello: bytes, data: bytes, sizes: list[int]
) -> None:
    def heard(sizes: list[int]) -> list[object]:
        server = ServerConnection(dialect, preauthenticated=preauthenticated)
        return heard_by_server(server, hello + data, sizes)

    assert heard(sizes) == heard(WHOLE)


greetings = st.sampled_from(
    [b"+\n", b"-\n", b"-\n+\n", b"VERSION\tdoveadm-client\t1\t", b""]
    + [
        b"VERSION\tdoveadm-client\t1\t%d\n%b" % (minor, sign)
        for minor in range(5)
        for sign in (b"+\n", b"-\n+\n")
    ]
    + [b"+\nVERSION\tdoveadm-client\t1\t1\n", b"+\nVERSION\tdoveadm-client\t2\t1\n"]
)
said = st.lists(
    st.sampled_from(
        [
            b"\0\0\0\0\x03\n+\n",
            b"\0\0\0\0\x04a\t\n+",
            b"\0\0\0\0\x01\n",
            b"L\0\0\0\x03\x04x\n",
            multiplex.STREAM_HEADER,
            b"\x03\xfe\x00L",
            b"\x03\xfe\x00\x00",
            b"\x03\xfe\x01",
            b"a\tb\x01tc\t",
            b"\n+\n",
            b"\n-\n",
            b"\n-NOUSER\n",
            b"\nwhat\n",
            b"\n",
        ]
    )
    | st.binary(max_size=8),
    max_size=10,
).map(b"".join)


@given(dialects, st.integers(0, 4), greetings, said, cuts, st.integers(0, 3))
@settings(max_examples=300)
def test_any_cut_of_any_input_is_the_same_to_a_client(
    dialect: Dialect, minor: int, greeting: bytes, data: bytes, sizes: list[int], commands: int
) -> None:
    def heard(sizes: list[int]) -> list[object]:
        client = ClientConnection(dialect)
        client.hello(minor)
        return heard_by_client(client, greeting + data, sizes, commands)

    assert heard(sizes) == heard(WHOLE)


@given(dialects, st.booleans(), hellos, st.binary(max_size=200))
def test_garbage_is_at_worst_a_fault_to_a_server(
    dialect: Dialect, preauthenticated: bool, hello: bytes, data: bytes
) -> None:
    server = ServerConnection(dialect, preauthenticated=preauthenticated)
    last = heard_by_server(server, hello + data, WHOLE)[-1]
    assert isinstance(last, Eof | Fault | bytes)


@given(dialects, st.integers(0, 4), greetings, st.binary(max_size=200))
def test_garbage_is_at_worst_a_fault_to_a_client(
    dialect: Dialect, minor: int, greeting: bytes, data: bytes
) -> None:
    client = ClientConnection(dialect)
    client.hello(minor)
    assert isinstance(heard_by_client(client, greeting + data, WHOLE, 1)[-1], Eof | Fault)
