"""The server's end of a doveadm conversation: greeting, password, command lines, replies."""

from __future__ import annotations

from collections.abc import Sequence

from fakedove.errors import ProtocolError
from fakedove.wire import multiplex, tabescape
from fakedove.wire.dialect import SERVER_LINE_LIMIT, Dialect
from fakedove.wire.dotstream import DotReader
from fakedove.wire.doveadm import (
    NEED_DATA,
    Authenticate,
    Body,
    Connection,
    Eof,
    Event,
    Hello,
    Line,
    Move,
    State,
)
from fakedove.wire.handshake import Fault, parse_version

#: Looking up a member of an enum takes longer than what it is compared with for each command.
_READY = State.READY


class ServerConnection(Connection):
    """One client's conversation, as a server of the given dialect leads it."""

    __slots__ = ("_body", "_dialect", "_framer", "_in_tls", "client_minor", "preauthenticated")

    def __init__(
        self, dialect: Dialect, *, preauthenticated: bool = False, in_tls: bool = False
    ) -> None:
        super().__init__(dialect.line_limit)
        #: The client's minor, once it has said it.
        self.client_minor = 0
        self._dialect = dialect
        #: Whether the client needs no password; settled before `greet`.
        self.preauthenticated = preauthenticated
        self._in_tls = in_tls
        self._framer: multiplex.Framer | None = None
        self._body: DotReader | None = None

    @property
    def room(self) -> int:
        """How many bytes `receive` takes before a line is too long."""
        return self._lines.room if self._body is None else SERVER_LINE_LIMIT

    @property
    def idle(self) -> bool:
        """Whether the next bytes begin a command, and all before them were handed out."""
        return self.state is _READY and self._lines.empty and not self._eof

    def next_event(self) -> Event:
        """Return the next event, or NEED_DATA; raise ProtocolError for the client's fault."""
        if self.state is _READY:
            return self._next_line()
        match self.state:
            case State.BODY:
                return self._next_body()
            case State.VERSION:
                return self._next_version()
            case State.AUTH:
                return self._next_auth()
            case _:
                return NEED_DATA

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
        self._move(Move.PREAUTHENTICATED if self.preauthenticated else Move.AUTH_NEEDED)
        if self.preauthenticated:
            self._start_replies()
        return answer

    def tls_up(self) -> None:
        """Say that the TLS handshake is done; authentication goes on inside it."""
        super().tls_up()
        self._in_tls = True

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

    def close(self) -> bytes:
        """End the conversation in order; return what the reply stream still owes."""
        self._move(Move.CLOSE)
        # Even without data a STREAM begins with its header (recording cmd.eof-partial@1.4).
        return b"" if self._framer is None else self._framer.start()

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

    def flood(self, level: int, line: bytes, size: int, before: Sequence[bytes] = ()) -> bytes:
        """Return `line`, behind those `before`, as often as fills `size` bytes."""
        assert self._framer is not None
        head = [bytes([level]) + one + b"\n" for one in before]
        repeated = bytes([level]) + line + b"\n"
        times = max(0, -(-(size - len(b"".join(head))) // len(repeated)))
        lines = [*head, *[repeated] * times]
        if self._dialect.log_packets == 1:
            return self._framer.frame(multiplex.LOG, b"".join(lines))
        pieces = (piece for line in lines for piece in (line[:1], line[1:]))
        return b"".join([self._framer.frame(multiplex.LOG, piece) for piece in pieces])

    def _log_packets(self, level: int, lines: list[bytes]) -> list[bytes]:
        mark = bytes([level])
        if self._dialect.log_packets == 1:
            return [b"".join([mark + line + b"\n" for line in lines])]
        *before, last = lines
        pieces = [piece for line in before for piece in (mark, line + b"\n")]
        return [*pieces, mark, last, b"\n"]

    def _verdict(self) -> bytes:
        return b"+\n" if self.preauthenticated else b"-\n"

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
        line = self._line()
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
