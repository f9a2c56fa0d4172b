"""One command and its answer: fixed facts, and an outcome that only the fake writes.

What is kept is kept by reference; decoding happens when it is read. One is made for every
command, so both are `msgspec.Struct`s that the garbage collector need not track.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from fakedove.double.connections import Connection
from fakedove.double.conversation import CLIENT, escaped, said
from fakedove.double.redaction import HIDDEN, asks_for_secrets, redacted_log
from fakedove.dovecot.clock import moment
from fakedove.dovecot.reply import Level
from fakedove.dovecot.status import Status

#: Bytes kept of a mail that was put in.
BODY_KEPT = 1024 * 1024


class LogLine(msgspec.Struct, frozen=True, gc=False):
    """One line that a command had the server log."""

    level: Level
    #: As it stands in the server log, without its time; None if it never got there.
    line: bytes | None
    #: What the client got of it on its log channel, without the byte of the level; None: nothing.
    channel: bytes | None
    #: How many writes to the reply channel came before it.
    after: int

    def describe(self) -> str:
        """Return it as a line of a conversation."""
        if self.channel is None:
            return f"   (log: {escaped(redacted_log(self.line or b''))})"
        return f"L: {self.level.name.capitalize()}: {escaped(redacted_log(self.channel))}"

    def __str__(self) -> str:
        return (self.channel or b"" if self.line is None else self.line).decode(errors="replace")


class Outcome(msgspec.Struct, gc=False):
    """What becomes of a command: the session fills it, nobody else."""

    #: What was written to the reply channel, write by write.
    writes: list[bytes]
    #: How many bytes the connection's client had been told at its beginning and its end, framing
    #: included; the end is None while it goes on.
    start: int = 0
    end: int | None = None
    status: Status | None = None
    #: When the last of the answer was made, in nanoseconds since 1970.
    ended: int | None = None
    cut_short: bool = False
    log: tuple[LogLine, ...] = ()
    stub: str | None = None

    def hang_up(self, sent: int) -> bool:
        """Note that the client is gone, and how many bytes it was sent; whether it has it all."""
        self.cut_short = self.end is None or self.end > sent
        return not self.cut_short


class Exchange(msgspec.Struct, frozen=True, gc=False, eq=False):
    """One command and its answer, which may still go on; the reader cannot change it."""

    #: The connection it came by.
    connection: Connection
    #: The command's name as the server understood it, else the field as sent.
    command: str
    #: The username field.
    username: bytes
    #: The fields behind the command's name.
    fields: tuple[bytes, ...]
    _line: bytes
    _began: int
    _outcome: Outcome
    #: The mail that followed the command line, with CRLF as the server reads it; its first MiB.
    body: bytes = b""
    #: How long that mail was, in bytes.
    body_size: int = 0

    @property
    def listener(self) -> str:
        """Name of the listener it came in by."""
        return self.connection.listener

    @property
    def line(self) -> bytes:
        """The command line as it was sent, without LF or CRLF, and up to a NUL, which ends it."""
        return self._line.removesuffix(b"\n")

    @property
    def user(self) -> str:
        """The username field as text."""
        return self.username.decode(errors="replace")

    @property
    def args(self) -> tuple[str, ...]:
        """The fields behind the command's name as text."""
        return tuple(field.decode(errors="replace") for field in self.fields)

    @property
    def began(self) -> datetime:
        """When all of the command was there, by the fake's clock."""
        return moment(self._began)

    @property
    def ended(self) -> datetime | None:
        """When the last of its answer was made, by the fake's clock; None while it goes on."""
        ended = self._outcome.ended
        return None if ended is None else moment(ended)

    @property
    def seconds(self) -> float | None:
        """How long the answer took, by the fake's clock."""
        ended = self._outcome.ended
        return None if ended is None else (ended - self._began) / 1e9

    @property
    def status(self) -> Status | None:
        """How the reply ended; None while it goes on, or if there is no status line of it."""
        return self._outcome.status

    @property
    def writes(self) -> tuple[bytes, ...]:
        """What was written to the reply channel, write by write."""
        return tuple(self._outcome.writes)

    @property
    def reply(self) -> bytes:
        """The reply channel's bytes, status line included, without multiplexing."""
        return b"".join(self._outcome.writes)

    @property
    def cut_short(self) -> bool:
        """Whether the connection was over before all of it had left."""
        return self._outcome.cut_short

    @property
    def log(self) -> tuple[LogLine, ...]:
        """The lines it caused in the server log and on the client's log channel."""
        return self._outcome.log

    @property
    def stub(self) -> str | None:
        """File and line of the stub that answered; None: the store did."""
        return self._outcome.stub

    @property
    def size(self) -> int:
        """Bytes that are kept of it, so far: the line twice, since its fields are parts of it.

        Framing counts, too, once the answer is complete.
        """
        outcome = self._outcome
        end = outcome.end
        told = sum(map(len, outcome.writes)) if end is None else end - outcome.start
        return told + 2 * len(self._line) + len(self.body)

    def describe(self) -> str:
        """Return it as a conversation, with long texts shortened and secrets left out."""
        return "\n".join(self.conversation(short=True))

    def conversation(self, *, short: bool) -> list[str]:
        """Return its lines; `short`: long texts are cut, which is said."""
        lines = said(CLIENT, self.line + b"\n", short=short)
        if self.body_size:
            lines.append(f"   (and a mail of {self.body_size:,} bytes)")
        if self.stub is not None:
            lines.append(f"   (answered by the stub of {self.stub})")
        if asks_for_secrets(self.command, self.fields):
            return [*lines, f"S: {HIDDEN}", *self._end()]
        writes, told = self.writes, 0
        for entry in self.log:
            lines += said("S", b"".join(writes[told : entry.after]), short=short)
            lines.append(entry.describe())
            told = entry.after
        return [*lines, *said("S", b"".join(writes[told:]), short=short), *self._end()]

    def _end(self) -> list[str]:
        if self.cut_short:
            return ["   (the connection was over before all of this had left)"]
        if self.ended is None:
            return ["   (the answer goes on)"]
        return [] if self._outcome.writes else ["   (no answer)"]

    def __repr__(self) -> str:
        status = "no status" if self.status is None else self.status.name
        return f"<Exchange {self.command!r} of {self.user!r}: {status}>"
