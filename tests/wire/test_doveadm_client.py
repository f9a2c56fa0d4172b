"""Conversations as the client sees them, line by line."""

from __future__ import annotations

import pytest

from fakedove.dovecot.releases import find_release
from fakedove.errors import ProtocolError
from fakedove.wire.dialect import CLIENT_LINE_LIMIT
from fakedove.wire.doveadm import (
    NEED_DATA,
    AuthNeeded,
    Eof,
    Hello,
    Ready,
)
from fakedove.wire.doveadm_client import ClientConnection
from fakedove.wire.handshake import Fault
from fakedove.wire.replies import LogLine, Reply
from tests.wire.faults import fault_of

PASSWORD = b"secret"
PLAIN = b"PLAIN\tAGRvdmVhZG0Ac2VjcmV0\n"


def client_of(release: str) -> ClientConnection:
    return ClientConnection(find_release(release).dialect)


def test_a_client_that_needs_no_password() -> None:
    client = client_of("2.4.1")
    assert client.hello(2) == b"VERSION\tdoveadm-server\t1\t2\n"
    client.receive(b"VERSION\tdoveadm-client\t1\t3\n+\n")
    assert client.next_event() == Hello(3)
    assert client.next_event() == Ready()
    assert client.server_minor == 3

    assert client.command(b"tss", b"quota get") == b"\ttss\tquota get\n"
    client.receive(b"\0\0\0\0\x02a\tL\0\0\0\x03\x04x\n\0\0\0\0\x03\n+\n")
    assert client.next_event() == LogLine(4, b"x")
    assert client.next_event() == Reply((b"a",), b"", b"+")
    assert client.next_event() is NEED_DATA


def test_a_client_with_a_password() -> None:
    client = client_of("2.4.1")
    client.hello(0)
    client.receive(b"-\n")
    assert client.next_event() == AuthNeeded()
    assert client.authenticate(PASSWORD) == PLAIN
    client.receive(b"+\n")
    assert client.next_event() == Ready()


def test_a_client_that_is_refused() -> None:
    client = client_of("2.4.1")
    client.hello(0)
    client.receive(b"-\n-\n")
    assert client.next_event() == AuthNeeded()
    assert fault_of(client) is Fault.AUTH_REFUSED


def test_a_client_that_starts_tls() -> None:
    client = client_of("2.4.1")
    client.hello(3)
    client.receive(b"VERSION\tdoveadm-client\t1\t3\n-\n")
    assert client.next_event() == Hello(3)
    assert client.next_event() == AuthNeeded()
    assert client.request_tls() == b"STARTTLS\n"
    assert client.start_tls() == b""
    assert client.next_event() is NEED_DATA
    client.tls_up()
    client.receive(b"+\n")
    assert client.next_event() == Ready()


# Measured: STARTTLS needs server minor >= 2.
@pytest.mark.parametrize("said", [b"-\n", b"VERSION\tdoveadm-client\t1\t1\n-\n"])
def test_old_servers_know_no_starttls(said: bytes) -> None:
    client = client_of("2.4.1")
    client.hello(3)
    client.receive(said)
    while client.next_event() is not NEED_DATA:
        pass
    with pytest.raises(ProtocolError) as caught:
        client.request_tls()
    assert caught.value.fault is Fault.STARTTLS_UNSUPPORTED


# Measured: exactly `+` or `-`, else error and close.
@pytest.mark.parametrize(
    ("said", "fault"),
    [
        (b"+ ok\n", Fault.BAD_HANDSHAKE),
        (b"hello\n", Fault.BAD_HANDSHAKE),
        (b"\n", Fault.BAD_HANDSHAKE),
        (b"VERSION\tdoveadm-server\t1\t2\n", Fault.INCOMPATIBLE),
        (b"VERSION\tdoveadm-client\t2\t0\n", Fault.INCOMPATIBLE),
        (b"x" * CLIENT_LINE_LIMIT, Fault.LINE_TOO_LONG),
    ],
)
def test_greetings_that_are_wrong(said: bytes, fault: Fault) -> None:
    client = client_of("2.4.1")
    client.hello(2)
    client.receive(said)
    assert fault_of(client) is fault


def test_a_server_that_hangs_up() -> None:
    client = client_of("2.4.1")
    client.hello(2)
    client.receive(b"")
    assert fault_of(client) is Fault.EOF


