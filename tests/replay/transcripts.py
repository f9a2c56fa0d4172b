"""The recorded conversations, loaded as values.

    load(release: str) -> tuple[Conversation, ...]        # "2.3.19.1", "main", ...
    Conversation.turns -> tuple[Turn, ...]                # what a player plays
    conversation(record: Mapping[str, object]) -> Conversation     # one line of a file

A conversation is cut into *turns*: what the client does in one go, and what the server said
to that until it fell silent. A player plays the actions of a turn, collects what it hears,
and `tests.replay.compare` judges the two side by side. The files are described in
fixtures/transcripts/README.md.
"""

from __future__ import annotations

import enum
import functools
import hashlib
import json
import lzma
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias, cast

FOLDER = Path(__file__).resolve().parents[2] / "fixtures" / "transcripts"

Json: TypeAlias = "str | int | bool | list[Json] | dict[str, Json] | None"

#: The channel of log lines.
LOG_CHANNEL = ord("L")


class End(enum.Enum):
    """How a connection ended, seen from the client."""

    EOF = "closed"
    RESET = "reset"
    TLS_FAILED = "TLS failed"


@dataclass(frozen=True, slots=True)
class Send:
    """The client writes; placeholders (`{{dir}}`) are still in `data`."""

    data: bytes
    one_byte_at_a_time: bool = False


@dataclass(frozen=True, slots=True)
class ShutdownWrite:
    """The client closes its sending half."""


@dataclass(frozen=True, slots=True)
class StartTls:
    """The client does a TLS handshake; `version` is what was negotiated, if noted."""

    version: str | None = None


Action: TypeAlias = Send | ShutdownWrite | StartTls


@dataclass(frozen=True, slots=True)
class Packet:
    """One multiplex packet: channel 0 are replies, channel 0x4C (`L`) is the log."""

    channel: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Digest:
    """Received data too long to be kept: length in bytes, SHA-256, and both ends."""

    length: int
    sha256: str
    head: bytes
    tail: bytes
    packet_sizes: tuple[tuple[int, int], ...]

    @property
    def endless(self) -> bool:
        """Whether the recorder stopped listening to a server that would have said more.

        A reply ends on the main channel.
        """
        return bool(self.packet_sizes) and self.packet_sizes[-1][0] == LOG_CHANNEL


@dataclass(frozen=True, slots=True)
class Received:
    """What was recorded: bytes with placeholders, and the packets they decode to.

    `data` is None where only the packets were kept. With `packets`, the lengths inside
    `data` belong to the text before placeholders were put in. `stream` marks the newer
    multiplex format, which has no lengths: there `data` itself is comparable.
    """

    data: bytes | None
    packets: tuple[Packet, ...] | None = None
    stream: bool = False


@dataclass(frozen=True, slots=True)
class Turn:
    """What the client does in one go, and what the real server said to that.

    The first turn of a server that speaks first has no actions. `received` None is silence.
    `end` None: the connection stayed open.
    """

    actions: tuple[Action, ...]
    received: Received | Digest | None = None
    end: End | None = None


@dataclass(frozen=True, slots=True)
class Conversation:
    """One recorded connection; every one had a pristine copy of the store."""

    id: str
    dovecot: str
    listener: str
    minor: int | None
    given: tuple[str, ...]
    volatile: bool
    steps: tuple[Mapping[str, Json], ...]
    log: tuple[str, ...]
    turns: tuple[Turn, ...]

    @property
    def family(self) -> str:
        """The first word of the id: hs, auth, cmd, seq, user, log, option, stream, x, ..."""
        return self.id.partition(".")[0]


def releases() -> tuple[str, ...]:
    """Name the releases that there are recordings of."""
    names = (path.name for path in FOLDER.glob("doveadm-*.jsonl.xz"))
    return tuple(sorted(name.removeprefix("doveadm-").removesuffix(".jsonl.xz") for name in names))


@functools.cache
def load(release: str) -> tuple[Conversation, ...]:
    """Load all conversations recorded on `release`, in the order of recording."""
    path = FOLDER / f"doveadm-{release}.jsonl.xz"
    with lzma.open(path, "rt", encoding="utf-8") as lines:
        return tuple(conversation(json.loads(line)) for line in lines)


