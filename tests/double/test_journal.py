from __future__ import annotations

import json

import pytest
from msgspec.structs import replace

from fakedove.double.connections import Authentication, Connection
from fakedove.double.exchange import Exchange, Outcome
from fakedove.double.journal import CAPACITY, Journal
from fakedove.double.patterns import exactly, regex
from fakedove.dovecot.status import Status
from fakedove.errors import StubError
from tests.double.exchanges import NOON, connection, exchange


def filled(*exchanges: Exchange) -> Journal:
    journal = Journal()
    for one in exchanges:
        journal.append(one)
    return journal


def test_exchanges_come_in_order() -> None:
    first, second = exchange("who"), exchange("kick")
    journal = filled(first, second)
    assert list(journal) == [first, second]
    assert len(journal) == 2
    assert (journal[0], journal[-1]) == (first, second)


def test_exchanges_are_found_by_what_they_are() -> None:
    get = exchange("quota get", outcome=Outcome([], status=Status.OK))
    recalc = exchange("quota recalc", b"bob", outcome=Outcome([], status=Status.NOUSER))
    listing = exchange("mailbox list", fields=(b"-s", b"INBOX*"), by=connection(2, "tcp"))
    journal = filled(get, recalc, listing)
    assert journal.commands() == [get, recalc, listing]
    assert journal.commands("quota get") == [get]
    assert journal.commands("quota *") == [get, recalc]
    assert journal.commands("mailbox lis?") == [listing]
    assert journal.commands(regex("(quota|mailbox) .*t")) == [get, listing]
    assert journal.commands(user="b*") == [recalc]
    assert journal.commands(user=~exactly("bob")) == [get, listing]
    assert journal.commands(listener="tcp") == [listing]
    assert journal.commands(connection=2) == [listing]
    assert journal.commands(args=[]) == [get, recalc]
    assert journal.commands(args=["-s", ...]) == [listing]
    assert journal.commands(args=["-s"]) == []
    assert journal.commands(status="OK") == [get]
    assert journal.commands(status="") == [listing]
    assert journal.commands(status=~exactly("OK")) == [recalc, listing]
    assert journal.commands("quota *", user="tss", listener="unix", connection=1) == [get]
    assert journal.commands("quota *", user="tss", connection=2) == []


def test_what_the_doveadm_program_adds_does_not_count() -> None:
    journal = filled(exchange("mailbox list", fields=(b"-u", b"tss", b"--", b"INBOX")))
    assert len(journal.commands(args=["INBOX"])) == 1


def test_what_is_no_pattern_is_refused() -> None:
    with pytest.raises(StubError, match="must be a text or a pattern"):
        Journal().commands(3)  # type: ignore[arg-type] # that is the point


def test_old_exchanges_fall_out() -> None:
    journal = Journal(capacity=2)
    for name in ("one", "two", "three"):
        journal.append(exchange(name))
    assert [one.command for one in journal] == ["two", "three"]
    assert CAPACITY >= 1000


def test_long_ones_push_out_old_ones() -> None:
    journal = Journal(capacity_bytes=1000)
    for number in range(10):
        outcome = Outcome([])
        journal.append(exchange(by=connection(number), outcome=outcome))
        outcome.writes.append(b"x" * 400)
    assert [one.connection.number for one in journal] == [7, 8, 9]
    journal.clear()
    journal.append(exchange())
    assert len(journal) == 1


@pytest.mark.parametrize("long", [{"body": b"x" * 400}, {"fields": (b"x" * 200,)}])
def test_mails_and_command_lines_count_too(long: dict[str, bytes]) -> None:
    journal = Journal(capacity_bytes=1000)
    for _ in range(10):
        journal.append(exchange(**long))  # type: ignore[arg-type] # one keyword or the other
    assert len(journal) == 3


def test_a_journal_may_grow_while_it_is_read() -> None:
    journal = filled(exchange("one"))
    for one in journal:
        journal.append(exchange(f"after {one.command}"))
    assert [one.command for one in journal] == ["one", "after one"]


def test_connections_are_known_with_and_without_commands() -> None:
    journal = filled(exchange(by=connection(3)))
    journal.connect(connection(1))
    journal.connect(connection(4))
    journal.connect(replace(connection(4), tls=True))
    assert [(one.number, one.tls) for one in journal.connections] == [
        (1, False),
        (3, False),
        (4, True),
    ]
    journal.clear()
    assert journal.connections == []


def test_old_connections_fall_out() -> None:
    journal = Journal(capacity=2)
    for number in (1, 2, 3):
        journal.connect(connection(number))
    assert [one.number for one in journal.connections] == [2, 3]


@pytest.mark.parametrize(
    ("address", "tls", "authentication", "clear"),
    [
        ("127.0.0.1", False, Authentication.PASSWORD, True),
        ("127.0.0.1", False, Authentication.REFUSED, True),
        ("127.0.0.1", True, Authentication.PASSWORD, False),
        ("127.0.0.1", False, None, False),
        (None, False, Authentication.PASSWORD, False),
        (None, False, Authentication.PREAUTHENTICATED, False),
    ],
)
def test_passwords_sent_in_clear(
    address: str | None, tls: bool, authentication: Authentication | None, clear: bool
) -> None:
    journal = Journal()
    one = Connection(1, "x", address, "2.4.1", NOON, tls, 0, authentication)
    journal.connect(one)
    assert journal.passwords_sent_in_clear == ([one] if clear else [])


def test_it_is_a_conversation_of_each_connection() -> None:
    outcome = Outcome([b"\n+\n"], status=Status.OK, ended=NOON)
    one, two = connection(1), connection(2, "tcp", "::1")
    journal = filled(
        exchange("who", b"", outcome=outcome, by=one),
        exchange("kick", b"", outcome=outcome, by=two),
        exchange("quota get", outcome=outcome, by=one),
    )
    journal.connect(connection(3))
    told = [
        "connection 1: unix, Dovecot 2.4.1",
        r"C: \t\twho\n",
        r"S: \n",
        r"S: +\n",
        r"C: \ttss\tquota get\n",
        r"S: \n",
        r"S: +\n",
        "connection 2: tcp from ::1, Dovecot 2.4.1",
        r"C: \t\tkick\n",
        r"S: \n",
        r"S: +\n",
        "connection 3: unix, Dovecot 2.4.1",
        "   (no command)",
    ]
    assert journal.as_text().split("\n") == told
    assert journal.describe().split("\n") == told


def test_only_as_text_has_all_of_it() -> None:
    long = exchange(outcome=Outcome([b"x\n" * 5000], ended=NOON))
    journal = filled(*[long] * 60)
    assert journal.as_text().count("S: ") == 300_000
    assert journal.describe().startswith("(52 earlier commands)\nconnection 1: ")
    assert journal.describe().count("S: ") == 8 * 12


def test_an_empty_one_says_so() -> None:
    assert Journal().describe() == "(no command was sent)"


def test_it_is_lines_of_json() -> None:
    journal = filled(exchange("who"), exchange("kick"))
    read = [json.loads(line) for line in journal.as_json_lines().splitlines()]
    assert [one["command"] for one in read] == ["who", "kick"]


def test_someone_may_listen() -> None:
    seen: list[Exchange] = []
    journal = Journal()
    journal.followers.append(seen.append)
    journal.append(exchange())
    journal.append(exchange())
    assert seen == list(journal)
