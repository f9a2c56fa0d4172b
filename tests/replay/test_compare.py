"""The judge itself: recordings agree with themselves, and every kind of damage is seen."""

from __future__ import annotations

import dataclasses
import re

import pytest

from tests.replay.compare import (
    Heard,
    differences,
    log_differences,
    packets_of,
    satisfied,
    substitute,
)
from tests.replay.transcripts import (
    Conversation,
    Digest,
    End,
    Json,
    Received,
    StartTls,
    Turn,
    conversation,
    load,
    releases,
)

VALUES = {"dir": "/run/x"}

#: One text of each placeholder's form.
TEXTS = {
    "dir": "/run/x",
    "prefix": "/usr",
    "hostname": "oracle.example.com",
    "guid": "0123456789abcdef0123456789abcdef",
    "mailguid": "fedcba9876543210fedcba9876543210",
    "unixtime": "1700000000.5",
    "datetime": "2024-01-02 03:04:05",
    "logtime": "Jan 02 03:04:05",
    "pid": "4711",
    "session": "abc+/=",
}


def filled(data: bytes) -> bytes:
    """Put a text of the right form in for every placeholder."""
    return re.sub(
        rb"\{\{([a-z]+)(:[^}]*)?\}\}", lambda found: TEXTS[found[1].decode()].encode(), data
    )


def answered(turn: Turn) -> Heard:
    """Say exactly what was recorded, with lengths that fit the texts put in."""
    received = turn.received
    if not isinstance(received, Received):
        return Heard(b"", turn.end)
    if received.packets is None or received.stream:
        return Heard(filled(received.data or b""), turn.end)
    framed = sum(5 + len(packet.data) for packet in received.packets)
    data = b"" if received.data is None else received.data[:-framed] if framed else received.data
    for packet in received.packets:
        text = filled(packet.data)
        data += bytes([packet.channel]) + len(text).to_bytes(4, "big") + text
    return Heard(data, turn.end)


def one(release: str, wanted: str) -> Conversation:
    """Return one recording by its id."""
    return next(found for found in load(release) if found.id == wanted)


def steps(*parts: dict[str, Json]) -> Conversation:
    """Make a conversation of a few steps."""
    record: dict[str, Json] = {"id": "x", "dovecot": "2.4.1", "listener": "unix", "log": []}
    return conversation({**record, "minor": 0, "steps": list(parts)})


@pytest.mark.parametrize("release", releases())
def test_every_recording_agrees_with_itself(release: str) -> None:
    played = 0
    for recorded in load(release):
        if any(isinstance(turn.received, Digest) for turn in recorded.turns):
            continue
        heard = [answered(turn) for turn in recorded.turns]
        assert differences(recorded, heard, VALUES) == []
        assert log_differences(recorded, [fill(line) for line in recorded.log], VALUES) == []
        played += 1
    assert played > 600


def fill(line: str) -> str:
    """Put texts in for the placeholders of a log line."""
    return filled(line.encode("latin-1")).decode("latin-1")


@pytest.mark.parametrize("release", releases())
def test_a_player_stops_when_the_recording_is_satisfied_and_not_before(release: str) -> None:
    for recorded in load(release):
        for turn in recorded.turns:
            heard = answered(turn)
            if isinstance(turn.received, Digest) or not heard.data or turn.end:
                continue
            assert satisfied(turn, heard, VALUES)
            assert not satisfied(turn, Heard(heard.data[:-1]), VALUES)


def test_another_text_is_told_as_a_conversation() -> None:
    recorded = steps({"send": "a\n"}, {"recv": "b\n"}, {"close": True})
    assert differences(recorded, [Heard(b"c\n")], {}) == [
        "x",
        "C: 'a\\n'",
        "S- 'b\\n'",
        "S+ 'c\\n'",
    ]


@pytest.mark.parametrize(
    ("end", "heard"),
    [
        ({"close": True}, End.EOF),
        ({"eof": True}, None),
        ({"eof": True}, End.RESET),
        ({"eof": True, "error": "ConnectionResetError"}, End.EOF),
    ],
)
def test_another_end_is_a_difference(end: dict[str, Json], heard: End | None) -> None:
    recorded = steps({"send": "a\n"}, end)
    assert differences(recorded, [Heard(b"", heard)], {})


def test_an_answer_where_there_was_silence_is_a_difference() -> None:
    recorded = steps({"send": "a\n"}, {"send": "b\n"}, {"recv": "c"}, {"close": True})
    assert len(recorded.turns) == 2
    assert differences(recorded, [Heard(b"c"), Heard(b"")], {})
    assert differences(recorded, [Heard(b""), Heard(b"c")], {}) == []


def test_a_turn_that_was_not_played_is_a_difference() -> None:
    recorded = steps({"send": "a\n"}, {"recv": "b"}, {"send": "c\n"}, {"recv": "d"})
    assert differences(recorded, [Heard(b"b")], {})