def ready(*commands: bytes) -> ClientConnection:
    client = client_of("2.2.32")
    client.hello(0)
    client.receive(b"+\n")
    assert client.next_event() == Ready()
    for name in commands:
        client.command(b"tss", name)
    return client


def test_command_lines_are_escaped() -> None:
    client = ready()
    sent = client.command(
        b"a\tb", b"mailbox create", (b"-s", b"x\ny"), flags=b"vx", extra=b"k=v\tl=w"
    )
    assert sent == b"vx\tk=v\x01tl=w\ta\x01tb\tmailbox create\t-s\tx\x01ny\n"
    assert client.option(b"log-passthrough") == b"\t\tOPTION\tlog-passthrough\n"


# Measured.
@pytest.mark.parametrize(
    ("said", "reply"),
    [
        (b"\n+\n", Reply((), b"", b"+")),
        (b"\t\n+\n", Reply((b"",), b"", b"+")),
        (b"a\tb\x01tc\t\n-NOTFOUND\n", Reply((b"a", b"b\tc"), b"", b"-NOTFOUND")),
        (b"\n-REFERRAL user@host\n", Reply((), b"", b"-REFERRAL user@host")),
        (b'{"tss":{"uid":"5000"}}\n+\n', Reply((), b'{"tss":{"uid":"5000"}}', b"+")),
    ],
)
def test_replies(said: bytes, reply: Reply) -> None:
    client = ready(b"any")
    client.receive(said)
    assert client.next_event() == reply
    assert reply.ok is reply.status.startswith(b"+")


def test_replies_to_a_pipeline() -> None:
    client = ready(b"first", b"second")
    client.receive(b"a\t\n+\n\n-NOUSER\n")
    assert client.next_event() == Reply((b"a",), b"", b"+")
    assert client.next_event() == Reply((), b"", b"-NOUSER")
    client.receive(b"")
    assert client.next_event() == Eof(partial=False)


@pytest.mark.parametrize("said", [b"", b"a\t", b"a\t\n", b"a\t\n+"])
def test_a_reply_that_is_cut_off(said: bytes) -> None:
    client = ready(b"any")
    if said:
        client.receive(said)
    client.receive(b"")
    assert client.next_event() == Eof(partial=True)


def test_a_reply_without_a_status_comes_after_the_good_ones() -> None:
    client = ready(b"first", b"second")
    client.receive(b"\n+\na\t\nwhat\n\n+\n")
    assert client.next_event() == Reply((), b"", b"+")
    assert fault_of(client) is Fault.BAD_REPLY
    assert fault_of(client) is Fault.BAD_REPLY


def test_a_broken_reply_does_not_hide_the_greeting() -> None:
    client = client_of("2.4.1")
    client.hello(0)
    client.receive(b"+\n\nwhat\n")
    assert client.next_event() == Ready()
    assert fault_of(client) is Fault.BAD_REPLY


# By release: 2.2.22 to 2.3.16 send a second status behind a failure's.
def test_a_second_status_is_no_reply() -> None:
    client = ready(b"first")
    client.receive(b"\n-NOTFOUND\n\n-\n")
    assert client.next_event() == Reply((), b"", b"-NOTFOUND")
    assert client.next_event() is NEED_DATA
    client.command(b"tss", b"second")
    client.receive(b"\n+\n")
    assert client.next_event() == Reply((), b"", b"+")


def test_any_number_of_stray_statuses_is_skipped() -> None:
    client = ready()
    client.receive(b"\n-\n" * 5000)
    assert client.next_event() is NEED_DATA


# By release: on pre-authenticated sockets 2.2.33 sends VERSION behind the `+`.
@pytest.mark.parametrize("first", [1, 5, 30])
def test_a_version_behind_the_plus(first: int) -> None:
    client = client_of("2.2.33")
    client.hello(1)
    client.receive(b"+\n")
    assert client.next_event() == Ready()
    client.command(b"tss", b"quota get")
    said = b"VERSION\tdoveadm-client\t1\t1\n\0\0\0\0\x02a\t\0\0\0\0\x03\n+\n"
    client.receive(said[:first])
    assert client.next_event() is NEED_DATA
    client.receive(said[first:])
    assert client.next_event() == Reply((b"a",), b"", b"+")
    assert client.server_minor == 1
