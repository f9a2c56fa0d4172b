from __future__ import annotations

import random
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakedove.dovecot.clock import Clock
from fakedove.dovecot.guids import derived_guid
from fakedove.dovecot.mailbox import Mailbox
from fakedove.dovecot.mailbox_seed import MailboxSeed
from fakedove.dovecot.message import SYSTEM_FLAGS, split_flags, virtual_size
from fakedove.errors import StoreError

NOW = datetime(2024, 5, 1, 12, tzinfo=UTC)
THEN = datetime(2020, 1, 1, tzinfo=UTC)


def make_mailbox(seed: MailboxSeed | None = None) -> Mailbox:
    seed = seed or MailboxSeed(name="Sent", guid="0" * 32, uidvalidity=7)
    return Mailbox(seed, {}, Clock(NOW), random.Random(1))


def test_an_empty_mailbox() -> None:
    box = make_mailbox()
    assert (box.message_count, box.recent, box.unseen, box.deleted) == (0, 0, 0, 0)
    assert (box.virtual_size, box.uidnext, box.highestmodseq) == (0, 1, 1)
    assert box.first_saved is None
    assert box.messages == ()


def test_a_delivered_message_has_what_was_given() -> None:
    box = make_mailbox()
    message = box.deliver(
        b"a\nb\r\n",
        flags=["\\seen", "\\Flagged", "Work"],
        keywords=["Home"],
        received=THEN,
        guid="AB" * 16,
        uid=5,
        saved=THEN,
    )
    assert message.flags == ("\\Flagged", "\\Seen")
    assert message.keywords == ("Work", "Home")
    assert (message.uid, message.guid) == (5, "ab" * 16)
    assert (message.received, message.saved) == (THEN, THEN)
    assert (message.physical_size, message.virtual_size) == (4, 6)
    assert box.by_uid(5) is message
    assert box.by_uid(1) is None
    assert box.uidnext == 6


def test_import_folder(tmp_path: Path) -> None:
    box = make_mailbox()
    for name in ("b.eml", "a.eml"):
        (tmp_path / name).write_bytes(b"Subject: %b\r\n" % name.encode())
    first, second = box.import_folder(tmp_path, ["\\Seen"], THEN)
    assert box.messages == (first, second)
    assert (first.data, second.data) == (b"Subject: a.eml\n", b"Subject: b.eml\n")
    assert (first.flags, first.received, first.saved) == (("\\Seen",), THEN, NOW)
    with pytest.raises(StoreError, match="none cannot be read"):
        box.import_folder(tmp_path / "none")
    assert box.message_count == 2


def test_a_delivered_message_has_defaults() -> None:
    box = make_mailbox()
    first, second = box.deliver(b"x"), box.deliver(b"y")
    assert (first.uid, second.uid) == (1, 2)
    assert first.received == first.saved == NOW
    assert len(first.guid) == 32
    assert first.guid != second.guid
    assert second.modseq == box.highestmodseq == 3


def test_guids_come_from_the_random_source() -> None:
    assert make_mailbox().deliver(b"").guid == make_mailbox().deliver(b"").guid


def test_totals_follow_deliver_and_expunge() -> None:
    box = make_mailbox()
    box.deliver(b"one\n", ["\\Seen"])
    box.deliver(b"two\n", ["\\Deleted"])
    box.deliver(b"three\n")
    assert (box.message_count, box.unseen, box.deleted, box.virtual_size) == (3, 2, 1, 17)
    gone = box.expunge([2, 9, 2])
    assert [message.uid for message in gone] == [2]
    assert (box.message_count, box.unseen, box.deleted, box.virtual_size) == (2, 1, 0, 12)
    assert [message.uid for message in box.messages] == [1, 3]
    assert box.uidnext == 4
    assert box.highestmodseq == 5


def test_expunging_nothing_is_no_change() -> None:
    box = make_mailbox()
    assert box.expunge([1]) == ()
    assert box.highestmodseq == 1


def test_uids_only_grow() -> None:
    box = make_mailbox()
    box.deliver(b"", uid=4)
    with pytest.raises(StoreError, match=r'uid 4 is too low: the next of mailbox "Sent" is 5'):
        box.deliver(b"", uid=4)


@pytest.mark.parametrize("guid", ["", "xyz", "g" * 32, "0" * 31])
def test_a_guid_is_32_hex_digits(guid: str) -> None:
    with pytest.raises(StoreError, match="32 hex digits"):
        make_mailbox().deliver(b"", guid=guid)


def test_a_refused_message_changes_nothing() -> None:
    box = make_mailbox()
    with pytest.raises(StoreError):
        box.deliver(b"", flags=["\\Recent"])
    assert box.message_count == 0
    assert box.uidnext == 1


def test_an_unchanged_mailbox_is_its_seed_again() -> None:
    box = make_mailbox()
    box.deliver(b"x", ["\\Deleted"])
    seed = box.freeze()
    again = make_mailbox(seed)
    assert again.freeze() is seed
    assert again.messages == box.messages
    again.metadata["/private/comment"] = "changed"
    assert again.freeze() != seed


def test_derived_guids_differ_by_every_name() -> None:
    assert derived_guid("a", "b") == derived_guid("a", "b")
    assert len({derived_guid("a", "b"), derived_guid("ab"), derived_guid("a", "b", 1)}) == 3


def test_unknown_flags_are_named() -> None:
    with pytest.raises(StoreError, match=r'no flag "\\Sen".*did you mean "\\Seen"'):
        split_flags(["\\Sen"])


@pytest.mark.parametrize("word", ["", "a b", "a\tb", "a(", "100%"])
def test_a_keyword_is_an_atom(word: str) -> None:
    with pytest.raises(StoreError, match="IMAP atom"):
        split_flags([word])


@given(st.lists(st.sampled_from([*SYSTEM_FLAGS, "Work", "$Junk"])))
def test_flags_are_ordered_and_unique(words: list[str]) -> None:
    flags, keywords = split_flags(words)
    assert set(flags) | set(keywords) == set(words)
    assert list(flags) == [flag for flag in SYSTEM_FLAGS if flag in words]
    assert len(set(keywords)) == len(keywords)


@given(st.lists(st.sampled_from([b"\r", b"\n", b"\r\n", b"x"])).map(b"".join))
def test_virtual_size_counts_bare_line_feeds_twice(data: bytes) -> None:
    as_crlf = data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    assert virtual_size(data) == len(as_crlf)
