"""What a client reads after the handshake: replies of channel 0, lines of the log channel.

A reply is fields, each followed by a TAB, then LF, a status line and LF. Commands that write
JSON themselves leave text without a TAB before the LF.
"""

from __future__ import annotations

import msgspec

from fakedove.errors import ProtocolError
from fakedove.wire import multiplex, tabescape
from fakedove.wire.handshake import Fault
from fakedove.wire.lines import NEED_DATA, Paused


class LogLine(msgspec.Struct, frozen=True, gc=False):
    """A line on the log channel: level 1 debug, 2 info, 3 warning, 4 error (client role)."""

    level: int
    text: bytes


class Reply(msgspec.Struct, frozen=True, gc=False):
    """One reply: its fields unescaped, text that is no field (JSON), and the status line."""

    fields: tuple[bytes, ...]
    text: bytes
    status: bytes

    @property
    def ok(self) -> bool:
        """Whether the status line begins with `+`."""
        return self.status.startswith(b"+")


class ReplyParser:
    """Collect demultiplexed bytes, hand out log lines and replies in order of completion."""

    __slots__ = ("_broken", "_events", "_log", "_main", "_scanned")

    def __init__(self) -> None:
        self._main = bytearray()
        self._log = bytearray()
        self._scanned = 0
        self._broken = False
        self._events: list[LogLine | Reply] = []

    @property
    def partial(self) -> bool:
        """Whether a reply has begun and not ended."""
        return bool(self._main)

    def feed(self, channel: int, data: bytes) -> None:
        """Take bytes of one channel; channels that nobody knows are skipped."""
        if self._broken:
            return
        if channel == multiplex.MAIN:
            self._main += data
            while self._reply():
                pass
        elif channel == multiplex.LOG:
            self._log += data
            *lines, rest = bytes(self._log).split(b"\n")
            self._log[:] = rest
            self._events += [LogLine(line[0], line[1:]) for line in lines if line]

    def next_event(self) -> LogLine | Reply | Paused:
        """Return the next complete event or NEED_DATA; raise ProtocolError at a bad reply."""
        if self._events:
            return self._events.pop(0)
        if self._broken:
            raise ProtocolError(Fault.BAD_REPLY)
        return NEED_DATA

    def _reply(self) -> bool:
        output_end = self._main.find(b"\n", self._scanned)
        if output_end < 0:
            self._scanned = len(self._main)
            return False
        end = self._main.find(b"\n", output_end + 1)
        if end < 0:
            self._scanned = output_end
            return False
        status = bytes(self._main[output_end + 1 : end])
        if not status.startswith((b"+", b"-")):
            self._broken = True
            return False
        *fields, text = bytes(self._main[:output_end]).split(b"\t")
        self._events.append(Reply(tuple(map(tabescape.unescape, fields)), text, status))
        del self._main[: end + 1]
        self._scanned = 0
        return True
