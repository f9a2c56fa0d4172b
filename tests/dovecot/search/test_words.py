from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakedove.dovecot.reply import Fatal
from fakedove.dovecot.search import parse_query
from tests.dovecot.search.users import NEW, fatal, flagged_user, query, select, uids


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("seen flagged", [2]),
        ("seen or deleted", [1, 2, 4]),
        ("seen or flagged or deleted", [1, 2, 4]),
        ("seen flagged or deleted", [1, 2, 4]),
        ("or seen", [1, 2]),
        ("( seen or deleted ) ( flagged or deleted )", [2, 4]),
        ("( ( seen ) )", [1, 2]),
        ("not not seen", [1, 2]),
        ("not seen or flagged", [2, 3, 4]),
        ("not ( seen or deleted )", [3]),
        ("fuzzy seen", [1, 2]),
        ("not fuzzy seen", [3, 4]),
        ("fuzzy ( seen flagged )", [2]),
        ("SEEN", [1, 2]),
        ("$", []),
        ("uid $", []),
        ("not uid $", [1, 2, 3, 4]),
        ("new", [3, 4]),
        ("old", []),
        ("recent", [1, 2, 3, 4]),
        ("all", [1, 2, 3, 4]),
        ("savedatesupported", [1, 2, 3, 4]),
        ("keyword work", [2]),
        ("unkeyword WORK", [1, 3, 4]),
        ("keyword Work not keyword work", []),
        ("subject ( all", []),
    ],
)
def test_what_queries_find(text: str, expected: list[int]) -> None:
    assert uids(flagged_user(), text) == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("nosuchkey", b"Unknown argument NOSUCHKEY"),
        ("(all)", b"Unknown argument (ALL)"),
        ("+1", b"Unknown argument +1"),
        ("1x", b"Invalid messageset"),
        ("uid x", b"Invalid UID messageset"),
        ("x-real-uid 0", b"Invalid X-REAL-UID messageset"),
        ("mailbox", b"Missing parameter for search key (for search key: MAILBOX)"),
        ("header x", b"Missing parameter for search key (for search key: HEADER)"),
        ("all )", b"Unexpected ')'"),
        ("( all", b"Missing ')'"),
        ("( )", b"No search parameters inside list"),
        ("not", b"Missing argument"),
        ("( not )", b"Missing argument"),
        ("all or", b"Missing argument"),
        ("inthread refs", b"Missing argument"),
        ("inthread x all", b"Unknown thread algorithm"),
        ("seen or flagged deleted", b"Use parenthesis when mixing ANDs and ORs"),
        ("or seen flagged", b"Use parenthesis when mixing ANDs and ORs"),
        ("not or seen flagged", b"Use parenthesis when mixing ANDs and ORs"),
        ("since notadate", b"Invalid search date parameter: notadate"),
        ("larger 1p", b"Invalid size: 1p"),
        ("larger 16777216t", b"Size is too large: 16777216t"),
        ("younger 0", b"Invalid search interval parameter"),
        ("older 1d", b"Invalid search interval parameter"),
        ("modseq x", b"Invalid MODSEQ value"),
        ("modseq /flags/\\nope all 1", b"Invalid MODSEQ system flag"),
        ("modseq /flags/\\seen x 1", b"Invalid MODSEQ type"),
        ("x-mailbox &", b"X-MAILBOX name not mUTF-7"),
    ],
)
def test_what_the_process_dies_of(text: str, words: bytes) -> None:
    assert fatal(text) == words


def test_texts_and_names_must_be_utf_8() -> None:
    assert fatal("subject", b"\xff") == b"Invalid search key"
    assert fatal("mailbox", b"Ty\xf6") == b"Mailbox name not valid UTF-8: Ty\xf6"


@pytest.mark.parametrize(
    ("key", "since"),
    [
        ("fuzzy all", "2.1.0"),
        ("x-real-uid 1", "2.2.14"),
        ("oldestonly", "2.2.16"),
        ("mimepart type text", "2.3.0"),
        ("savedatesupported", "2.3.11"),
    ],
)
def test_keys_that_came_later(key: str, since: str) -> None:
    query(key, dovecot=since)
    name = key.split()[0].upper().encode()
    assert fatal(key, dovecot="2.0.21") == b"Unknown argument " + name


def test_keywords_are_atoms_from_2_4_4_on() -> None:
    assert uids(flagged_user(), "keyword a*b", dovecot="2.4.3") == []
    assert fatal("keyword a*b", dovecot="2.4.4") == b"Invalid characters in keyword"
    text = "modseq /flags/a*b all 1"
    assert fatal(text, dovecot="2.4.4") == b"Invalid characters in MODSEQ keyword"


def test_an_or_makes_an_or_of_the_thread_key() -> None:
    assert uids(flagged_user(), "inthread refs or seen") == [1, 2]


@pytest.mark.parametrize("count", [10, 20_000])
def test_lists_in_lists(count: int) -> None:
    assert uids(flagged_user(), "( " * count + "seen" + " )" * count) == [1, 2]


def test_lists_that_are_too_deep() -> None:
    text = "( seen or " * 200 + "all" + " )" * 200
    assert b"more than 150 lists" in fatal(text)


def test_20000_nots() -> None:
    assert uids(flagged_user(), "not " * 20_000 + "seen") == [1, 2]


some_words = st.lists(
    st.sampled_from(
        [
            "all",
            "not",
            "or",
            "(",
            ")",
            "uid",
            "1:*",
            "mailbox",
            "INBOX",
            "%",
            "seen",
            "UNSEEN",
            "*",
            "2,3",
            "fuzzy",
            "inthread",
            "refs",
            "since",
            "1d",
            "larger",
            "1k",
            "header",
            "subject",
            "x",
            "body",
            "mimepart",
            "type",
            "text",
            "exists",
            "parent",
            "depth",
            "0",
            "new",
            "$",
        ]
    ).map(str.encode)
    | st.binary(max_size=5),
    max_size=9,
)


@given(some_words)
def test_any_query_is_answered_or_fatal(given: list[bytes]) -> None:
    user = flagged_user()
    try:
        found = list(select(parse_query(given, NEW), user))
    except Fatal:
        return
    for box, messages in found:
        assert {one.uid for one in messages} <= {one.uid for one in box.messages}


leaf = st.sampled_from(["all", "seen", "unflagged", "deleted", "keyword work", "1", "2:3", "uid 2"])
tree = st.recursive(
    leaf,
    lambda inner: (
        inner.map(lambda one: f"not ( {one} )")
        | st.tuples(inner, inner).map(lambda two: f"( {two[0]} ) ( {two[1]} )")
        | st.tuples(leaf, inner).map(lambda two: f"( {two[0]} ) or ( {two[1]} )")
    ),
    max_leaves=4,
)


@given(leaf)
def test_a_key_and_its_opposite_split_a_mailbox(key: str) -> None:
    user = flagged_user()
    both = uids(user, f"mailbox INBOX {key}") + uids(user, f"mailbox INBOX not {key}")
    assert sorted(both) == [1, 2, 3, 4]


@given(tree)
def test_parentheses_change_nothing(text: str) -> None:
    user = flagged_user()
    assert uids(user, text) == uids(user, f"( ( {text} ) )")
