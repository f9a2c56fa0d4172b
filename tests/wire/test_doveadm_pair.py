"""Client and server joined in memory: they agree, whatever the release."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakedove.dovecot.release import Release
from fakedove.dovecot.releases import ROWS
from fakedove.wire import tabescape
from fakedove.wire.dialect import Dialect
from fakedove.wire.doveadm import (
    NEED_DATA,
    Authenticate,
    AuthNeeded,
    Connection,
    Event,
    Hello,
    Line,
    Ready,
    State,
)
from fakedove.wire.doveadm_client import ClientConnection
from fakedove.wire.doveadm_server import ServerConnection
from fakedove.wire.handshake import plain_password
from fakedove.wire.replies import LogLine, Reply
from tests.wire.cuts import cuts, pieces

PASSWORD = b"secret"


ROW = (b"User quota", b"a\tb\nc", b"\x03\xfe\x00", b"")
LOG_TEXT = b"doveadm(tss): User doesn't exist"


@dataclass
class Pair:
    """Both roles of one dialect, joined in memory; each end does what it is asked to."""

    server: ServerConnection
    client: ClientConnection
    sizes: list[int]
    events: list[Event] = field(default_factory=list)

    def run(self, minor: int) -> list[Event]:
        """Shake hands, send one command and return what the client saw."""
        to_client, to_server = self.server.greet(), self.client.hello(minor)
        while to_client or to_server:
            to_server += self._give(self.client, to_client, self._client_says)
            to_client = self._give(self.server, to_server, self._server_says)
            to_server = b""
        return self.events

    def _give(self, end: Connection, data: bytes, says: Callable[[Event], bytes]) -> bytes:
        said = b""
        for piece in pieces(data, self.sizes):
            end.receive(piece)
            while (event := end.next_event()) is not NEED_DATA:
                said += says(event)
        return said

    def _server_says(self, event: Event) -> bytes:
        match event:
            case Hello():
                return self.server.answer_hello()
            case Authenticate(line):
                assert plain_password(line, Dialect(minor=0)) == PASSWORD
                return self.server.accept()
            case Line(line):
                assert line == b"\ttss\tquota get\tx\x01ty"
                server = self.server
                log = server.log(4, [LOG_TEXT])
                return log + server.data(tabescape.join(ROW)) + server.data(b"\n-NOUSER\n")
        raise AssertionError(event)

    def _client_says(self, event: Event) -> bytes:
        self.events.append(event)
        match event:
            case AuthNeeded():
                return self.client.authenticate(PASSWORD)
            case Ready():
                return self.client.command(b"tss", b"quota get", (b"x\ty",))
        return b""


def pair(dialect: Dialect, *, preauthenticated: bool, sizes: list[int]) -> Pair:
    server = ServerConnection(dialect, preauthenticated=preauthenticated)
    return Pair(server, ClientConnection(dialect), sizes)


def check(dialect: Dialect, minor: int, *, preauthenticated: bool, sizes: list[int]) -> None:
    ends = pair(dialect, preauthenticated=preauthenticated, sizes=sizes)
    events = ends.run(minor)
    framed = minor >= 1 and dialect.minor >= 1
    told = framed and not (dialect.greets_first and preauthenticated)
    expected: list[Event] = [
        *([Hello(dialect.minor)] if told else []),
        *([] if preauthenticated else [AuthNeeded()]),
        Ready(),
        *([LogLine(4, LOG_TEXT)] if framed else []),
        Reply(ROW, b"", b"-NOUSER"),
    ]
    if dialect.greets_first and not preauthenticated and framed:
        expected[:2] = [AuthNeeded(), Hello(dialect.minor)]
    assert events == expected
    assert (ends.client.server_minor or 0) == (dialect.minor if framed else 0)
    assert ends.server.logs is framed
    assert ends.server.state is ends.client.state is State.READY


answering = [row for row in ROWS if row.dialect.answers_auth]


@pytest.mark.parametrize("minor", range(5))
@pytest.mark.parametrize("row", ROWS, ids=lambda row: str(row.first))
def test_both_ends_agree_without_a_password(row: Release, minor: int) -> None:
    check(row.dialect, minor, preauthenticated=True, sizes=[1 << 20])


@pytest.mark.parametrize("minor", range(5))
@pytest.mark.parametrize("row", answering, ids=lambda row: str(row.first))
def test_both_ends_agree_with_a_password(row: Release, minor: int) -> None:
    check(row.dialect, minor, preauthenticated=False, sizes=[1 << 20])


@given(st.sampled_from(ROWS), st.integers(0, 4), st.booleans(), cuts)
def test_both_ends_agree_however_the_bytes_are_cut(
    row: Release, minor: int, preauthenticated: bool, sizes: list[int]
) -> None:
    if row.dialect.answers_auth or preauthenticated:
        check(row.dialect, minor, preauthenticated=preauthenticated, sizes=sizes)
