from __future__ import annotations

import pytest

from tests.dovecot.search.users import flagged_user, inbox_of, uids


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("oldestonly", [1, 2, 3, 4]),
        ("oldestonly seen", [1, 2]),
        ("oldestonly deleted", [4]),
        ("oldestonly larger 9", []),
        ("oldestonly seen larger 9", []),
        ("mailbox INBOX oldestonly 2:4 smaller 9", [2, 3, 4]),
        ("oldestonly ( deleted or larger 9 )", []),
    ],
)
def test_the_first_mail_looked_at_in_vain_ends_a_search(text: str, expected: list[int]) -> None:
    assert uids(flagged_user(), text) == expected


def test_mails_by_guid() -> None:
    user = inbox_of(b"x\n", b"y\n")
    guid = user.mailbox("INBOX").messages[1].guid
    assert uids(user, f"guid {guid}") == uids(user, f"x-guid {guid}") == [2]
    assert uids(user, "not guid x") == [1, 2]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("larger 3", []),
        ("larger 2", [1]),
        ("smaller 3", []),
        ("smaller 4", [1]),
        ("x-real-uid 1", [1]),
        ("x-real-uid *", []),
        ("savedon 12h", [1]),
        ("savedbefore 1d", []),
        ("since 1d", [1]),
        ("younger 60", [1]),
        ("older 1", []),
    ],
)
def test_sizes_count_line_ends_as_two_and_new_mails_are_young(
    text: str, expected: list[int]
) -> None:
    assert uids(inbox_of(b"x\n"), text) == expected


def test_modseqs() -> None:
    user = inbox_of(b"x\n", b"y\n")
    highest = user.mailbox("INBOX").highestmodseq
    assert uids(user, f"modseq {highest}") == [1, 2]
    assert uids(user, f"modseq {highest + 1}") == []
    assert uids(user, "modseq /flags/\\Seen all 1") == [1, 2]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("all", [1, 2, 3, 4]),
        ("not all", []),
        ("mailbox INBOX all", [1, 2, 3, 4]),
        ("not mailbox INBOX all", []),
        ("mailbox INBOX ( all or deleted )", [1, 2, 3, 4]),
        ("mailbox INBOX not ( all or deleted )", []),
        ("mailbox INBOX 2:3 all", [2, 3]),
        ("mailbox INBOX not all seen", []),
    ],
)
def test_keys_that_all_mails_match_alike(text: str, expected: list[int]) -> None:
    assert uids(flagged_user(), text) == expected


@pytest.mark.parametrize(("dovecot", "query"), [("2.3.19.1", "sentsince"), ("2.4.1", "sentbefore")])
def test_a_time_before_1970_counts_as_it_is_kept(dovecot: str, query: str) -> None:
    user = inbox_of(b"Date: Mon, 1 Jan 1900 10:00:00 +0000\n\n")
    assert uids(user, f"{query} 1-Jan-2024", dovecot=dovecot) == [1]
    assert uids(user, "senton 1-Jan-1970", dovecot="2.4.1") == [1]
