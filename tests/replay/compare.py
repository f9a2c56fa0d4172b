"""Compare what a server said with what the real one said, turn by turn.

    differences(conversation, heard, values) -> list[str]     # [] when equal
    log_differences(conversation, lines, values) -> list[str]
    substitute(template, values) -> bytes                     # for what is sent
    satisfied(turn, heard, values) -> bool                    # a player may stop reading

`heard` is one `Heard` per turn of `conversation.turns`, in order; a player stops after the
turn in which the connection ended. `values` are the placeholders whose value is known
beforehand, `{"dir": "/run/x"}`; `{{hostname}}`, `{{mailguid:...}}` and the like match any
text of their form, and the same text each time they come back. Nothing here knows how the
bytes were carried.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest

from tests.replay.transcripts import (
    LOG_CHANNEL,
    Conversation,
    Digest,
    End,
    Packet,
    Received,
    Send,
    ShutdownWrite,
    StartTls,
    Turn,
)

_PLACEHOLDER = re.compile(rb"\{\{([a-z]+)(:[^}]*)?\}\}")

#: The form of each placeholder whose value is not known beforehand.
_FORMS = {
    "guid": rb"[0-9a-f]{32}",
    "mailguid": rb"[0-9a-f]{32}",
    "unixtime": rb"\d{10}(?:\.\d+)?",
    "datetime": rb"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d",
    "logtime": rb"[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d",
    "pid": rb"\d+",
    "session": rb"[A-Za-z0-9+/=]*",  # Empty until it is known.
    "hostname": rb"[^\s\t]+",
    "dir": rb"/[^\s\t,]*?",
    "prefix": rb"/[^\s\t,]*?",
}

#: Placeholders that stand for one thing throughout a conversation.
_BOUND = frozenset({"mailguid", "hostname", "dir", "prefix"})

#: Process ids, fractions of a second, addresses of code and a host that the recordings left as they
#: were, each with the form that takes their place.
_LOOSE_FORMS = {
    rb"(?<=child )\d+": rb"\d+",
    rb"(?<=pid=)\d+": rb"\d+",
    rb"(?<=doveadm\()\d+(?=\))": rb"\d+",
    rb"(?<=\{\{logtime\}\})\.\d{6}": rb"\.\d{6}",
    rb"(?<=Raw backtrace: )[^\n]+": rb"[^\n]+",
    # The recorder's host in the greeting of dsync-server.
    rb"(?<![^\n])Hvm(?=\t\x02)": rb"H[^\t]+",
}

_LOOSE = re.compile(b"|".join(b"(" + form + b")" for form in _LOOSE_FORMS))

#: How much of a long text a difference shows, in bytes.
_SHOWN = 2000


@dataclass(frozen=True, slots=True)
class Heard:
    """What came from the server during one turn, until it fell silent or ended."""

    data: bytes = b""
    end: End | None = None


@dataclass(slots=True)
class Bindings:
    """What the placeholders stand for, as far as it is known by now."""

    values: dict[bytes, bytes] = field(default_factory=dict)

    @classmethod
    def of(cls, values: Mapping[str, str]) -> Bindings:
        """Begin with values that are known beforehand."""
        return cls({name.encode(): value.encode("latin-1") for name, value in values.items()})

    def match(self, template: bytes, text: bytes) -> bool:
        """Tell whether `text` is what `template` says, and remember what it bound."""
        if b"{{" not in template and not _LOOSE.search(template):
            return template == text
        names: list[bytes] = []
        found = re.fullmatch(b"".join(self._pattern(template, names)), text, re.DOTALL)
        if found is None:
            return False
        self.values.update(zip(names, found.groups(), strict=True))
        return True

    def _pattern(self, template: bytes, names: list[bytes]) -> Iterator[bytes]:
        position = 0
        for found in _PLACEHOLDER.finditer(template):
            yield from _literal(template, position, found.start())
            yield self._placeholder(found, names)
            position = found.end()
        yield from _literal(template, position, len(template))

    def _placeholder(self, found: re.Match[bytes], names: list[bytes]) -> bytes:
        kind, key = found[1].decode(), found[0][2:-2]
        if key in self.values:
            return re.escape(self.values[key])
        if kind not in _FORMS:
            raise ValueError(f"unknown placeholder {found[0].decode()} in a recording")
        if kind not in _BOUND:
            return b"(?:" + _FORMS[kind] + b")"
        if key in names:
            return b"(?:\\%d)" % (names.index(key) + 1)
        names.append(key)
        return b"(" + _FORMS[kind] + b")"


def substitute(template: bytes, values: Mapping[str, str]) -> bytes:
    """Put known values in for the placeholders of something to be sent."""
    for name, value in values.items():
        template = template.replace(b"{{%s}}" % name.encode(), value.encode("latin-1"))
    if found := _PLACEHOLDER.search(template):
        raise ValueError(f"no value for {found[0].decode()}, which is to be sent")
    return template


def differences(
    conversation: Conversation, heard: Sequence[Heard], values: Mapping[str, str]
) -> list[str]:
    """Return what differs as a readable conversation, or an empty list.

    The conversation so far stands before the first difference; `S-` is what the real
    server said, `S+` what was heard. Judging ends with the first turn that differs, since
    all later ones may differ for the same reason.
    """
    bindings = Bindings.of(values)
    story: list[str] = []
    for turn, one in zip_longest(conversation.turns, heard):
        if turn is None:
            return [conversation.id, *story, f"S+ {_shown(one.data)} after the last turn"]
        story += [f"C: {_told(action)}" for action in turn.actions]
        if found := _turn_differences(turn, one or Heard(), bindings):
            return [conversation.id, *story, *found]
        story += [f"S: {_shown(one.data)}"] if one and one.data else []
        if turn.end:
            break
    return []


def satisfied(turn: Turn, heard: Heard, values: Mapping[str, str]) -> bool:
    """Tell whether all that the recording promises for this turn has come."""
    digest = turn.received if isinstance(turn.received, Digest) else None
    if digest is not None and (digest.endless or turn.end is None):
        return len(heard.data) >= digest.length
    if turn.end is not None or turn.received is None:
        return heard.end is not None
    data = turn.received.data if isinstance(turn.received, Received) else None
    if data is not None and b"{{" not in data:
        return len(heard.data) >= len(data)
    return not _turn_differences(turn, heard, Bindings.of(values))


def log_differences(
    conversation: Conversation,
    lines: Sequence[str],
    values: Mapping[str, str],
    *,
    expected: Sequence[str] | None = None,
) -> list[str]:
    """Return what differs between the recorded server log and `lines`, in order.

    `expected` stands in for the whole recorded log.
    """
    bindings = Bindings.of(values)
    found: list[str] = []
    wanted = conversation.log if expected is None else expected
    for one, line in zip_longest(wanted, lines):
        if one is None:
            found.append(f"L+ {line}")
        elif line is None:
            found.append(f"L- {one}")
        elif not bindings.match(_latin(one), _latin(line)):
            found += [f"L- {one}", f"L+ {line}"]
    return [conversation.id, *found] if found else []


def _turn_differences(turn: Turn, heard: Heard, bindings: Bindings) -> list[str]:
    found = _data_differences(turn.received, heard.data, bindings)
    # Where a server that goes on and on was stopped, or ran out of memory, is chance.
    if turn.end is not heard.end and not _is_endless(turn):
        found.append(f"S- {_ending(turn.end)}")
        found.append(f"S+ {_ending(heard.end)}")
    return found


def _data_differences(
    expected: Received | Digest | None, data: bytes, bindings: Bindings
) -> list[str]:
    if expected is None:
        return ["S- silence", f"S+ {_shown(data)}"] if data else []
    if isinstance(expected, Digest):
        return _digest_differences(expected, data)
    if expected.packets is None or expected.stream:
        return _text_differences(expected.data or b"", data, bindings)
    return _packet_differences(expected, expected.packets, data, bindings)


def _text_differences(expected: bytes, data: bytes, bindings: Bindings) -> list[str]:
    if bindings.match(expected, data):
        return []
    return [f"S- {_shown(expected)}", f"S+ {_shown(data)}"]


def _packet_differences(
    expected: Received, packets: tuple[Packet, ...], data: bytes, bindings: Bindings
) -> list[str]:
    """Compare the text before the packets, and then packet by packet, cuts included."""
    framed = sum(5 + len(packet.data) for packet in packets)
    before = b"" if expected.data is None else expected.data[: len(expected.data) - framed]
    if not bindings.match(before, data[: len(before)]):
        return [f"S- {_shown(before)}", f"S+ {_shown(data)}"]
    got, rest = packets_of(data[len(before) :])
    lines: list[str] = []
    for one, other in zip_longest(packets, got):
        lines += _one_packet(one, other, bindings)
    if rest:
        lines.append(f"S+ {len(rest)} bytes that are no whole packet: {_shown(rest)}")
    return lines if rest or any(line.startswith(("S-", "S+")) for line in lines) else []


def _one_packet(expected: Packet | None, got: Packet | None, bindings: Bindings) -> list[str]:
    same_channel = expected and got and expected.channel == got.channel
    if expected and got and same_channel and bindings.match(expected.data, got.data):
        return [f"S: {_packet(got)}"]
    lines = [f"S- {_packet(expected)}"] if expected else []
    return lines + ([f"S+ {_packet(got)}"] if got else [])


def packets_of(data: bytes) -> tuple[list[Packet], bytes]:
    """Decode multiplex packets; return them and the bytes that are no whole packet."""
    packets: list[Packet] = []
    position = 0
    while position + 5 <= len(data):
        end = position + 5 + int.from_bytes(data[position + 1 : position + 5], "big")
        if end > len(data):
            break
        packets.append(Packet(data[position], data[position + 5 : end]))
        position = end
    return packets, data[position:]


def _is_endless(turn: Turn) -> bool:
    return isinstance(turn.received, Digest) and turn.received.endless


def _digest_differences(expected: Digest, data: bytes) -> list[str]:
    if expected.endless:
        data = data[: expected.length]
    if hashlib.sha256(data).hexdigest() == expected.sha256:
        return []
    found: list[str] = []
    if len(data) != expected.length:
        found += [f"S- {expected.length} bytes", f"S+ {len(data)} bytes"]
    if not data.startswith(expected.head):
        found += [f"S- begins {_shown(expected.head)}", f"S+ begins {_shown(data[:300])}"]
    if not data.endswith(expected.tail):
        found += [f"S- ends {_shown(expected.tail)}", f"S+ ends {_shown(data[-300:])}"]
    if expected.packet_sizes:
        got = tuple((packet.channel, len(packet.data)) for packet in packets_of(data)[0])
        found += _size_differences(expected.packet_sizes, got)
    return found or [f"S+ {len(data)} bytes whose SHA-256 is not {expected.sha256}"]


def _size_differences(
    expected: Sequence[tuple[int, int]], got: Sequence[tuple[int, int]]
) -> list[str]:
    for number, (one, other) in enumerate(zip_longest(expected, got)):
        if one != other:
            return [
                f"S- packet {number}: (channel, length) = {one} of {len(expected)} packets",
                f"S+ packet {number}: (channel, length) = {other} of {len(got)} packets",
            ]
    return []


def _literal(template: bytes, start: int, end: int) -> Iterator[bytes]:
    position = start
    for found in _LOOSE.finditer(template, start, end):
        yield re.escape(template[position : found.start()])
        yield list(_LOOSE_FORMS.values())[(found.lastindex or 1) - 1]
        position = found.end()
    yield re.escape(template[position:end])


def _told(action: Send | ShutdownWrite | StartTls) -> str:
    match action:
        case Send(data):
            return _shown(data)
        case ShutdownWrite():
            return "(closes its sending half)"
        case StartTls():
            return "(does a TLS handshake)"


def _ending(end: End | None) -> str:
    return "(stays open)" if end is None else f"({end.value})"


def _packet(packet: Packet) -> str:
    channel = "L" if packet.channel == LOG_CHANNEL else str(packet.channel)
    return f"{channel} {_shown(packet.data)}"


def _shown(data: bytes) -> str:
    text = repr(data[:_SHOWN])[1:]
    return text if len(data) <= _SHOWN else f"{text}... {len(data)} bytes"


def _latin(text: str) -> bytes:
    return text.encode("latin-1", "replace")
