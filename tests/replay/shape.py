"""Compare the shape of what volatile conversations say: rows and columns, numbers for numbers.

    shape_differences(conversation, heard, values) -> list[str]

Process ids, counters and times are numbers, the order of rows is chance; all words, the number
of rows and of fields, the packets and the ends are as recorded.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest

from tests.replay.compare import Heard, differences, packets_of, substitute
from tests.replay.transcripts import Conversation, Received, Turn

_TIME = re.compile(
    rb"(?:\{\{logtime\}\}|[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d)(?:\.\d{6})?"
    rb"|\{\{datetime\}\}|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"
)
_NUMBER = re.compile(rb"\{\{unixtime\}\}|\b\d+(?:\.\d+)*\b")
#: Whether a limit was reached and whether the master listens, which `service status` tells.
_FLAG = re.compile(rb"[ny]")
#: What the recorder's servers were called.
_INSTANCES = re.compile(rb"rd-main3|oracle-main4")

Shape = Counter[tuple[bytes, ...]]


def shape_differences(
    conversation: Conversation, heard: Sequence[Heard], values: Mapping[str, str]
) -> list[str]:
    """Return what differs in shape, or an empty list."""
    if not differences(conversation, heard, values):
        return []
    found: list[str] = []
    for turn, one in zip_longest(conversation.turns, heard):
        if turn is None or one is None or turn.end is not one.end:
            return [conversation.id, f"other turns or ends: {turn} and {one}"]
        expected, got = _expected(turn, values), _heard(turn, one)
        found += [f"S- {list(shape)}" for shape in (expected - got).elements()]
        found += [f"S+ {list(shape)}" for shape in (got - expected).elements()]
    return [conversation.id, *found] if found else []


def _expected(turn: Turn, values: Mapping[str, str]) -> Shape:
    if not isinstance(turn.received, Received):
        return Counter()
    if turn.received.packets is None:
        return _fields(_plain(turn.received.data or b"", values))
    return Counter(
        (b"%c" % packet.channel, *_shaped(_plain(packet.data, values)))
        for packet in turn.received.packets
    )


def _heard(turn: Turn, one: Heard) -> Shape:
    if not isinstance(turn.received, Received) or turn.received.packets is None:
        return _fields(one.data)
    packets, rest = packets_of(one.data)
    shapes = Counter((b"%c" % packet.channel, *_shaped(packet.data)) for packet in packets)
    return shapes + Counter({(rest,): 1} if rest else {})


def _plain(text: bytes, values: Mapping[str, str]) -> bytes:
    known = text.replace(b"{{", b"\0{").replace(b"\0{dir}}", b"{{dir}}")
    return substitute(known, values).replace(b"\0{", b"{{")


def _fields(text: bytes) -> Shape:
    return Counter((field,) for field in _shaped(text)) if text else Counter()


def _shaped(text: bytes) -> Iterator[bytes]:
    for field in _INSTANCES.sub(b"dovecot", text).split(b"\t"):
        shape = _NUMBER.sub(b"<number>", _TIME.sub(b"<time>", field))
        yield b"<flag>" if _FLAG.fullmatch(shape) else shape
