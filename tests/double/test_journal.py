from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from fakedove.double.journal import CAPACITY, Exchange, Journal
from fakedove.dovecot.status import Status


def exchange(
    command: str = "quota get",
    username: bytes = b"tss",
    fields: tuple[bytes, ...] = (),
    listener: str = "unix",
    connection: int = 1,
) -> Exchange:
    return Exchange(connection, listener, command, username, fields, [])


def filled(*exchanges: Exchange) -> Journal:
    journal = Journal()
    for one in exchanges:
        journal.append(one)
    return journal


def test_an_exchange_is_read_as_text() -> None:
    one = exchange(username=b"J\xc3\xb6rg\xff", fields=(b"-u", b"\xe2\x82\xac"))
    assert one.user == "J\u00f6rg\ufffd"
    assert one.args == ("-u", "\u20ac")


def test_an_exchange_grows_with_its_reply() -> None:
    one = exchange()
    assert (one.reply, one.status, one.cut_short) == (b"", None, False)
    one.writes += [b"a\t", b"\n+\n"]
    one.status = Status.OK
    assert one.reply == b"a\t\n+\n"


def test_an_exchange_can_be_told() -> None:
    one = exchange(fields=(b"a",))
    one.writes.append(b"\n+\n")
    assert one.describe() == "C: '\\ttss\\tquota get\\ta'\nS: b'\\n+\\n'"
    one.cut_short = True
    assert one.describe().endswith("gone before all of this had left)")


def test_a_long_exchange_is_told_shortly() -> None:
    one = exchange(fields=(b"x" * 5000,))
    one.writes.append(b"y" * 5000)
    assert len(one.describe()) < 700


def test_exchanges_come_in_order() -> None:
    first, second = exchange("who"), exchange("kick")
    journal = filled(first, second)
    assert list(journal) == [first, second]
    assert len(journal) == 2


def test_exchanges_are_found_by_command_user_and_listener() -> None:
    get = exchange("quota get")
    recalc = exchange("quota recalc", b"bob")
    listing = exchange("mailbox list", listener="tcp")
    journal = filled(get, recalc, listing)
    assert journal.commands() == [get, recalc, listing]
    assert journal.commands("quota get") == [get]
    assert journal.commands("quota *") == [get, recalc]
    assert journal.commands("mailbox lis?") == [listing]
    assert journal.commands(user="bob") == [recalc]
    assert journal.commands(listener="tcp") == [listing]
    assert journal.commands("quota *", user="tss", listener="unix") == [get]
    assert journal.commands("quota *", user="b*") == []
    assert journal.commands("quota") == []


def test_old_exchanges_fall_out() -> None:
    journal = Journal(capacity=2)
    for name in ("one", "two", "three"):
        journal.append(exchange(name))
    assert [one.command for one in journal] == ["two", "three"]
    assert CAPACITY >= 1000


def test_a_journal_may_grow_while_it_is_read() -> None:
    journal = filled(exchange("one"))
    for one in journal:
        journal.append(exchange(f"after {one.command}"))
    assert [one.command for one in journal] == ["one", "after one"]


def test_a_journal_can_be_told_and_forgotten() -> None:
    journal = filled(exchange("who"), exchange("kick"))
    assert journal.describe().count("C: ") == 2
    journal.clear()
    assert journal.describe() == "(no command was sent)"
    assert len(journal) == 0


def test_someone_may_listen() -> None:
    seen: list[Exchange] = []
    journal = Journal()
    journal.followers.append(seen.append)
    journal.append(exchange())
    journal.append(exchange())
    assert seen == list(journal)


@given(st.binary(max_size=10), st.lists(st.binary(max_size=10), max_size=3))
def test_any_bytes_can_be_told(username: bytes, fields: list[bytes]) -> None:
    one = exchange(username=username, fields=tuple(fields))
    assert len(one.args) == len(fields)
    assert one.describe().startswith("C: ")


def test_long_replies_push_out_old_ones() -> None:
    journal = Journal(capacity_bytes=1000)
    for number in range(10):
        one = exchange(connection=number)
        journal.append(one)
        one.writes.append(b"x" * 400)
    assert [one.connection for one in journal] == [7, 8, 9]
    journal.clear()
    journal.append(exchange())
    assert len(journal) == 1
