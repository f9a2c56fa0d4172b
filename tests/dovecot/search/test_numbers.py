"""Message numbers: what of a mailbox they leave, and what they become in the next mailbox."""

from __future__ import annotations

import pytest

from tests.dovecot.search.users import flagged_user, found, inbox_of, query, select, uids


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("*", [4]),
        ("2:3", [2, 3]),
        ("9:*", [4]),
        ("not *", [1, 2, 3]),
        ("not 1:3", [4]),
        ("not 2:3", [1, 4]),
        ("not 1:*", []),
        ("2:3 3:4", [3]),
        ("4 *", []),
        ("( 1 or 3 )", [1, 3]),
        ("not 2 not 3", [1, 4]),
        ("uid *", []),
        ("uid 9:*", []),
        ("uid 1:2 uid 2:3", [2]),
        ("not uid *", [1, 2, 3, 4]),
    ],
)
def test_numbers(text: str, expected: list[int]) -> None:
    assert uids(flagged_user(), f"mailbox INBOX {text}") == expected


def test_a_negated_set_from_first_to_last_hides_all() -> None:
    assert uids(flagged_user(), "mailbox INBOX not 1,*") == []


def test_numbers_are_fitted_to_one_mailbox_after_the_other() -> None:
    user = flagged_user()
    assert found(user, "3:*") == [("Archive/2024", 9), ("INBOX", 2)]
    assert found(user, "1:*") == found(user, "all")


def test_a_query_keeps_its_fitted_numbers_for_the_next_user() -> None:
    one = query("3:*")
    short, long = inbox_of(b"x\n"), flagged_user()
    assert [len(messages) for _, messages in select(one, short)] == [1]
    assert [[each.uid for each in messages] for _, messages in select(one, long)] == [[], [7], [1]]


def test_flags_of_which_one_must_not_be_set_hide_what_comes_before() -> None:
    user = flagged_user()
    assert uids(user, "not ( seen flagged )") == [3, 4]
    assert uids(user, "not seen or not flagged") == [3, 4]
    assert uids(user, "not ( seen flagged ) all") == [3, 4]


def test_flags_of_which_one_must_not_be_set_hide_all_where_one_is_set_everywhere() -> None:
    user = inbox_of()
    user.mailbox("INBOX").deliver(b"x\n", flags=["\\Seen"])
    assert uids(user, "not ( seen flagged )") == []
    user.mailbox("INBOX").deliver(b"x\n", flags=["\\Deleted"])
    assert uids(user, "not ( deleted flagged )") == [1, 2]
