"""What a reader sees of one command and its answer."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakedove.double.exchange import LogLine, Outcome
from fakedove.double.exchange_json import json_line
from fakedove.dovecot.reply import Level
from fakedove.dovecot.status import Status
from tests.double.exchanges import NOON, connection, exchange

KEYS = (
    *("connection", "listener", "address", "tls", "authentication", "client_minor", "dovecot"),
    *("command", "user", "args", "line", "body", "body_size", "began", "ended", "seconds"),
    *("reply", "status", "cut_short", "log", "log_channel", "stub"),
)


def test_it_is_read_as_text() -> None:
    one = exchange(username=b"J\xc3\xb6rg\xff", fields=(b"-u", b"\xe2\x82\xac"))
    assert one.user == "J\u00f6rg\ufffd"
    assert one.args == ("-u", "\u20ac")
    assert one.line == b"\tJ\xc3\xb6rg\xff\tquota get\t-u\t\xe2\x82\xac"


def test_it_grows_with_its_reply() -> None:
    outcome = Outcome([])
    one = exchange(outcome=outcome)
    assert (one.reply, one.status, one.ended, one.seconds) == (b"", None, None, None)
    outcome.writes += [b"a\t", b"\n+\n"]
    outcome.status, outcome.ended = Status.OK, NOON + 1_500_000_000
    assert (one.reply, one.writes) == (b"a\t\n+\n", (b"a\t", b"\n+\n"))
    assert (one.status, one.seconds) == (Status.OK, 1.5)
    assert one.began.isoformat() == "2024-05-01T12:00:00+00:00"
    assert str(one.ended) == "2024-05-01 12:00:01.500000+00:00"


@pytest.mark.parametrize("name", ["command", "status", "writes", "cut_short", "log", "connection"])
def test_its_reader_cannot_change_it(name: str) -> None:
    with pytest.raises(AttributeError):
        setattr(exchange(), name, None)
    with pytest.raises(AttributeError):
        setattr(exchange().connection, "tls", True)  # noqa: B010 # type checkers know


def test_it_is_a_conversation() -> None:
    outcome = Outcome([b"a\t", b"b\n", b"-\xff\n"], ended=NOON, stub="test_it.py:3")
    outcome.log = (
        LogLine(Level.ERROR, b"doveadm: Error: it is\tdown", b"it is\tdown", 1),
        LogLine(Level.INFO, b"master: Info: restarted", None, 2),
    )
    assert exchange(outcome=outcome, body=b"Subject: x\n").describe().split("\n") == [
        r"C: \ttss\tquota get\n",
        "   (and a mail of 11 bytes)",
        "   (answered by the stub of test_it.py:3)",
        r"S: a\t",
        r"L: Error: it is\tdown",
        r"S: b\n",
        "   (log: master: Info: restarted)",
        r"S: -\377\n",
    ]


@pytest.mark.parametrize(
    ("outcome", "end"),
    [
        (Outcome([]), "   (the answer goes on)"),
        (Outcome([], ended=NOON), "   (no answer)"),
        (
            Outcome([b"x\n"], ended=NOON, cut_short=True),
            "   (the connection was over before all of this had left)",
        ),
        (Outcome([b"x\n"], ended=NOON), r"S: x\n"),
    ],
)
def test_how_it_ended_is_told(outcome: Outcome, end: str) -> None:
    assert exchange(outcome=outcome).describe().split("\n")[-1] == end


def test_what_is_long_is_told_shortly() -> None:
    outcome = Outcome([b"y" * 5000, b"z\n" * 5000], ended=NOON)
    told = exchange(fields=(b"x" * 5000,), outcome=outcome).describe()
    assert len(told) < 700
    assert "   (and so on: 15,000 bytes)" in told.split("\n")
    many = exchange(outcome=Outcome([b"z\n"] * 1000, ended=NOON)).describe()
    assert many.count("S: ") == 12


def test_it_is_a_line_of_json() -> None:
    outcome = Outcome([b"a\n+\n"], status=Status.OK, ended=NOON + 2000)
    outcome.log = (LogLine(Level.ERROR, b"doveadm: Error: down", b"down", 0),)
    line = json_line(exchange("save", fields=(b"-m", b"INBOX"), body=b"Hi\xff", outcome=outcome))
    assert (line.count("\n"), line.isascii()) == (1, True)
    read = json.loads(line)
    # The body is no UTF-8.
    assert tuple(key for key in read if key != "body_base64") == KEYS
    assert read["line"] == "\ttss\tsave\t-m\tINBOX"
    assert (read["body"], read["body_size"]) == (r"Hi\xff", 3)
    assert (read["began"], read["seconds"]) == ("2024-05-01T12:00:00.000000+00:00", 2e-06)
    assert (read["status"], read["reply"]) == ("OK", "a\n+\n")
    assert (read["log"], read["log_channel"]) == (["doveadm: Error: down"], ["down"])


def from_json(read: dict[str, str], key: str) -> bytes:
    """Read bytes as docs/journal.md says."""
    encoded = read.get(f"{key}_base64")
    return read[key].encode() if encoded is None else base64.b64decode(encoded)


@given(
    st.binary(max_size=10).filter(lambda name: b"\n" not in name),
    st.lists(st.binary(max_size=10).filter(lambda field: b"\n" not in field), max_size=3),
    st.binary(max_size=20),
    st.lists(st.binary(max_size=10), max_size=3),
)
def test_any_bytes_are_told_and_go_to_json_and_back(
    username: bytes, fields: list[bytes], body: bytes, writes: list[bytes]
) -> None:
    one = exchange("save", username, tuple(fields), body=body, outcome=Outcome(writes))
    read = json.loads(json_line(one))
    assert from_json(read, "line") == one.line
    assert from_json(read, "body") == body
    assert from_json(read, "reply") == b"".join(writes)
    assert (read["user"], read["args"]) == (one.user, list(one.args))
    assert one.describe().isascii()


def test_a_connection_is_told_in_a_line() -> None:
    assert connection().describe() == "connection 1: unix, Dovecot 2.4.1"
    assert str(connection(7)) == "7"
