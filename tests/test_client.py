"""The client, blocking and for Trio: each test runs with both."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import TypedDict, Unpack

import pytest
import trio

from fakedove.client import (
    Address,
    Client,
    ClientError,
    ClientTimeoutError,
    PasswordNeededError,
    Reply,
    TlsMode,
    open_trio_client,
)
from fakedove.wire.replies import LogLine
from tests.scripted_server import PREAUTHENTICATED, scripted_server

QUOTA = ("C", b"\tann\tquota get\n")


class Options(TypedDict, total=False):
    password: str
    tls: TlsMode
    minor: int
    timeout: float


class Blocking:
    """One command with the blocking client."""

    @staticmethod
    def call(
        address: Address, name: str, body: bytes | None = None, **options: Unpack[Options]
    ) -> Reply:
        with Client.connect(address, **options) as client:
            return client.command(name, user="ann", body=body)


class InTrio:
    """One command with the Trio client."""

    @staticmethod
    def call(
        address: Address, name: str, body: bytes | None = None, **options: Unpack[Options]
    ) -> Reply:
        async def call() -> Reply:
            async with open_trio_client(address, **options) as client:
                return await client.command(name, user="ann", body=body)

        return trio.run(call)


@pytest.fixture(params=[Blocking, InTrio])
def either(request: pytest.FixtureRequest) -> type[Blocking] | type[InTrio]:
    kind: type[Blocking] | type[InTrio] = request.param
    return kind


Either = type[Blocking] | type[InTrio]


def test_a_reply_has_fields_status_and_log(either: Either) -> None:
    reply = (
        b"\0\0\0\0\x0ba\x01tb\t\tc\x01nd\tL\0\0\0\x0e\x04doveadm: no!\n\0\0\0\0\x0b\n-TEMPFAIL\n"
    )
    with scripted_server([*PREAUTHENTICATED, QUOTA, ("S", reply)]) as address:
        got = either.call(address, "quota get", minor=2)
    assert got == Reply((b"a\tb", b"", b"c\nd"), b"", b"-TEMPFAIL", (LogLine(4, b"doveadm: no!"),))
    assert not got.ok


def test_a_password_is_sent_when_it_is_wanted(either: Either) -> None:
    script = [
        ("C", b"VERSION\tdoveadm-server\t1\t0\n"),
        ("S", b"-\n"),
        ("C", b"PLAIN\tAGRvdmVhZG0Ac2VjcmV0\n"),
        ("S", b"+\n"),
        QUOTA,
        ("S", b"\n+\n"),
    ]
    with scripted_server(script) as address:
        assert either.call(address, "quota get", minor=0, password="secret").ok


def test_minor_3_asks_a_server_of_1_3_for_its_log(either: Either) -> None:
    script = [
        ("C", b"VERSION\tdoveadm-server\t1\t3\n"),
        ("S", b"VERSION\tdoveadm-client\t1\t3\n+\n"),
        ("C", b"\t\tOPTION\tlog-passthrough\n\tann\tquota get\n"),
        ("S", b"\0\0\0\0\x03\n+\n"),
    ]
    with scripted_server(script) as address:
        assert either.call(address, "quota get").ok


def test_a_mail_follows_its_command_dot_stuffed(either: Either) -> None:
    script = [
        *PREAUTHENTICATED,
        ("C", b"\tann\tsave\nSubject: x\r\n\r\n..dot\r\n\r\n.\r\n"),
        ("S", b"\0\0\0\0\x03\n+\n"),
    ]
    with scripted_server(script) as address:
        assert either.call(address, "save", b"Subject: x\n\n.dot\n", minor=2).ok


@pytest.mark.parametrize(
    ("answers", "options", "text"),
    [
        ([b"-\n", b"-\n"], {"password": "wrong"}, "the server refused the password"),
        ([b"-\n"], {}, "the server wants a password"),
        ([b"-\n"], {"tls": "starttls"}, "the server does not offer STARTTLS"),
        ([b"220 mail.example.com ESMTP\n"], {}, "a line that has no place in the handshake"),
        ([b"VERSION\tdoveadm-client\t2\t0\n"], {}, "the VERSION line is not one of this protocol"),
        ([], {}, "the connection ended in the handshake"),
    ],
)
def test_a_failed_handshake_is_told_in_one_line(
    either: Either, answers: list[bytes], options: Options, text: str
) -> None:
    plain = b"PLAIN\tAGRvdmVhZG0Ad3Jvbmc=\n"
    sent = [b"VERSION\tdoveadm-server\t1\t3\n", *([plain] if "password" in options else [])]
    script = [("C", sent[0]), *(("S", answer) for answer in answers[:1])]
    if len(sent) > 1:
        script += [("C", plain), ("S", answers[1])]
    with scripted_server(script) as address, pytest.raises(ClientError) as caught:
        either.call(address, "quota get", **options)
    assert str(caught.value) == f"{address}: {text}"


def test_what_is_said_between_starttls_and_tls_is_refused(either: Either) -> None:
    script = [
        ("C", b"VERSION\tdoveadm-server\t1\t2\n"),
        ("S", b"VERSION\tdoveadm-client\t1\t2\n-\n+\n"),
        ("C", b"STARTTLS\n"),
    ]
    with scripted_server(script) as address, pytest.raises(ClientError, match="between STARTTLS"):
        either.call(address, "quota get", tls="starttls", minor=2, password="secret")


def test_a_reply_that_is_cut_off_is_an_error_with_its_log(either: Either) -> None:
    reply = b"\0\0\0\0\x02a\tL\0\0\0\x05\x04bad\n"
    script = [*PREAUTHENTICATED, QUOTA, ("S", reply)]
    with scripted_server(script) as address, pytest.raises(ClientError) as caught:
        either.call(address, "quota get", minor=2)
    why = "the server closed the connection before its reply was complete"
    assert str(caught.value) == f"{address}: {why}"
    assert caught.value.log == (LogLine(4, b"bad"),)


def test_a_silent_server_is_given_up(either: Either) -> None:
    with scripted_server([], stays=True) as address, pytest.raises(ClientTimeoutError) as caught:
        either.call(address, "quota get", timeout=0.05)
    assert str(caught.value) == f"{address}: no answer within 0.05 s"


def test_a_drop_by_drop_server_is_given_up_too(either: Either) -> None:
    """The time is that of the whole command, not of each read."""
    script = [*PREAUTHENTICATED, QUOTA, ("S", b"\0\0\0")]
    with (
        scripted_server(script, stays=True) as address,
        pytest.raises(ClientTimeoutError),
    ):
        either.call(address, "quota get", minor=2, timeout=0.1)


def test_plain_text_where_tls_should_be_is_told(either: Either) -> None:
    with (
        scripted_server([("S", b"-\n" * 10)], stays=True) as address,
        pytest.raises(ClientError, match=r"TLS failed: \w+"),
    ):
        either.call(address, "quota get", tls="yes", password="secret")


def test_nobody_there(either: Either, tmp_path: Path) -> None:
    with pytest.raises(ClientError, match=r"cannot connect: No such file or directory$"):
        either.call(Address(str(tmp_path / "none")), "quota get")
    with socket.create_server(("127.0.0.1", 0)) as bound:
        port = bound.getsockname()[1]
    with pytest.raises(ClientError, match=f"^127.0.0.1:{port}: cannot connect: Connection refused"):
        either.call(Address(None, "127.0.0.1", port), "quota get")


def test_a_password_that_is_wanted_has_an_error_of_its_own() -> None:
    script = [("C", b"VERSION\tdoveadm-server\t1\t3\n"), ("S", b"-\n")]
    with scripted_server(script) as address, pytest.raises(PasswordNeededError):
        Client.connect(address)


def test_trace_shows_both_sides() -> None:
    seen: list[tuple[str, bytes]] = []
    with scripted_server([*PREAUTHENTICATED]) as address:
        trace = lambda who, data: seen.append((who, data))  # noqa: E731
        Client.connect(address, minor=2, trace=trace).close()
    assert seen == PREAUTHENTICATED


@pytest.mark.parametrize(
    ("given", "address"),
    [
        ("unix:/run/d", Address("/run/d")),
        ("unix:d", Address("d")),
        ("/run/d", Address("/run/d")),
        ("run/d:1", Address("run/d:1")),
        (Path("/run/d"), Address("/run/d")),
        ("tcp:127.0.0.1:24245", Address(None, "127.0.0.1", 24245)),
        ("localhost:1", Address(None, "localhost", 1)),
        ("tcp:[::1]:1", Address(None, "::1", 1)),
        (("::1", 2), Address(None, "::1", 2)),
    ],
)
def test_addresses(given: str | Path | tuple[str, int], address: Address) -> None:
    assert Address.of(given) == address


@pytest.mark.parametrize("text", ["", "tcp:localhost", "tcp:localhost:65536", "unix:", "tcp:::1:5"])
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(ClientError, match="is no address: it must be unix:PATH"):
        Address.of(text)
