"""Mailbox commands where mailboxes and bare folders meet; answers of the real servers."""

from __future__ import annotations

import pytest

from tests.sessions.talk import Talk


def ask(release: str, *commands: bytes) -> list[bytes]:
    talk = Talk(release)
    talk.hello(0)
    return [talk.say(b"\ttss\t" + command + b"\n") for command in commands]


OK = b"\n+\n"
BOTH = pytest.mark.parametrize("release", ["2.3.19.1", "2.4.1"])


@pytest.mark.parametrize("release", ["2.3.19.1", "2.4.1"])
def test_a_bare_folder_can_be_deleted(release: str) -> None:
    made, gone, listed = ask(release, b"mailbox create\tF/", b"mailbox delete\tF", b"mailbox list")
    assert (made, gone, listed) == (OK, OK, b"INBOX\t\n+\n")


def test_deleting_recursively_takes_the_folder_that_is_no_mailbox_in_2_3() -> None:
    answers = ask("2.3.19.1", b"mailbox create\tNew/Deep", b"mailbox delete\t-r\tNew")
    assert answers == [OK, OK]


@pytest.mark.parametrize(("release", "status"), [("2.3.19.1", OK), ("2.4.1", b"\n-NOTFOUND\n")])
def test_deleting_recursively_below_a_bare_folder(release: str, status: bytes) -> None:
    answers = ask(release, b"mailbox create\tK/L/M/", b"mailbox delete\t-r\tK/L")
    assert answers == [OK, status]


@pytest.mark.parametrize(
    ("release", "left"), [("2.3.19.1", b"A\tINBOX\t\n+\n"), ("2.4.1", b"INBOX\t\n+\n")]
)
def test_2_4_deletes_a_parent_with_its_last_child(release: str, left: bytes) -> None:
    *_, listed = ask(release, b"mailbox create\tA/B", b"mailbox delete\tA/B", b"mailbox list")
    assert listed == left


@pytest.mark.parametrize("release", ["2.3.19.1", "2.4.1"])
def test_a_folder_with_children_stays(release: str) -> None:
    _, refused = ask(release, b"mailbox create\tA/B", b"mailbox delete\tA")
    assert refused == b"\n-DATAERR\n"


@BOTH
def test_renaming_takes_the_children_and_the_empty_parents(release: str) -> None:
    *_, listed = ask(
        release,
        b"mailbox create\tA/B/C\tD",
        b"mailbox rename\tA/B\tX/Y",
        b"mailbox list",
    )
    assert listed == b"X\tX/Y\tX/Y/C\tD\tINBOX\t\n+\n"


@BOTH
@pytest.mark.parametrize(
    ("old", "new", "status"),
    [
        (b"nope", b"a//b", b"-USAGE"),
        (b"nope", b"nope", b"-DATAERR"),
        (b"nope", b"inbox", b"-DATAERR"),
        (b"nope", b"x", b"-NOTFOUND"),
        (b"A", b"A/B", b"-TEMPFAIL"),
    ],
)
def test_why_renaming_is_refused(release: str, old: bytes, new: bytes, status: bytes) -> None:
    _, refused = ask(release, b"mailbox create\tA", b"mailbox rename\t%b\t%b" % (old, new))
    assert refused == b"\n%b\n" % status


@BOTH
def test_subscriptions_move_even_if_the_mailbox_does_not(release: str) -> None:
    *_, refused, listed = ask(
        release,
        b"mailbox subscribe\tX/Y\tX\tgone",
        b"mailbox rename\t-s\tgone\tnew",
        b"mailbox list\t-s",
    )
    assert (refused, listed) == (b"\n-NOTFOUND\n", b"X\tX/Y\tnew\t\n+\n")


@BOTH
def test_a_renamed_inbox_comes_back_when_somebody_looks(release: str) -> None:
    _, without, empty, both = ask(
        release,
        b"mailbox rename\tinbox\tOld",
        b"mailbox status\tmessages\t*",
        b"mailbox status\tmessages\tINBOX",
        b"mailbox status\tmessages\t*",
    )
    assert without == b"Old\t1\t\n+\n"
    assert empty == b"INBOX\t0\t\n+\n"
    assert both == b"Old\t1\tINBOX\t0\t\n+\n"


@BOTH
def test_updating_counters(release: str) -> None:
    updated, status = ask(
        release,
        b"mailbox update\t-H\t50\t-N\t20\t-V\t7\t-R\t9\tINBOX",
        b"mailbox status\trecent uidnext uidvalidity highestmodseq\tINBOX",
    )
    assert (updated, status) == (OK, b"INBOX\t0\t20\t7\t50\t\n+\n")


@pytest.mark.parametrize(
    ("release", "value", "answer"),
    [
        ("2.3.19.1", b"-5", b""),
        ("2.3.19.1", b"4294967296", b""),
        ("2.4.1", b"-5", b"\n-USAGE\n"),
        ("2.4.1", b"x", b"\n-USAGE\n"),
        ("2.4.1", b"4294967296", b""),
    ],
)
def test_numbers_that_are_none(release: str, value: bytes, answer: bytes) -> None:
    assert ask(release, b"mailbox update\t-V\t%b\tINBOX" % value) == [answer]


@BOTH
@pytest.mark.parametrize(
    ("kind", "path"),
    [
        (b"dir", b"/home/tss/mdbox/mailboxes/T&APY-"),
        (b"alt-mailbox", b"/home/tss/alt/mailboxes/T&APY-/dbox-Mails"),
        (b"index-private", None),
    ],
)
def test_paths(release: str, kind: bytes, path: bytes | None) -> None:
    (answer,) = ask(release, b"mailbox path\t-t\t%b\tT\xc3\xb6" % kind)
    assert answer == (OK if path is None else path + b"\t\n+\n")


@BOTH
def test_cache_decisions_are_kept(release: str) -> None:
    *_, kept = ask(
        release,
        b"mailbox cache decision\t-f\tdate.sent\t-d\tyes\tINBOX",
        b"mailbox cache decision\t-f\tdate.sent\t-l\t1000\tINBOX",
        b"mailbox cache decision\t-f\tDATE.SENT\tINBOX",
    )
    assert kept == b"INBOX\tDATE.SENT\tyes\t1970-01-01 00:16:40 UTC\t\n+\n"
