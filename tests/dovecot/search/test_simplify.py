"""What simplifying a query changes for a client; answers of the real servers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakedove.dovecot.search.simplify import simplify
from fakedove.dovecot.search.tree import All, Group, InMailbox, Uids
from tests.dovecot.search.users import fatal, flagged_user, inbox_of, query, uids

SMALL, MIDDLE, BIG = (b"a\n" * count for count in (10, 100, 1000))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("not larger 100 not larger 1k", [1, 2]),
        ("not smaller 100 not smaller 1k", [2, 3]),
        ("larger 100 larger 1k", [3]),
        ("larger 100 or larger 1k", [2, 3]),
        ("smaller 100 or smaller 1k", [1, 2]),
        ("not larger 100 or not larger 1k", [1]),
    ],
)
def test_sizes_merge_negated_or_not(text: str, expected: list[int]) -> None:
    assert uids(inbox_of(SMALL, MIDDLE, BIG), text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("since 1d since 2d", [1]),
        ("before 1d before 2d", []),
        ("since 2d or since 1d", [1]),
        ("not since 1d not since 9999-12-31", [1]),
        ("on 1d on 1d", []),
        ("on 12h on 12h", [1]),
        ("on 12h on 2d", []),
    ],
)
def test_dates_merge(text: str, expected: list[int]) -> None:
    assert uids(inbox_of(b"x\n"), text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("( seen not ( seen or flagged ) ) or deleted", [1, 2, 4]),
        ("seen not ( seen or flagged )", []),
        ("( unseen ( not ( unseen or deleted ) ) ) or seen", [1, 2]),
        ("seen or not all", [1, 2]),
        ("seen or all", [1, 2, 3, 4]),
        ("seen not all", []),
        ("( seen flagged ) or seen", [1, 2]),
        ("( ( seen ) flagged ) or ( seen )", [2]),
        ("( ( seen ) unflagged ) or ( seen )", [1]),
    ],
)
def test_keys_that_say_the_same(text: str, expected: list[int]) -> None:
    assert uids(flagged_user(), text) == expected


def _list(keys: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    several = st.lists(keys, min_size=1, max_size=3)
    lists = st.tuples(st.sampled_from([" ", " or "]), several).map(lambda one: one[0].join(one[1]))
    return st.tuples(st.sampled_from(["", "not "]), lists).map(lambda one: f"{one[0]}( {one[1]} )")


_KEYS = st.sampled_from(
    [
        *("seen", "unseen", "flagged", "not deleted", "all", "not all", "keyword Work"),
        *("uid 1:2", "uid 2:*", "2", "not 1", "larger 10", "not smaller 5", "since 1d", "on 2d"),
        *("mailbox INBOX", "not mailbox INBOX", "mailbox A*", "body x", "not subject a"),
    ]
)
_QUERIES = _list(st.recursive(_KEYS, _list, max_leaves=12))


@given(_QUERIES)
def test_what_is_simple_cannot_be_made_simpler(text: str) -> None:
    simple = simplify(query(text).nodes)
    assert simple
    assert simplify(simple) == simple


@given(st.lists(_KEYS, min_size=1, max_size=4).map(" ".join))
def test_a_list_around_everything_changes_nothing(text: str) -> None:
    assert repr(simplify(query(f"( {text} )").nodes)) == repr(simplify(query(text).nodes))


def test_what_all_branches_share_is_taken_out() -> None:
    (wide,) = query("( mailbox A uid 1 ) or ( mailbox A uid 5 )").nodes
    assert isinstance(wide, Group)
    assert simplify([wide]) == (Uids(((1, 1), (5, 5))), InMailbox("A"))


@pytest.mark.parametrize("text", ["seen unseen", "seen not all", "body x not body x", "uid $"])
def test_a_contradiction_leaves_nothing_else(text: str) -> None:
    assert simplify(query(f"mailbox INBOX {text}").nodes) == (All(negated=True),)


@pytest.mark.parametrize(
    "text",
    [
        "not inthread refs all",
        "not ( seen inthread refs all )",
        "( seen or ( seen not inthread refs all ) )",
        "( not inthread refs all or all )",
        "inthread refs ( not inthread refs seen )",
    ],
)
def test_the_process_aborts_at_a_negated_thread(text: str) -> None:
    assert b"assertion failed" in fatal(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("inthread refs ( seen inthread refs flagged )", [1, 2]),
        ("inthread refs ( seen or inthread refs flagged )", [1, 2]),
        ("inthread refs ( flagged ( seen or deleted ) )", [2]),
    ],
)
def test_threads_in_threads_lose_what_follows(text: str, expected: list[int]) -> None:
    assert uids(flagged_user(), text) == expected


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("( all or not inthread refs all )", 4),
        ("( 1:* or ( seen not inthread refs all ) )", 4),
        ("( not all not inthread refs all )", 0),
    ],
)
def test_a_key_that_decides_alone_hides_a_negated_thread(text: str, count: int) -> None:
    assert len(uids(flagged_user(), f"mailbox INBOX {text}")) == count


def test_nothing_but_a_thread_in_a_thread_crashes() -> None:
    assert fatal("inthread refs inthread refs seen") == b"killed with signal 11"
