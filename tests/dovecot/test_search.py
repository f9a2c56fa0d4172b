from __future__ import annotations

import random
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakedove.dovecot.clock import Clock
from fakedove.dovecot.reply import Fatal
from fakedove.dovecot.search import parse_query
from fakedove.dovecot.store import Store
from fakedove.dovecot.user import User


def make_user() -> User:
    clock = Clock(datetime(2024, 5, 1, 12, tzinfo=UTC))
    user = Store(clock=clock, random=random.Random(1)).add_user("tss")
    inbox = user.mailbox("INBOX")
    for flags in (["\\Seen"], ["\\Seen", "\\Flagged"], [], ["\\Deleted"]):
        inbox.deliver(b"x\n", flags=flags)
    archive = user.mailbox("Archive/2024", create=True)
    archive.deliver(b"y\n", uid=7)
    archive.deliver(b"z\n", uid=9, flags=["\\Answered", "\\Draft"])
    user.mailbox("Sent", create=True)
    return user


def found(*words: bytes) -> dict[str, list[int]]:
    """Return the UIDs that a query finds, by mailbox; empty mailboxes are left out."""
    selected = parse_query(words).select(make_user())
    return {box.name: [one.uid for one in messages] for box, messages in selected if messages}


def fatal(*words: bytes) -> bytes:
    with pytest.raises(Fatal) as caught:
        parse_query(words)
    return caught.value.text


@pytest.mark.parametrize(
    ("words", "uids"),
    [
        pytest.param([b"mailbox", b"INBOX", b"all"], [1, 2, 3, 4], id="x.search.inbox"),
        pytest.param([b"mailbox", b"inbox"], [1, 2, 3, 4], id="x.search.mailbox-lower"),
        pytest.param([b"mailbox", b"INBOX", b"seen"], [1, 2], id="x.search.flag"),
        pytest.param([b"mailbox", b"INBOX", b"uid", b"2:3"], [2, 3], id="x.search.uid"),
        pytest.param([b"mailbox", b"INBOX", b"not", b"seen"], [3, 4], id="x.search.not"),
        pytest.param([b"MAILBOX", b"INBOX", b"UnSeen"], [3, 4], id="any-case"),
        pytest.param([b"mailbox", b"INBOX", b"seen", b"unflagged"], [1], id="all-keys-hold"),
        pytest.param([b"mailbox", b"INBOX", b"not", b"not", b"deleted"], [4], id="not-not"),
        pytest.param([b"mailbox", b"INBOX", b"uid", b"1,4"], [1, 4], id="uid-list"),
        pytest.param([b"mailbox", b"INBOX", b"uid", b"3:*"], [3, 4], id="uid-to-the-last"),
        pytest.param([b"mailbox", b"INBOX", b"uid", b"*,2"], [2], id="uid-star-is-no-message"),
        pytest.param([b"mailbox", b"INBOX", b"2:3"], [2, 3], id="message-numbers"),
        pytest.param([b"mailbox", b"INBOX", b"uid", b"3:2"], [2, 3], id="uid-backwards"),
    ],
)
def test_queries_in_the_inbox(words: list[bytes], uids: list[int]) -> None:
    assert found(*words) == {"INBOX": uids}


@pytest.mark.parametrize(
    ("words", "boxes"),
    [
        ([], ["Archive/2024", "INBOX"]),
        ([b"all"], ["Archive/2024", "INBOX"]),
        ([b"mailbox", b"*"], ["Archive/2024", "INBOX"]),
        ([b"mailbox", b"%"], ["INBOX"]),
        ([b"mailbox", b"Arch*"], ["Archive/2024"]),
        ([b"mailbox", b"Sent"], []),
        ([b"mailbox", b"nope"], []),
        ([b"answered", b"draft"], ["Archive/2024"]),
    ],
)
def test_which_mailboxes_are_looked_into(words: list[bytes], boxes: list[str]) -> None:
    assert sorted(found(*words)) == boxes


def test_message_numbers_are_not_uids() -> None:
    assert found(b"mailbox", b"Archive/2024", b"2") == {"Archive/2024": [9]}
    assert found(b"mailbox", b"Archive/2024", b"uid", b"2") == {}
    assert found(b"uid", b"*") == {}


