"""LF-terminated lines out of a byte stream, with Dovecot's limit and its odd rules.

One CR before the LF is dropped. A line longer than the limit, LF included, is a fault and
stays one. Bytes behind the last line can be taken over when the protocol changes (TLS,
a mail body).
"""

from __future__ import annotations

import enum


class Paused(enum.Enum):
    """Why a parser has no event now."""

    NEED_DATA = enum.auto()


NEED_DATA = Paused.NEED_DATA


class LineTooLong(Exception):
    """No LF within the limit: Dovecot's input buffer is full."""


class LineBuffer:
    """Collect bytes, hand out lines."""

    __slots__ = ("_buffer", "_scanned", "_start", "limit")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        # What came in one piece is kept as it is, since nearly every line does.
        self._buffer: bytes | bytearray = b""
        self._start = 0
        self._scanned = 0

    @property
    def empty(self) -> bool:
        """Whether everything was handed out."""
        return not self._buffer

    def __len__(self) -> int:
        return len(self._buffer) - self._start

    @property
    def room(self) -> int:
        """Bytes that still fit before a line without LF is over the limit."""
        return self.limit - len(self._buffer) + self._start

    def feed(self, data: bytes) -> None:
        """Append what the peer sent."""
        if not self._buffer:
            self._buffer = data
            return
        if not isinstance(self._buffer, bytearray):
            self._buffer = bytearray(self._buffer)
        if self._start:
            del self._buffer[: self._start]
            self._scanned -= self._start
            self._start = 0
        self._buffer += data

    def next_line(self) -> bytes | None:
        """Return the next line without its line end, or None until there is one.

        Raises LineTooLong when the limit is reached without an LF.
        """
        buffer, start = self._buffer, self._start
        if not buffer:
            return None
        end = buffer.find(b"\n", self._scanned, start + self.limit)
        if end < 0:
            self._scanned = len(buffer)
            if len(buffer) - start >= self.limit:
                raise LineTooLong
            return None
        line = bytes(buffer[start:end])
        end += 1
        if end == len(buffer):
            self._buffer = b""
            self._start = self._scanned = 0
        else:
            self._start = self._scanned = end
        return line[:-1] if line.endswith(b"\r") else line

    def take(self) -> bytes:
        """Return and forget everything not yet handed out."""
        rest = bytes(self._buffer[self._start :])
        self._buffer = b""
        self._start = self._scanned = 0
        return rest
