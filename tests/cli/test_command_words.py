"""What is sent for the words of a command line."""

from __future__ import annotations

import pytest

from fakedove.cli.command_words import CommandWords, parse_words


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        ("quota get -u tss", ("quota get", "tss", "-u tss --")),
        ("quota get -utss", ("quota get", "tss", "-u tss --")),
        ("quota get --user=tss", ("quota get", "tss", "-u tss --")),
        ("quota get -A", ("quota get", "", "-A --")),
        ("save -u tss -m Sent", ("save", "tss", "-u tss -m Sent --")),
        (
            "mailbox status messages INBOX -u tss",
            ("mailbox status", "tss", "-u tss -- messages INBOX"),
        ),
        ("mailbox list -u tss -- -x", ("mailbox list", "tss", "-u tss -- -x")),
        ("mailbox list -su tss", ("mailbox list", "tss", "-s -u tss --")),
        ("user tss", ("user", "", "-- tss")),
        # Options that the command has not, and commands that nobody has, go as they are.
        ("mailbox list -Z -u tss", ("mailbox list", "tss", "-Z -u tss --")),
        ("nosuch -u tss x", ("nosuch", "tss", "-u tss x --")),
        ("nosuch -utss", ("nosuch", "tss", "-utss --")),
        ("nosuch --user=tss", ("nosuch", "tss", "--user=tss --")),
        ("nosuch -- -u tss", ("nosuch", "", "-- -u tss")),
        ("nosuch -u", ("nosuch", "", "-u --")),
        ("nosuch", ("nosuch", "", "--")),
        ("mailbox", ("mailbox", "", "--")),
        ("acl get -u tss INBOX", ("acl get", "tss", "-u tss -- INBOX")),
    ],
)
def test_words(typed: str, sent: tuple[str, str, str]) -> None:
    name, user, arguments = sent
    wanted = CommandWords(name, user, tuple(word.encode() for word in arguments.split()))
    assert parse_words(typed.split()) == wanted


def test_a_command_may_be_one_word_of_the_shell() -> None:
    assert parse_words(["quota get", "-u", "tss"]).name == "quota get"


@pytest.mark.parametrize(
    ("typed", "columns"),
    [
        ("quota get -u tss", ("root", "type", "value", "limit", "percent")),
        ("quota get -u tss -Z", None),
        ("acl get -u tss INBOX", ("id", "global", "rights")),
        ("mailbox status -u tss nosuch INBOX", None),
    ],
)
def test_the_columns_that_a_server_would_print(typed: str, columns: tuple[str, ...] | None) -> None:
    understood = parse_words(typed.split()).invocation(2)
    assert (None if understood is None else understood.columns) == columns


def test_columns_are_those_of_the_servers_protocol() -> None:
    words = parse_words(["who", "-1"])
    old, new = words.invocation(2), words.invocation(3)
    assert old is not None
    assert new is not None
    assert (len(old.columns), len(new.columns)) == (4, 5)


def test_a_protocol_of_the_future_is_like_the_newest() -> None:
    assert parse_words(["who"]).invocation(9) is not None
