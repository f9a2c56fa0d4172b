"""What a client says and hears, as steps for whoever has the connection.

A generator asks for what it needs: bytes to send, bytes to read, TLS. So the blocking client
and Trio's share everything but the I/O. As doveadm 2.4 does, a client of minor 3 asks such a
server for its log lines (`OPTION log-passthrough`).
"""

from __future__ import annotations

import enum
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, TypeVar, get_args

from fakedove.client.address import Address
from fakedove.client.errors import ClientError, PasswordNeededError
from fakedove.wire import doveadm as wire
from fakedove.wire import replies
from fakedove.wire.dialect import Dialect
from fakedove.wire.dotstream import stuff
from fakedove.wire.doveadm_client import ClientConnection
from fakedove.wire.replies import LogLine

_T = TypeVar("_T")
#: When TLS begins: never, after STARTTLS, with the first byte.
TlsMode: TypeAlias = Literal["no", "starttls", "yes"]


@dataclass(frozen=True, slots=True)
class Reply:
    """What came for one command: values, text that is no value (JSON), status, log lines."""

    fields: tuple[bytes, ...]
    text: bytes
    #: The status line without its end: `+`, `-NOUSER`.
    status: bytes
    log: tuple[LogLine, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether the command succeeded."""
        return self.status.startswith(b"+")


class Want(enum.Enum):
    """What a conversation needs beside sending."""

    DATA = enum.auto()
    TLS = enum.auto()


Steps: TypeAlias = Generator[bytes | Want, bytes, _T]


class Conversation:
    """The client's side from VERSION on, as steps for whoever has the connection."""

    def __init__(self, address: Address, password: str | None, tls: TlsMode, minor: int) -> None:
        if tls not in get_args(TlsMode):
            raise ClientError(f'tls: "{tls}" must be one of: {", ".join(get_args(TlsMode))}')
        self.wire = ClientConnection(Dialect(minor))
        self._address = address
        self._password = password
        self._tls = tls
        self._minor = minor
        self._unsent = b""

    def begin(self) -> Steps[None]:
        """Greet and authenticate."""
        if self._tls == "yes":
            yield Want.TLS
        yield self.wire.hello(self._minor)
        while not isinstance(event := (yield from self._event()), wire.Ready):
            if isinstance(event, wire.AuthNeeded):
                yield from self._authenticate()
        if min(self._minor, self.wire.server_minor or 0) >= 3:
            self._unsent = self.wire.option(b"log-passthrough")

    def command(
        self,
        name: str,
        user: str,
        args: Sequence[str | bytes],
        body: bytes | None,
        flags: str,
        extra: str | None,
    ) -> Steps[Reply]:
        """Send a command, and the mail that follows it; return its reply."""
        arguments = tuple(arg if isinstance(arg, bytes) else _bytes(arg) for arg in args)
        field = None if extra is None else _bytes(extra)
        names = _bytes(user), _bytes(name)
        line = self.wire.command(*names, arguments, flags=flags.encode(), extra=field)
        unsent, self._unsent = self._unsent, b""
        yield unsent + line
        if body is not None:
            yield stuff(body)
        log: list[LogLine] = []
        while True:
            match event := (yield from self._event()):
                case LogLine():
                    log.append(event)
                case replies.Reply():
                    return Reply(event.fields, event.text, event.status, tuple(log))
                case _:
                    why = "the server closed the connection before its reply was complete"
                    raise ClientError(f"{self._address}: {why}", tuple(log))

    def _authenticate(self) -> Steps[None]:
        if self._tls == "starttls":
            yield self.wire.request_tls()
            if self.wire.start_tls():
                raise ClientError(f"{self._address}: the server spoke between STARTTLS and TLS")
            yield Want.TLS
            self.wire.tls_up()
        if self._password is None:
            raise PasswordNeededError(f"{self._address}: the server wants a password")
        yield self.wire.authenticate(_bytes(self._password))

    def _event(self) -> Steps[wire.Event]:
        while (event := self.wire.next_event()) is wire.NEED_DATA:
            self.wire.receive((yield Want.DATA))
        return event


def _bytes(text: str) -> bytes:
    return text.encode(errors="surrogateescape")
