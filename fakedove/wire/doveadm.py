"""The native doveadm-server protocol as a state machine without I/O: what both ends share.

    C: VERSION\\tdoveadm-server\\t1\\t2
    S: VERSION\\tdoveadm-client\\t1\\t2
    S: -
    C: PLAIN\\tAGRvdmVhZG0Ac2VjcmV0
    S: +
    C: \\ttss\\tquota get
    S: User quota\\tSTORAGE\\t26\\t1048576\\t0\\t
    S: +

A connection takes bytes (`receive`), hands out one event at a time (`next_event`, as h11
does) and turns what its owner says into bytes. What may happen when stands in `_MOVES`. The
ends themselves are in `doveadm_server` and `doveadm_client`.
"""

from __future__ import annotations

import abc
import enum
from typing import TypeAlias

import msgspec

from fakedove.errors import FakeDovecotError, ProtocolError
from fakedove.wire.handshake import Fault
from fakedove.wire.lines import NEED_DATA as NEED_DATA
from fakedove.wire.lines import LineBuffer, LineTooLong, Paused
from fakedove.wire.replies import LogLine, Reply


class State(enum.Enum):
    """Where a conversation stands."""

    VERSION = enum.auto()
    AUTH = enum.auto()
    TLS = enum.auto()
    READY = enum.auto()
    BODY = enum.auto()
    CLOSED = enum.auto()


class Move(enum.Enum):
    """What takes a conversation from one state to another."""

    PREAUTHENTICATED = enum.auto()
    AUTH_NEEDED = enum.auto()
    AUTHENTICATED = enum.auto()
    STARTTLS = enum.auto()
    TLS_UP = enum.auto()
    COMMAND = enum.auto()
    BODY_FOLLOWS = enum.auto()
    BODY_ENDED = enum.auto()
    CLOSE = enum.auto()


_MOVES: dict[State, dict[Move, State]] = {
    State.VERSION: {
        Move.PREAUTHENTICATED: State.READY,
        Move.AUTH_NEEDED: State.AUTH,
        Move.CLOSE: State.CLOSED,
    },
    State.AUTH: {
        Move.AUTHENTICATED: State.READY,
        Move.STARTTLS: State.TLS,
        Move.CLOSE: State.CLOSED,
    },
    State.TLS: {Move.TLS_UP: State.AUTH, Move.CLOSE: State.CLOSED},
    State.READY: {
        Move.COMMAND: State.READY,
        Move.BODY_FOLLOWS: State.BODY,
        Move.CLOSE: State.CLOSED,
    },
    State.BODY: {Move.BODY_ENDED: State.READY, Move.CLOSE: State.CLOSED},
    State.CLOSED: {Move.CLOSE: State.CLOSED},
}


class LocalError(FakeDovecotError):
    """This side asked its own `Connection` for something the state does not allow."""


class Hello(msgspec.Struct, frozen=True, gc=False):
    """The peer's VERSION line was good."""

    minor: int


class Authenticate(msgspec.Struct, frozen=True, gc=False):
    """The client sent a line instead of being authenticated already."""

    line: bytes

    @property
    def starttls(self) -> bool:
        """Whether it asks for TLS instead."""
        return self.line == b"STARTTLS"

    @property
    def is_plain(self) -> bool:
        """Whether it sends a password."""
        return self.line.startswith(b"PLAIN\t")


class Line(msgspec.Struct, frozen=True, gc=False):
    """The client sent a command line, NUL-cut and without its line end."""

    line: bytes


class Body(msgspec.Struct, frozen=True, gc=False):
    """A piece of the mail that follows a command; `last` with its final dot."""

    data: bytes
    last: bool


class Eof(msgspec.Struct, frozen=True, gc=False):
    """The client will send no more; `partial` if it left a line or body unfinished."""

    partial: bool


class AuthNeeded(msgspec.Struct, frozen=True, gc=False):
    """The server wants a password (client role)."""


class Ready(msgspec.Struct, frozen=True, gc=False):
    """The server takes commands now (client role)."""


Event: TypeAlias = (
    Hello | Authenticate | Line | Body | Eof | AuthNeeded | Ready | LogLine | Reply | Paused
)


class Connection(abc.ABC):
    """One end of a conversation.

    Feed it with `receive`, ask `next_event` until it says NEED_DATA, and send what the
    other methods return. A peer's fault is raised as `ProtocolError(Fault)`, a call that the
    state does not allow as `LocalError`.
    """

    __slots__ = ("_eof", "_lines", "state")

    def __init__(self, line_limit: int) -> None:
        self.state = State.VERSION
        self._eof = False
        self._lines = LineBuffer(line_limit)

    def receive(self, data: bytes) -> None:
        """Take bytes from the peer; b"" is its EOF."""
        if not data:
            self._eof = True
        else:
            self._lines.feed(data)

    @abc.abstractmethod
    def next_event(self) -> Event:
        """Return the next event, or NEED_DATA; raise ProtocolError for the peer's fault."""

    def start_tls(self) -> bytes:
        """Begin TLS; return bytes that came behind the request and so belong to TLS."""
        self._move(Move.STARTTLS)
        return self._lines.take()

    def tls_up(self) -> None:
        """Say that the TLS handshake is done; authentication goes on inside it."""
        self._move(Move.TLS_UP)

    def _move(self, move: Move) -> None:
        try:
            self.state = _MOVES[self.state][move]
        except KeyError:
            text = f"{move.name} is not possible in state {self.state.name}"
            raise LocalError(text) from None

    def _line(self) -> bytes | None:
        try:
            return self._lines.next_line()
        except LineTooLong:
            raise ProtocolError(Fault.LINE_TOO_LONG) from None
