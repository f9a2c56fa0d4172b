"""Read multiplexed replies: the PACKET format, written down once more for the checks' sake.

1 byte channel (0 or "L"), 4 bytes length (big-endian), that many bytes
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from fakedove.contract.connection import Failed, show

MAIN = 0
LOG = ord("L")

STREAM_BEGINS = b"\xff\xff\xff\xff\xff\x00\x02\x03\xfe"

_HEAD = struct.Struct(">BI")


class Packet(NamedTuple):
    """One packet."""

    channel: int
    data: bytes


def split(stream: bytes) -> list[Packet]:
    """Return the packets of a stream, which must end with a whole one. Raises Failed."""
    packets: list[Packet] = []
    position = 0
    while position < len(stream):
        head = stream[position : position + _HEAD.size]
        if len(head) < _HEAD.size:
            raise Failed(f"the stream ends within the head of a packet: {show(head)}")
        channel, length = _HEAD.unpack(head)
        position += _HEAD.size
        data = stream[position : position + length]
        if channel not in (MAIN, LOG):
            raise Failed(f"a packet's channel is {channel}, neither 0 nor L: {show(head + data)}")
        if len(data) < length or not data:
            raise Failed(f"a packet of {length} bytes has {len(data)}: {show(head + data)}")
        packets.append(Packet(channel, data))
        position += length
    return packets


def replies(packets: list[Packet]) -> list[bytes]:
    """Return the packets of channel 0."""
    return [packet.data for packet in packets if packet.channel == MAIN]


def log(packets: list[Packet]) -> bytes:
    """Return all that came on channel L."""
    return b"".join(packet.data for packet in packets if packet.channel == LOG)
