"""Dovecot's multiplexed reply stream: several channels over one connection, server to client.

PACKET (2.2.33 on): channel byte, 32-bit big-endian length, data. STREAM (main, client minor
4 and more): nine bytes of header once, then plain data of the current channel; `03 FE 00 c`
switches to channel c, `03 FE 01` is a literal 03 (recordings stream.*).
The reader tells the two apart by the first five bytes, as the real client does.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Protocol

#: Channel of replies and channel of log lines.
MAIN, LOG = 0, ord("L")

STREAM_HEADER = b"\xff\xff\xff\xff\xff\x00\x02\x03\xfe"
_PACKET_HEADER = struct.Struct(">BI")
_PREFIX = b"\x03\xfe"
_SWITCH, _LITERAL = 0, 1
_STREAM_MARK = STREAM_HEADER[:5]


class Framer(Protocol):
    """The writing half: bytes of a channel in, bytes for the connection out."""

    def start(self) -> bytes:
        """Return what stands before the first data when it must be sent ahead of it."""

    def frame(self, channel: int, data: bytes) -> bytes:
        """Return `data`, one write of Dovecot's, as it stands on the connection."""


class PacketFramer:
    """PACKET format: one packet for each write."""

    __slots__ = ()

    def start(self) -> bytes:
        """Return nothing: the format has no header."""
        return b""

    def frame(self, channel: int, data: bytes) -> bytes:
        """Return one packet."""
        return _PACKET_HEADER.pack(channel, len(data)) + data


class StreamFramer:
    """STREAM format: switches channels lazily, escapes only what would be misread."""

    __slots__ = ("_channel", "_started")

    def __init__(self) -> None:
        self._started = False
        self._channel = MAIN

    def start(self) -> bytes:
        """Return the header, the first time."""
        if self._started:
            return b""
        self._started = True
        return STREAM_HEADER

    def frame(self, channel: int, data: bytes) -> bytes:
        """Return `data`, escaped and behind a switch of channels where one is needed."""
        head = self.start()
        if channel != self._channel:
            self._channel = channel
            head += b"%b%c%c" % (_PREFIX, _SWITCH, channel)
        if b"\x03" in data:
            data = data.replace(_PREFIX, b"\x03\xfe\x01\xfe")
            # The next write may begin with FE.
            if data.endswith(b"\x03"):
                data += b"\xfe\x01"
        return head + data


class Reader:
    """The reading half, for both formats: connection bytes in, (channel, data) out."""

    __slots__ = ("_buffer", "_channel", "_stream")

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._stream: bool | None = None
        self._channel = MAIN

    def feed(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """Take `data` and yield what is complete: whole packets, or runs of one channel."""
        self._buffer += data
        if self._stream is None and not self._detect():
            return iter(())
        return self._runs() if self._stream else self._packets()

    def _detect(self) -> bool:
        mark = bytes(self._buffer[:5])
        if mark == _STREAM_MARK:
            if len(self._buffer) < len(STREAM_HEADER):
                return False
            del self._buffer[: len(STREAM_HEADER)]
            self._stream = True
        elif _STREAM_MARK.startswith(mark):
            return False
        else:
            self._stream = False
        return True

    def _packets(self) -> Iterator[tuple[int, bytes]]:
        buffer = self._buffer
        while len(buffer) >= 5:
            end = 5 + int.from_bytes(buffer[1:5], "big")
            if len(buffer) < end:
                return
            channel, data = buffer[0], bytes(buffer[5:end])
            del buffer[:end]
            yield channel, data

    def _runs(self) -> Iterator[tuple[int, bytes]]:
        buffer = self._buffer
        while buffer:
            at = buffer.find(b"\x03")
            if at < 0:
                yield self._channel, bytes(buffer)
                buffer.clear()
                return
            if at:
                yield self._channel, bytes(buffer[:at])
                del buffer[:at]
            used = self._special()
            if not used:
                return
            del buffer[:used]
            if used == 4:
                continue
            yield self._channel, b"\x03"

    def _special(self) -> int:
        """Return how many bytes at the front belong to the 03 there, 0 if more are needed."""
        buffer = self._buffer
        if len(buffer) < 2:
            return 0
        if buffer[1] != 0xFE:
            return 1
        if len(buffer) < 3:
            return 0
        if buffer[2] == _LITERAL:
            return 3
        if len(buffer) < 4:
            return 0
        self._channel = buffer[3]
        return 4
