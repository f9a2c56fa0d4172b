"""Who is in a thread with whom; answers of the real servers."""

from __future__ import annotations

import pytest

from fakedove.dovecot.search.threads import base_subject
from tests.dovecot.search.users import fatal, inbox_of, uids

MAILS = (
    b"Subject: Topic\nMessage-ID: <t1@x>\n\n",
    b"Subject: Re: Topic\nMessage-ID: <t2@x>\nIn-Reply-To: <t1@x>\n\n",
    b"Subject: Re: Other\nMessage-ID: <t3@x>\nReferences: <t1@x> <t2@x>\n\n",
    b"Subject: Fwd: topic (fwd)\nMessage-ID: <t4@x>\n\n",
    b"Subject: [list] Re: OTHER\nMessage-ID: <t5@x>\n\n",
    b"Subject: gone parent\nMessage-ID: <t6@x>\nReferences: <missing@x>\n\n",
    b"Subject: gone sibling\nMessage-ID: <t7@x>\nReferences: <missing@x>\n\n",
    b"Subject: dup\nMessage-ID: <t1@x>\n\n",
    b"no header\n\n",
)
THREADS = [[1, 2, 3], [4], [5], [6, 7], [8], [9]]


@pytest.mark.parametrize("thread", THREADS)
def test_threads_by_reference(thread: list[int]) -> None:
    for uid in thread:
        assert uids(inbox_of(*MAILS), f"inthread refs uid {uid}") == thread


@pytest.mark.parametrize("thread", [[1, 2, 3, 4], [5], [6, 7], [8], [9]])
def test_threads_by_reference_and_subject(thread: list[int]) -> None:
    for uid in thread:
        assert uids(inbox_of(*MAILS), f"inthread references uid {uid}") == thread


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("inthread refs subject topic", [1, 2, 3, 4]),
        ("inthread refs ( uid 1 or uid 6 )", [1, 2, 3, 6, 7]),
        ("inthread refs uid 1 uid 2", [2]),
        ("( inthread refs uid 1 ) or uid 6", [1, 2, 3, 6]),
        ("inthread refs seen", []),
        ("inthread refs 2", [1, 2, 3]),
        ("inthread orderedsubject seen", []),
    ],
)
def test_queries_with_threads(text: str, expected: list[int]) -> None:
    assert uids(inbox_of(*MAILS), text) == expected


def test_the_process_aborts_at_ordered_subjects() -> None:
    assert fatal("inthread orderedsubject seen") == b"unreached"


def test_circles_and_ids_with_quotation_marks() -> None:
    user = inbox_of(
        b"Message-ID: <a@x>\nReferences: <b@x>\n\n",
        b"Message-ID: <b@x>\nReferences: <a@x>\n\n",
        b'Message-ID: <"c d"@x>\n\n',
        b'In-Reply-To: Your <"c d" @x>\n\n',
    )
    assert uids(user, "inthread refs uid 1") == [1, 2]
    assert uids(user, "inthread refs uid 4") == [3, 4]


def test_a_thread_of_thousands() -> None:
    mails = (b"Message-ID: <%d@x>\nIn-Reply-To: <%d@x>\n\n" % (n, n - 1) for n in range(5000))
    assert len(uids(inbox_of(*mails), "inthread refs uid 2500")) == 5000


@pytest.mark.parametrize(
    ("subject", "base"),
    [
        (b"Re: Topic", "TOPIC"),
        (b"RE[2]: [list] fwd:  Topic (fwd)", "TOPIC"),
        (b"[fwd: Re: Topic]", "TOPIC"),
        (b"[list]", "[LIST]"),
        (b"Re:", ""),
        (b"=?utf-8?q?Re:_T=C3=A4?=", "TA\u0308"),
        (b"Retopic", "RETOPIC"),
    ],
)
def test_base_subjects(subject: bytes, base: str) -> None:
    assert base_subject(subject)[0] == base


# What the oldest mail of a thread says decides where nobody has the first mail.
def test_subjects_are_those_of_the_mails_that_threads_are_sorted_by() -> None:
    of_oldest = (
        b"Message-ID: <c@x>\nReferences: <f@x> <a@x> <d@x>\n"
        b"Date: Mon, 07 Jan 2024 10:00:00 +0000\n\n",
        b"Subject: one\nIn-Reply-To: <f@x>\nReferences: <e@x>\nMessage-ID: <e@x>\n\n",
        b"Message-ID: <d@x>\nSubject: Re: one\nDate: Mon, 03 Jan 2024 10:00:00 +0000\n"
        b"References: <a@x>\n\n",
    )
    assert uids(inbox_of(*of_oldest), "inthread references uid 2") == [1, 2, 3]
    not_of_oldest = (
        b"Subject: [x] one\nDate: Mon, 08 Jan 2024 10:00:00 +0000\n\n",
        b"References: <c@x> <a@x>\nDate: Mon, 16 Jan 2024 10:00:00 +0000\nSubject: Re: one\n"
        b"Message-ID: <e@x>\n\n",
        b"References: <a@x> <c@x>\nDate: Mon, 11 Jan 2024 10:00:00 +0000\nMessage-ID: <d@x>\n"
        b"Subject: Fwd: two\n\n",
    )
    assert uids(inbox_of(*not_of_oldest), "inthread references uid 1") == [1]
