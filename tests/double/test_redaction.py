"""What is taken for a secret, and what is not."""

from __future__ import annotations

import json

import pytest

from fakedove import FakeDovecot
from fakedove.client import Client
from fakedove.double.conversation import Side, shown
from fakedove.double.exchange_json import json_line
from fakedove.double.redaction import redacted, redacted_log
from tests.double.exchanges import exchange

HELLO = b"VERSION\tdoveadm-server\t1\t1\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("imapc_password=s3cret", "imapc_password=(a password)"),
        ("imapc:/x:password=a b,c", "imapc:/x:password=(a password)"),
        ("host=h password=a b dbname=d", "host=h password=(a password) dbname=d"),
        ("pass=x\tann", "pass=(a password)\tann"),
        ("DOVEADM_API_KEY=x", "DOVEADM_API_KEY=(a password)"),
        (r'{"uid":"5","pass":"a\"b","x":"y"}', '{"uid":"5","pass":"(a password)","x":"y"}'),
        ("https://ann:pw@host/", "https://ann:(a password)@host/"),
    ],
)
def test_secrets(text: str, expected: str) -> None:
    assert redacted(text) == expected


@pytest.mark.parametrize(
    "text",
    ["passdb_driver=x", "passthrough=yes", "bypass=x", "key=x", "the password is x", "tcp://h:1"],
)
def test_what_is_none(text: str) -> None:
    assert redacted(text) == text


def test_a_large_text_takes_no_time_to_speak_of() -> None:
    for piece in (b"password=", b'pass":"', b"://a:b", b"pass ", b" " * 9 + b"pass"):
        redacted((piece * 20_000).decode())


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (HELLO + b"PLAIN\tAGE=\n", r"C: PLAIN\t(a password)\n"),
        (HELLO + b"LOGIN\tann s3cret\n", r"C: LOGIN\t(a password)\n"),
        (HELLO + b"s3cret\n", r"C: (a password)\n"),
        (HELLO + b"STARTTLS\n", r"C: STARTTLS\n"),
        (HELLO + b"STARTTLS\ns3cret\n", r"C: (a password)\n"),
        (HELLO + b"\tann\tquota get\n", r"C: \tann\tquota get\n"),
        (HELLO + b"\tann\tuser\nLOGIN\tx\n", r"C: LOGIN\tx\n"),
        (b"VERSION\tscript\t4\t0\nhello world\n", r"C: hello world\n"),
    ],
)
def test_what_proves_who_a_client_is(said: bytes, expected: str) -> None:
    assert shown("C", said).split("\n")[-1] == expected


def test_wherever_it_is_cut_nothing_comes_out() -> None:
    said = HELLO + b"PLAIN\tAHNxeg==\n\tann\timport\timapc:password=sqz\tx\n"
    for size in range(1, len(said)):
        side = Side("C")
        pieces = [said[start : start + size] for start in range(0, len(said), size)]
        told = "".join(side.shown(piece) for piece in pieces).replace("\n", "").replace("C: ", "")
        assert "AHN" not in told, size
        assert "sqz" not in told, size
        assert told.endswith("\\tx\\n")


def test_the_log_quotes_no_secret() -> None:
    line = b"doveadm: Error: doveadm client attempted non-PLAIN authentication: LOGIN\ts3cret"
    assert redacted_log(line).endswith(b"authentication: (a password)")


def test_everything_that_is_shown_of_a_command() -> None:
    fields = (b"-f", b"x", b"imapc:imapc_password=s3cret")
    one = exchange("import", b"ann", fields)
    assert "s3cret" not in one.describe()
    assert "s3cret" not in json_line(one)
    assert one.args[2].endswith("s3cret")
    bare = exchange("user", b"", (b"-f", b"pass", b"ann"))
    bare._outcome.writes.append(b"s3cret\n+\n")
    assert "s3cret" not in bare.describe()
    assert json.loads(json_line(bare))["reply"] == "(a password)"


def test_the_bytes_and_the_objects_stay_as_they_are() -> None:
    with FakeDovecot() as fake:
        fake.on("user").raw(b'{"ann":{"pass":"s3cret"}}\t\n+\n', log="password=s3cret")
        with Client.connect(fake.path()) as client:
            assert b"s3cret" in client.command("user", args=["ann"]).fields[0]
        assert b"s3cret" in fake.journal[-1].reply
        assert "s3cret" in str(fake.log) + str([str(one) for one in fake.log])
        told = fake.journal.as_text() + fake.journal.as_json_lines() + fake.log.describe()
        assert "s3cret" not in told
        assert told.count("(a password)") >= 4
