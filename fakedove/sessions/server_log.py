"""The server log: what Dovecot would have written to its log files, kept for whoever asks."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator

import msgspec

from fakedove.double.redaction import redacted_log
from fakedove.dovecot.reply import Level

_CAPACITY = 10_000
#: Lines that `describe` shows, and characters of each.
_SHOWN, _WIDTH = 50, 400
_WORDS = {
    Level.DEBUG: b"Debug",
    Level.INFO: b"Info",
    Level.WARNING: b"Warning",
    Level.ERROR: b"Error",
    Level.FATAL: b"Fatal",
    Level.PANIC: b"Panic",
}


def _shortened(text: str) -> str:
    return text if len(text) <= _WIDTH else f"{text[:_WIDTH]}..."


class LogRecord(msgspec.Struct, frozen=True, gc=False):
    """One line: the prefix that says who, a level, the text."""

    prefix: bytes
    level: Level
    text: bytes

    @property
    def line(self) -> bytes:
        """The line as it would stand in Dovecot's log, without its time."""
        return b"%b%b: %b" % (self.prefix, _WORDS[self.level], self.text)

    @property
    def shown(self) -> str:
        """The line as a person is shown it, without secrets that Dovecot's log quotes."""
        return redacted_log(self.line).decode(errors="replace")

    def __str__(self) -> str:
        return self.line.decode(errors="replace")


class ServerLog:
    """The last records, oldest first; `sink` gets each one as it comes."""

    def __init__(self, sink: Callable[[LogRecord], None] | None = None) -> None:
        self._records: deque[LogRecord] = deque(maxlen=_CAPACITY)
        self.sink = sink

    def __iter__(self) -> Iterator[LogRecord]:
        return iter(tuple(self._records))

    def __len__(self) -> int:
        return len(self._records)

    def __repr__(self) -> str:
        return f"<ServerLog: {len(self)} lines>"

    def describe(self) -> str:
        """Return the newest lines as a person is shown them, one a line."""
        newest = list(self._records)[-_SHOWN:]
        earlier = len(self) - len(newest)
        head = [f"({earlier:,} earlier lines)"] if earlier else []
        return "\n".join([*head, *(_shortened(one.shown) for one in newest)])

    def append(self, record: LogRecord) -> None:
        """Add a record."""
        self._records.append(record)
        if self.sink is not None:
            self.sink(record)

    def clear(self) -> None:
        """Forget everything."""
        self._records.clear()
