"""The client's end of a doveadm conversation: password, command lines, replies."""

from __future__ import annotations

import binascii

from fakedove.errors import ProtocolError
from fakedove.wire import multiplex, tabescape
from fakedove.wire.dialect import CLIENT_LINE_LIMIT, Dialect
from fakedove.wire.doveadm import (
    NEED_DATA,
    AuthNeeded,
    Connection,
    Eof,
    Event,
    Hello,
    Move,
    Ready,
    State,
)
from fakedove.wire.handshake import Fault, parse_version
from fakedove.wire.replies import Reply, ReplyParser

_SECOND_STATUS = Reply((), b"", b"-")


class ClientConnection(Connection):
    """A conversation with one server, as a client of the given dialect leads it."""

    __slots__ = ("_dialect", "_outstanding", "_reader", "_replies", "client_minor", "server_minor")

    def __init__(self, dialect: Dialect) -> None:
        super().__init__(CLIENT_LINE_LIMIT)
        self.client_minor = 0
        #: The server's minor; None while (or if) the server does not tell.
        self.server_minor: int | None = None
        self._dialect = dialect
        self._reader: multiplex.Reader | None = None
        self._replies = ReplyParser()
        self._outstanding = 0

    def next_event(self) -> Event:
        """Return the next event, or NEED_DATA; raise ProtocolError for the server's fault."""
        match self.state:
            case State.VERSION | State.AUTH:
                return self._next_greeting()
            case State.READY:
                return self._next_reply()
            case _:
                return NEED_DATA

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