def conversation(record: Mapping[str, Json]) -> Conversation:
    """Make a conversation of one line of a file, parsed."""
    steps = tuple(cast("list[dict[str, Json]]", record["steps"]))
    return Conversation(
        id=_text(record, "id"),
        dovecot=_text(record, "dovecot"),
        listener=_text(record, "listener"),
        minor=cast("int | None", record["minor"]),
        given=tuple(cast("list[str]", record.get("given", []))),
        volatile=bool(record.get("volatile", False)),
        steps=steps,
        log=tuple(cast("list[str]", record["log"])),
        turns=tuple(_turns(steps)),
    )


def _turns(steps: tuple[Mapping[str, Json], ...]) -> Iterator[Turn]:
    actions: list[Action] = []
    received: Received | Digest | None = None
    end: End | None = None
    waited = True  # The opening counts as waiting: up to 2.2.33 the server speaks first.
    for step in steps:
        action = _action(step)
        if action is None:
            received = _received(step) or received
            end = _end(step) or end
            continue
        if waited and (actions or received or end):
            yield Turn(tuple(actions), received, end)
            actions, received, end = [], None, None
        actions.append(action)
        waited = not step.get("no_wait", False)
    yield Turn(tuple(actions), received, end)


def _action(step: Mapping[str, Json]) -> Action | None:
    if "send" in step:
        return Send(_bytes(step, "send"), bool(step.get("one_byte_at_a_time", False)))
    if "send_len" in step:
        return Send(_long_send(step))
    if "shutdown_write" in step:
        return ShutdownWrite()
    if "starttls" in step:
        return StartTls(cast("str | None", step.get("version")))
    return None


def _long_send(step: Mapping[str, Json]) -> bytes:
    """Restore a long send: between head and tail the head's last byte repeats."""
    head, tail = _bytes(step, "send_head"), _bytes(step, "send_tail")
    data = head.ljust(_number(step, "send_len") - len(tail), head[-1:]) + tail
    if hashlib.sha256(data).hexdigest() != step["send_sha256"]:
        raise ValueError("a long send is not its head, one repeated byte and its tail")
    return data


def _end(step: Mapping[str, Json]) -> End | None:
    if "eof" in step:
        return End.RESET if step.get("error") == "ConnectionResetError" else End.EOF
    return End.TLS_FAILED if "tls_error" in step else None


def _received(step: Mapping[str, Json]) -> Received | Digest | None:
    if "recv_len" in step:
        sizes = cast("list[list[int | str]]", step.get("mux_packet_sizes", []))
        return Digest(
            length=_number(step, "recv_len"),
            sha256=_text(step, "recv_sha256_raw"),
            head=_bytes(step, "recv_head"),
            tail=_bytes(step, "recv_tail"),
            packet_sizes=tuple((_channel(channel), int(size)) for channel, size in sizes),
        )
    if "recv" not in step and "mux" not in step:
        return None
    data = _bytes(step, "recv") if "recv" in step else None
    if "mux" not in step:
        return Received(data)
    packets = tuple(
        Packet(_channel(channel), text.encode("latin-1"))
        for channel, text in cast("list[tuple[int | str, str]]", step["mux"])
    )
    return Received(data, packets, stream=data is not None and not _framed(data, packets))


def _framed(data: bytes, packets: tuple[Packet, ...]) -> bool:
    """Tell whether `data` ends with these packets, each behind a five-byte header."""
    position = len(data) - sum(5 + len(packet.data) for packet in packets)
    for packet in packets:
        if position < 0 or data[position] != packet.channel:
            return False
        if not data.startswith(packet.data, position + 5):
            return False
        position += 5 + len(packet.data)
    return True


def _channel(name: int | str) -> int:
    return name if isinstance(name, int) else ord(name)


def _bytes(step: Mapping[str, Json], key: str) -> bytes:
    return _text(step, key).encode("latin-1")


def _text(step: Mapping[str, Json], key: str) -> str:
    return cast("str", step[key])


def _number(step: Mapping[str, Json], key: str) -> int:
    return cast("int", step[key])