def test_what_is_sent_in_a_hurry_belongs_to_one_turn() -> None:
    recorded = steps(
        {"send": "a", "no_wait": True}, {"shutdown_write": True}, {"recv": "b"}, {"eof": True}
    )
    (turn,) = recorded.turns
    assert len(turn.actions) == 2
    assert turn.end is End.EOF


def test_a_server_that_speaks_first_has_a_turn_without_actions() -> None:
    first = one("2.2.33", "x.log.test@1.0").turns[0]
    assert (first.actions, first.received) == ((), Received(b"+\n"))


def test_a_tls_handshake_is_a_turn() -> None:
    turns = one("2.4.1", "auth.starttls.tcp.1.1").turns
    assert [turn.actions for turn in turns if isinstance(turn.actions[0], StartTls)]


def test_packets_cut_elsewhere_are_a_difference() -> None:
    recorded = one("2.3.19.1", "x.mailbox.list-8@1.1")
    heard = [answered(turn) for turn in recorded.turns]
    packets, rest = packets_of(heard[-1].data)
    assert rest == b""
    joined = packets[0].data + packets[1].data
    cut = 10 + len(joined)
    data = b"\0" + len(joined).to_bytes(4, "big") + joined + heard[-1].data[cut:]
    assert packets_of(data)[1] == b""
    assert differences(recorded, [*heard[:-1], dataclasses.replace(heard[-1], data=data)], {})


def test_another_channel_is_a_difference() -> None:
    recorded = one("2.4.1", "x.mailbox.status-nope@1.1")
    heard = [answered(turn) for turn in recorded.turns]
    wrong = Heard(b"\0" + heard[-1].data[1:])
    assert differences(recorded, heard, VALUES) == []
    assert differences(recorded, [*heard[:-1], wrong], VALUES)


def test_a_bound_placeholder_is_the_same_text_each_time() -> None:
    recorded = steps({"send": "a"}, {"recv": "{{mailguid:a}} {{mailguid:a}} {{mailguid:b}}"})
    first, second = b"0" * 32, b"1" * 32
    assert differences(recorded, [Heard(b" ".join([first, first, second]))], {}) == []
    assert differences(recorded, [Heard(b" ".join([first, second, second]))], {})


def test_a_known_placeholder_is_its_value_only() -> None:
    recorded = steps({"send": "a"}, {"recv": "{{dir}}/x"})
    assert differences(recorded, [Heard(b"/run/x/x")], VALUES) == []
    assert differences(recorded, [Heard(b"/run/y/x")], VALUES)


@pytest.mark.parametrize("damage", ["length", "text", "cut"])
def test_a_long_answer_is_judged_by_its_digest(damage: str) -> None:
    recorded = one("2.4.1", "cmd.line-length-1048570@1.1")
    size = 1048552
    first = b"\0" + size.to_bytes(4, "big") + b"A" * (size - 2) + b"\t"
    heard = [answered(recorded.turns[0]), Heard(_whole()), answered(recorded.turns[2])]
    assert differences(recorded, heard, {}) == []
    data = _whole()
    damaged = {
        "length": data + b"x",
        "text": data[:5000] + b"B" + data[5001:],
        "cut": first[:1] + (size - 1).to_bytes(4, "big") + data[5:],
    }[damage]
    assert differences(recorded, [heard[0], Heard(damaged), heard[2]], {})


def _whole() -> bytes:
    """Return what the server answers to a mask of A's that makes a line of 1048570 bytes."""
    value = b"A" * 1048551 + b"\t"
    return b"\0" + len(value).to_bytes(4, "big") + value + b"\0\0\0\0\x03\n+\n"


def test_an_endless_answer_is_judged_by_its_beginning() -> None:
    recorded = one("2.3.16", "extra.multiline-log@1.1")
    (digest,) = [turn.received for turn in recorded.turns if isinstance(turn.received, Digest)]
    assert digest.endless
    begun = Heard(b"L\0\0\x20\x03\x04Mailbox a\n")
    assert not satisfied(recorded.turns[-1], begun, {})
    longer = Heard(bytes(digest.length + 5))
    assert satisfied(recorded.turns[-1], longer, {})
    found = differences(recorded, [*map(answered, recorded.turns[:-1]), longer], {})
    assert found
    assert not any(" bytes" in line or line.startswith("S+ (") for line in found)


def test_what_is_sent_takes_known_values_only() -> None:
    assert substitute(b"\t{{dir}}/x\n", VALUES) == b"\t/run/x/x\n"
    with pytest.raises(ValueError, match=r"no value for \{\{guid\}\}"):
        substitute(b"{{guid}}", VALUES)


def test_log_lines_are_told_that_are_missing_or_new() -> None:
    recorded = one("2.4.1", "x.mailbox.status-nope@1.1")
    (line,) = recorded.log
    assert log_differences(recorded, [], {})[1:] == [f"L- {line}"]
    assert log_differences(recorded, [fill(line), "more"], {})[1:] == ["L+ more"]
