"""The native doveadm-server protocol as a state machine without I/O, for both roles.

    C: VERSION\\tdoveadm-server\\t1\\t2
    S: VERSION\\tdoveadm-client\\t1\\t2
    S: -
    C: PLAIN\\tAGRvdmVhZG0Ac2VjcmV0
    S: +
    C: \\ttss\\tquota get
    S: User quota\\tSTORAGE\\t26\\t1048576\\t0\\t
    S: +

`Connection` takes bytes (`receive`), hands out one event at a time (`next_event`, as h11
does) and turns what its owner says into bytes. What may happen when stands in `_MOVES`.
"""

from __future__ import annotations

import binascii
import enum
from collections.abc import Callable
from typing import TypeAlias

import msgspec

from fakedove.errors import FakeDovecotError, ProtocolError
from fakedove.wire import multiplex, tabescape
from fakedove.wire.dialect import CLIENT_LINE_LIMIT, SERVER_LINE_LIMIT, Dialect
from fakedove.wire.dotstream import DotReader
from fakedove.wire.handshake import Fault, parse_version
from fakedove.wire.lines import NEED_DATA as NEED_DATA
from fakedove.wire.lines import LineBuffer, LineTooLong, Paused
from fakedove.wire.replies import LogLine, Reply, ReplyParser


class Role(enum.Enum):
    """Which end of the conversation this is."""

    SERVER = enum.auto()
    CLIENT = enum.auto()


_SERVER = Role.SERVER


class State(enum.Enum):
    """Where a conversation stands."""

    VERSION = enum.auto()
    AUTH = enum.auto()
    TLS = enum.auto()
    READY = enum.auto()
    BODY = enum.auto()
    CLOSED = enum.auto()


_READY = State.READY


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


