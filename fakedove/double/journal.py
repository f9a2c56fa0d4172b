"""What was asked and answered, in order, in a bounded ring.

An exchange keeps references; decoding happens when it is read.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator

import msgspec

from fakedove.dovecot import masks
from fakedove.dovecot.status import Status

#: Exchanges kept; older ones fall out.
CAPACITY = 10_000
#: Bytes of replies kept, not counting the newest exchange.
CAPACITY_BYTES = 64 * 1024 * 1024


class Exchange(msgspec.Struct, gc=False):
    """One command and its answer."""

    #: Number of the connection, counted from 1 since the fake began.
    connection: int
    #: Name of the listener it came in by.
    listener: str
    #: The command's name as the server understood it, else the field as sent.
    command: str
    #: The username field.
    username: bytes
    #: The fields behind the command's name.
    fields: tuple[bytes, ...]
    #: What was written to the reply channel, write by write.
    writes: list[bytes]
    #: How the reply ended; None while it goes on, or if the server closed without a status.
    status: Status | None = None
    #: Whether the client was gone before all of it had left.
    cut_short: bool = False
    #: Bytes of the reply that the journal has counted.
    counted: int = 0

    @property
    def user(self) -> str:
        """The username field as text."""
        return self.username.decode(errors="replace")

    @property
    def args(self) -> tuple[str, ...]:
        """The fields behind the command's name as text."""
        return tuple(field.decode(errors="replace") for field in self.fields)

    @property
    def reply(self) -> bytes:
        """The reply channel's bytes, status line included, without multiplexing."""
        return b"".join(self.writes)

    def describe(self) -> str:
        """Return the exchange as a short conversation."""
        line = "\t".join(("", self.user, self.command, *self.args))
        lines = [f"C: {line!r}"[:300], f"S: {self.reply!r}"[:300]]
        if self.cut_short:
            lines.append("   (the client was gone before all of this had left)")
        return "\n".join(lines)


class Journal:
    """The exchanges of one fake."""

    def __init__(self, capacity: int = CAPACITY, capacity_bytes: int = CAPACITY_BYTES) -> None:
        self._exchanges: deque[Exchange] = deque()
        self._capacity = capacity
        self._capacity_bytes = capacity_bytes
        self._bytes = 0
        #: Each is told of every exchange that is added.
        self.followers: list[Callable[[Exchange], None]] = []

    def __iter__(self) -> Iterator[Exchange]:
        return iter(tuple(self._exchanges))

    def __len__(self) -> int:
        return len(self._exchanges)

    def append(self, exchange: Exchange) -> None:
        """Add an exchange, before the first byte of its reply leaves."""
        exchanges = self._exchanges
        if exchanges:
            # What came before is as long as it gets, or nearly.
            newest = exchanges[-1]
            newest.counted = size = sum(map(len, newest.writes))
            self._bytes += size
        exchanges.append(exchange)
        while self._bytes > self._capacity_bytes or len(exchanges) > self._capacity:
            self._bytes -= exchanges.popleft().counted
        for tell in self.followers:
            tell(exchange)

    def commands(
        self, command: str | None = None, *, user: str | None = None, listener: str | None = None
    ) -> list[Exchange]:
        """Return the exchanges of a command (`*` and `?` match), user and listener."""
        return [
            one
            for one in self
            if (command is None or masks.user_matches(command.encode(), one.command.encode()))
            and (user is None or one.user == user)
            and (listener is None or one.listener == listener)
        ]

    def clear(self) -> None:
        """Forget everything."""
        self._exchanges.clear()
        self._bytes = 0

    def describe(self) -> str:
        """Return the whole journal as a conversation."""
        return "\n".join(one.describe() for one in self) or "(no command was sent)"
