"""Mailbox commands where mailboxes and bare folders meet; answers of the real servers."""

from __future__ import annotations

import pytest

from tests.sessions.talk import Talk


def ask(release: str, *commands: bytes) -> list[bytes]:
    talk = Talk(release)
    talk.hello(0)
    return [talk.say(b"\ttss\t" + command + b"\n") for command in commands]


OK = b"\n+\n"


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