class Connection:
    """One conversation, seen from one end.

    Feed it with `receive`, ask `next_event` until it says NEED_DATA, and send what the
    other methods return. A peer's fault is raised as `ProtocolError(Fault)`, a call that the
    state does not allow as `LocalError`.
    """

    __slots__ = (
        "_body",
        "_dialect",
        "_eof",
        "_framer",
        "_in_tls",
        "_lines",
        "_next",
        "_outstanding",
        "_preauthenticated",
        "_reader",
        "_replies",
        "_role",
        "client_minor",
        "server_minor",
        "state",
    )

    def __init__(
        self,
        role: Role,
        dialect: Dialect,
        *,
        preauthenticated: bool = False,
        in_tls: bool = False,
    ) -> None:
        self.state = State.VERSION
        self._next = _NEXT[role, State.VERSION]
        self.client_minor = 0
        #: The server's minor; None while (or if) the server does not tell.
        self.server_minor: int | None = dialect.minor if role is Role.SERVER else None
        self._role = role
        self._dialect = dialect
        self._preauthenticated = preauthenticated
        self._in_tls = in_tls
        self._eof = False
        self._framer: multiplex.Framer | None = None
        self._body: DotReader | None = None
        limit = dialect.line_limit if role is Role.SERVER else CLIENT_LINE_LIMIT
        self._lines = LineBuffer(limit)
        self._reader: multiplex.Reader | None = None
        self._replies = ReplyParser()
        self._outstanding = 0

    def _move(self, move: Move) -> None:
        try:
            self.state = _MOVES[self.state][move]
        except KeyError:
            text = f"{move.name} is not possible in state {self.state.name}"
            raise LocalError(text) from None
        self._next = _NEXT[self._role, self.state]

    # Both roles ----------------------------------------------------------------------

    @property
    def room(self) -> int:
        """How many bytes `receive` takes before a line is too long."""
        if self._body is None and self._role is _SERVER:
            return self._lines.room
        return SERVER_LINE_LIMIT

    @property
    def idle(self) -> bool:
        """Whether the next bytes begin a command, and all before them were handed out."""
        return self.state is _READY and self._lines.empty and not self._eof

    def receive(self, data: bytes) -> None:
        """Take bytes from the peer; b"" is its EOF."""
        if not data:
            self._eof = True
        else:
            self._lines.feed(data)

    def next_event(self) -> Event:
        """Return the next event, or NEED_DATA; raise ProtocolError for the peer's fault."""
        return self._next(self)

    def close(self) -> bytes:
        """End the conversation in order; return what the reply stream still owes."""
        self._move(Move.CLOSE)
        # Even without data a STREAM begins with its header (recording cmd.eof-partial@1.4).
        return b"" if self._framer is None else self._framer.start()

    def start_tls(self) -> bytes:
        """Begin TLS; return bytes that came behind the request and so belong to TLS."""
        self._move(Move.STARTTLS)
        return self._lines.take()

    def tls_up(self) -> None:
        """Say that the TLS handshake is done; authentication goes on inside it."""
        self._move(Move.TLS_UP)
        self._in_tls = True

    def _line(self) -> bytes | None:
        try:
            return self._lines.next_line()
        except LineTooLong:
            raise ProtocolError(Fault.LINE_TOO_LONG) from None

    def _nothing(self) -> Event:
        return NEED_DATA

    # Server --------------------------------------------------------------------------

    def greet(self) -> bytes:
        """Return what the server says at accept, before the client has said anything."""
        return self._verdict() if self._dialect.greets_first else b""

    def answer_hello(self) -> bytes:
        """Return the answer to the client's VERSION line."""
        answer = b""
        if self.client_minor >= 1 and self._dialect.minor >= 1:
            answer = b"VERSION\tdoveadm-client\t1\t%d\n" % self._dialect.minor
        if not self._dialect.greets_first:
            answer += self._verdict()
        self._move(Move.PREAUTHENTICATED if self._preauthenticated else Move.AUTH_NEEDED)
        if self._preauthenticated:
            self._start_replies()
        return answer

    def accept(self) -> bytes:
        """Return the answer to a good password; from here on replies are framed."""
        self._move(Move.AUTHENTICATED)
        self._start_replies()
        answer = b"+\n" if self._dialect.answers_auth else b""
        # Measured only inside TLS: the header comes with the `+`, not with the first data.
        if self._in_tls and self._framer is not None:
            answer += self._framer.start()
        return answer

    def refuse(self) -> bytes:
        """Return the answer to a failed authentication; the conversation is over."""
        self._move(Move.CLOSE)
        return b"-\n" if self._dialect.answers_auth else b""

    def expect_body(self) -> None:
        """Take what follows the command line as a dot-terminated mail."""
        self._move(Move.BODY_FOLLOWS)
        self._body = DotReader()

    @property
    def logs(self) -> bool:
        """Whether there is a log channel."""
        return self._framer is not None

    def data(self, *writes: bytes) -> bytes:
        """Return writes of reply data as they stand on the connection."""
        if self._framer is None:
            return b"".join(writes)
        return b"".join([self._framer.frame(multiplex.MAIN, write) for write in writes])

    def log(self, level: int, lines: list[bytes]) -> bytes:
        """Return one log text, already prefixed line by line, as it stands on the connection."""
        if self._framer is None:
            return b""
        pieces = self._log_packets(level, lines)
        return b"".join([self._framer.frame(multiplex.LOG, piece) for piece in pieces])

    def flood(self, level: int, line: bytes, size: int = 0) -> bytes:
        """Return `line` as often as fills `size` bytes, as releases before 2.3.17 send it.

        They repeat what follows an LF in a log text for ever (recording extra.multiline-log).
        """
        assert self._framer is not None
        mark, times = bytes([level]), size // (len(line) + 2) + 1
        if self._dialect.log_packets == 1:
            return self._framer.frame(multiplex.LOG, (mark + line + b"\n") * times)
        pair = [self._framer.frame(multiplex.LOG, piece) for piece in (mark, line + b"\n")]
        return b"".join(pair) * times

    def _log_packets(self, level: int, lines: list[bytes]) -> list[bytes]:
        mark = bytes([level])
        if self._dialect.log_packets == 1:
            return [b"".join([mark + line + b"\n" for line in lines])]
        return [piece for line in lines for piece in (mark, line, b"\n")]

    def _verdict(self) -> bytes:
        return b"+\n" if self._preauthenticated else b"-\n"

    def _start_replies(self) -> None:
        if self.client_minor == 0 or self._dialect.minor == 0:
            return
        stream = self._dialect.stream_from_minor
        if stream is not None and self.client_minor >= stream:
            self._framer = multiplex.StreamFramer()
        else:
            self._framer = multiplex.PacketFramer()

    def _next_version(self) -> Event:
        line = self._line()
        if line is None:
            if self._eof:
                raise ProtocolError(Fault.EOF)
            return NEED_DATA
        minor = parse_version(tabescape.c_string(line), b"doveadm-server", self._dialect)
        self.client_minor = minor
        return Hello(minor)

    def _next_auth(self) -> Event:
        line = self._line()
        if line is not None:
            return Authenticate(tabescape.c_string(line))
        return self._eof_or_more()

    def _next_line(self) -> Event:
        try:
            line = self._lines.next_line()
        except LineTooLong:
            raise ProtocolError(Fault.LINE_TOO_LONG) from None
        if line is None:
            return self._eof_or_more()
        return Line(line if b"\x00" not in line else tabescape.c_string(line))

    def _next_body(self) -> Event:
        assert self._body is not None
        data = self._body.feed(self._lines.take())
        if self._body.ended:
            self._lines.feed(self._body.trailing)
            self._body = None
            self._move(Move.BODY_ENDED)
            return Body(data, last=True)
        if data:
            return Body(data, last=False)
        if self._eof:
            return Eof(partial=True)
        return NEED_DATA

    def _eof_or_more(self) -> Event:
        return Eof(partial=len(self._lines) > 0) if self._eof else NEED_DATA

    # Client --------------------------------------------------------------------------

    def hello(self, minor: int) -> bytes:
        """Return the client's first line."""
        self.client_minor = minor
        return b"VERSION\tdoveadm-server\t1\t%d\n" % minor

    def request_tls(self) -> bytes:
        """Return the request for STARTTLS; call `start_tls` when it is sent."""
        if not self.server_minor or self.server_minor < 2:
            raise ProtocolError(Fault.STARTTLS_UNSUPPORTED)
        return b"STARTTLS\n"

    def authenticate(self, password: bytes) -> bytes:
        """Return the line that proves this client is `doveadm`."""
        plain = binascii.b2a_base64(b"\0doveadm\0" + password, newline=False)
        return b"PLAIN\t%b\n" % plain

    def command(
        self,
        username: bytes,
        name: bytes,
        arguments: tuple[bytes, ...] = (),
        *,
        flags: bytes = b"",
        extra: bytes | None = None,
    ) -> bytes:
        """Return a command line; its reply will come as one `Reply`."""
        self._move(Move.COMMAND)
        self._outstanding += 1
        fields = [flags, *([] if extra is None else [extra]), username, name, *arguments]
        return b"\t".join([tabescape.escape(field) for field in fields]) + b"\n"

    def option(self, name: bytes) -> bytes:
        """Return an OPTION line, which has no reply."""
        self._move(Move.COMMAND)
        return b"\t\tOPTION\t%b\n" % tabescape.escape(name)

    def _next_greeting(self) -> Event:
        line = self._line()
        if line is None:
            if self._eof:
                raise ProtocolError(Fault.EOF)
            return NEED_DATA
        if line.startswith(b"VERSION\t"):
            self.server_minor = parse_version(line, b"doveadm-client", self._dialect)
            return Hello(self.server_minor)
        if line == b"+":
            self._become_ready()
            return Ready()
        if line != b"-":
            raise ProtocolError(Fault.BAD_HANDSHAKE)
        if self.state is State.AUTH:
            raise ProtocolError(Fault.AUTH_REFUSED)
        self._move(Move.AUTH_NEEDED)
        return AuthNeeded()

    def _become_ready(self) -> None:
        authenticated = self.state is State.AUTH
        self._move(Move.AUTHENTICATED if authenticated else Move.PREAUTHENTICATED)
        if self.server_minor and self.client_minor:
            self._reader = multiplex.Reader()

    def _replies_receive(self, data: bytes) -> None:
        if self._reader is None and self.server_minor is None and self.client_minor:
            data = self._late_version(data)
        if self._reader is None:
            self._replies.feed(multiplex.MAIN, data)
            return
        for channel, chunk in self._reader.feed(data):
            self._replies.feed(channel, chunk)

    def _late_version(self, data: bytes) -> bytes:
        """Take the VERSION line of 2.2.33, which comes behind the `+`; return the rest."""
        mark = b"VERSION\tdoveadm-client\t"
        if mark.startswith(data) or (data.startswith(mark) and b"\n" not in data):
            self._lines.feed(data)
            return b""
        if data.startswith(mark):
            line, _, data = data.partition(b"\n")
            self.server_minor = parse_version(line, b"doveadm-client", self._dialect)
            self._reader = multiplex.Reader()
        else:
            self.server_minor = 0
        return data

    def _next_reply(self) -> Event:
        if len(self._lines):
            self._replies_receive(self._lines.take())
        event = self._replies.next_event()
        # The second status line of 2.2.22-2.3.16 belongs to the failure before it.
        while not self._outstanding and event == _SECOND_STATUS:
            event = self._replies.next_event()
        if isinstance(event, Reply):
            self._outstanding = max(0, self._outstanding - 1)
        elif event is NEED_DATA and self._eof:
            return Eof(partial=self._replies.partial or self._outstanding > 0)
        return event


_SECOND_STATUS = Reply((), b"", b"-")

_NEXT: dict[tuple[Role, State], Callable[[Connection], Event]] = {
    (Role.SERVER, State.VERSION): Connection._next_version,
    (Role.SERVER, State.AUTH): Connection._next_auth,
    (Role.SERVER, State.TLS): Connection._nothing,
    (Role.SERVER, State.READY): Connection._next_line,
    (Role.SERVER, State.BODY): Connection._next_body,
    (Role.SERVER, State.CLOSED): Connection._nothing,
    (Role.CLIENT, State.VERSION): Connection._next_greeting,
    (Role.CLIENT, State.AUTH): Connection._next_greeting,
    (Role.CLIENT, State.TLS): Connection._nothing,
    (Role.CLIENT, State.READY): Connection._next_reply,
    (Role.CLIENT, State.CLOSED): Connection._nothing,
}