def test_a_key_that_is_not_built_is_named() -> None:
    with pytest.raises(Fatal, match="fakedove does not know the search key SUBJECT yet") as caught:
        found(b"mailbox", b"INBOX", b"subject", b"hello")
    assert b"unseen" not in caught.value.text
    assert b"seen, uid" in caught.value.text


def test_a_message_must_be_in_every_mailbox_asked_for() -> None:
    assert found(b"mailbox", b"INBOX", b"mailbox", b"Archive/2024") == {}


@pytest.mark.parametrize(
    ("words", "missing"),
    [
        ([b"mailbox", b"nope"], "nope"),
        ([b"mailbox", b"INBOX", b"mailbox", b"nope"], "nope"),
        ([b"mailbox", b"inbox"], None),
        ([b"mailbox", b"zz*"], None),
        ([b"all"], None),
    ],
)
def test_a_mailbox_that_is_named_and_missing(words: list[bytes], missing: str | None) -> None:
    assert parse_query(words).missing(make_user()) == missing


@pytest.mark.parametrize(
    ("words", "named"),
    [([], False), ([b"mailbox", b"INBOX"], False), ([b"mailbox", b"INBOX", b"all"], True)],
)
def test_whether_messages_are_named(words: list[bytes], named: bool) -> None:
    assert parse_query(words).names_messages is named


@pytest.mark.parametrize(
    ("words", "text"),
    [
        pytest.param([b"nosuchkey"], b"Unknown argument NOSUCHKEY", id="x.search.bad"),
        pytest.param(
            [b"mailbox"],
            b"Missing parameter for search key (for search key: MAILBOX)",
            id="x.search.bad2",
        ),
        ([b"mailbox", b"Ty\xf6"], b"Mailbox name not valid UTF-8: Ty\xf6"),
        ([b"uid", b"x"], b"Invalid UID messageset"),
        ([b"uid", b"0"], b"Invalid UID messageset"),
        ([b"uid", b"1,"], b"Invalid UID messageset"),
        ([b"uid", b"1:"], b"Invalid UID messageset"),
        ([b"uid", b"-1"], b"Invalid UID messageset"),
        ([b"1,"], b"Invalid messageset"),
    ],
)
def test_the_process_dies_of_a_bad_query(words: list[bytes], text: bytes) -> None:
    assert fatal(*words) == text


def test_a_uid_of_thousands_of_digits_is_no_uid() -> None:
    assert fatal(b"uid", b"9" * 10_000) == b"Invalid UID messageset"


def test_a_thousand_nots() -> None:
    assert found(b"mailbox", b"INBOX", *[b"not"] * 5000, b"seen") == {"INBOX": [1, 2]}


words = st.lists(
    st.sampled_from(
        [
            b"all",
            b"not",
            b"uid",
            b"1:*",
            b"mailbox",
            b"INBOX",
            b"%",
            b"seen",
            b"UNSEEN",
            b"*",
            b"2,3",
        ]
    )
    | st.binary(max_size=5),
    max_size=7,
)


@given(words)
def test_any_query_is_answered_or_fatal(given: list[bytes]) -> None:
    try:
        query = parse_query(given)
    except Fatal:
        return
    user = make_user()
    if query.not_built is None:
        for box, messages in query.select(user):
            assert {one.uid for one in messages} <= {one.uid for one in box.messages}


one_key = st.sampled_from([b"all", b"seen", b"unflagged", b"deleted"]).map(lambda key: [key]) | (
    st.sampled_from([b"1", b"2:3", b"*", b"9,1"]).flatmap(
        lambda numbers: st.sampled_from([[b"uid", numbers], [numbers]])
    )
)


@given(one_key)
def test_a_key_and_its_opposite_split_a_mailbox(key: list[bytes]) -> None:
    user = make_user()
    chosen, others = (list(parse_query(words).select(user)) for words in (key, [b"not", *key]))
    for (box, some), (_, rest) in zip(chosen, others, strict=True):
        assert sorted(one.uid for one in [*some, *rest]) == [one.uid for one in box.messages]
