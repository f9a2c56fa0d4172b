"""In which order mails are read as threads are sorted."""

from __future__ import annotations

from random import Random

import pytest

from fakedove.dovecot.mailbox import Mailbox
from fakedove.dovecot.search.thread_mails import ThreadMails
from fakedove.dovecot.search.thread_walk import ThreadWalk
from fakedove.dovecot.store import Store


def box_of(*mails: tuple[str, int, str]) -> Mailbox:
    """Return a mailbox of mails, each of an ID with what it answers, a day and a subject."""
    box = Store(random=Random(1)).add_user("tss").mailbox("INBOX")
    for links, day, subject in mails:
        own, *above = links.split()
        header = f"Message-ID: <{own}@x>\nDate: {day} Jan 2024 10:00:00 +0000\nSubject: {subject}\n"
        header += f"References: {' '.join(f'<{one}@x>' for one in above)}\n" if above else ""
        box.deliver(f"{header}\nhello\n".encode())
    return box


def read(box: Mailbox, *, by_subject: bool) -> list[int | str]:
    """Return UIDs in the order in which dates are read; behind an `s` it is the subject."""
    mails = ThreadMails(box.messages, clamped=True)
    walk = ThreadWalk(mails.forest(), mails.date, mails.subject)
    return [f"s{uid}" if subject else uid for uid, subject in walk.readings(by_subject=by_subject)]


def test_without_subjects_every_date_is_read_in_the_order_of_the_ids() -> None:
    box = box_of(("c a b", 3, ""), ("b", 2, ""), ("a", 1, ""))
    assert read(box, by_subject=False) == [1, 3, 2]


def test_who_answers_the_same_mail_is_read_again_the_last_first() -> None:
    box = box_of(("a", 1, ""), ("b a", 2, ""), ("c a", 3, ""), ("d b", 4, ""))
    assert read(box, by_subject=False) == [1, 2, 3, 4, 3, 2]


def test_with_subjects_only_the_first_of_each_thread_is_read() -> None:
    box = box_of(("a", 2, "one"), ("b a", 3, "Re: one"), ("c", 1, "two"))
    assert read(box, by_subject=True) == [1, 3, "s3", "s1"]


def test_threads_that_are_joined_are_sorted_again() -> None:
    box = box_of(("a", 2, "one"), ("b", 1, "Re: one"))
    assert read(box, by_subject=True) == [1, 2, "s2", "s1", 1]
    box = box_of(("a", 2, "one"), ("b", 1, "one"))
    assert read(box, by_subject=True) == [1, 2, "s2", "s1", 1, 2, 1, 2]


def test_nobody_has_the_first_mail() -> None:
    box = box_of(("b gone", 2, "one"), ("c gone", 1, "two"))
    assert read(box, by_subject=True) == [2, 1, 2, 1, "s2", 2, 1]
    box = box_of(("b gone", 2, "one"))
    assert read(box, by_subject=True) == [1, "s1"]


@pytest.mark.parametrize("by_subject", [False, True])
def test_a_mail_with_the_id_of_another_comes_last(by_subject: bool) -> None:
    box = box_of(("a", 1, "one"), ("a", 2, "two"), ("b", 3, "three"))
    assert [uid for uid in read(box, by_subject=by_subject) if isinstance(uid, int)] == [1, 3, 2]
