"""Modseqs and keywords as the real 2.3.19.1 and 2.4.1 number and spell them."""

from __future__ import annotations

import random
from datetime import UTC, datetime

from fakedove.dovecot.clock import Clock
from fakedove.dovecot.flag_changes import FlagChange, Mode
from fakedove.dovecot.mailbox import Mailbox
from fakedove.dovecot.mailbox_seed import MailboxSeed

NOW = datetime(2024, 5, 1, 12, tzinfo=UTC)


def make_mailbox(*flags: str) -> Mailbox:
    """Return a mailbox with one mail for each text of flags."""
    seed = MailboxSeed(name="Sent", guid="0" * 32, uidvalidity=7)
    box = Mailbox(seed, {}, Clock(NOW), random.Random(1))
    for words in flags:
        box.deliver(b"", words.split())
    return box


def modseqs(box: Mailbox) -> list[int]:
    return [box.modseq(message.uid) for message in box.messages]


def change(box: Mailbox, mode: Mode, uids: list[int], *words: str) -> None:
    flags = frozenset(word for word in words if word.startswith("\\"))
    keywords = tuple(word for word in words if not word.startswith("\\"))
    box.change_flags(uids, FlagChange(mode, flags, keywords))


def test_a_delivery_counts_once_and_once_for_each_keyword() -> None:
    assert make_mailbox("\\Seen", "\\Flagged Work Home").highestmodseq == 5


def test_system_flags_are_one_record_and_keywords_one_each() -> None:
    box = make_mailbox("", "")
    change(box, Mode.ADD, [1, 2], "\\Seen", "\\Draft", "foo", "bar")
    assert box.highestmodseq == 3 + 3


def test_what_changes_nothing_counts_nothing() -> None:
    box = make_mailbox("\\Seen Work")
    before = box.freeze()
    change(box, Mode.ADD, [1], "\\Seen", "WORK")
    change(box, Mode.REMOVE, [1], "\\Draft", "Home")
    change(box, Mode.REPLACE, [1], "\\Seen", "work")
    change(box, Mode.ADD, [9], "\\Deleted")
    assert box.freeze() == before


def test_replacing_sets_a_keyword_again_that_it_keeps_while_another_goes() -> None:
    box = make_mailbox("Work $Forwarded", "Work")
    highest = box.highestmodseq
    change(box, Mode.REPLACE, [1, 2], "Work")
    # One record adds Work, another takes $Forwarded away; the second mail is as it was.
    assert box.highestmodseq == highest + 2
    assert [message.keywords for message in box.messages] == [("Work",), ("Work",)]


def test_replacing_removes_each_other_keyword() -> None:
    box = make_mailbox("\\Flagged Work $Forwarded")
    highest = box.highestmodseq
    change(box, Mode.REPLACE, [1], "\\Draft", "Foo", "Bar")
    (message,) = box.messages
    assert (message.flags, message.keywords) == (("\\Draft",), ("Foo", "Bar"))
    assert box.highestmodseq == highest + 5


def test_keywords_keep_their_first_spelling_and_order() -> None:
    box = make_mailbox("", "")
    change(box, Mode.ADD, [1], "Zed", "Abc")
    change(box, Mode.REMOVE, [1], "zed")
    change(box, Mode.ADD, [2], "abc", "ZED", "new")
    assert [message.keywords for message in box.messages] == [("Abc",), ("Zed", "Abc", "new")]


def test_all_have_the_highest_modseq_until_somebody_asks() -> None:
    box = make_mailbox("", "", "")
    change(box, Mode.ADD, [1], "\\Seen")
    assert modseqs(box) == [5, 5, 5]
    change(box, Mode.ADD, [2], "\\Seen", "Work")
    box.deliver(b"", ["Work"])
    box.expunge([1])
    assert modseqs(box) == [7, 5, 9]
    assert box.highestmodseq == 10


def test_a_rebuilt_index_numbers_all_anew() -> None:
    box = make_mailbox("", "Work", "")
    box.rebuild()
    assert modseqs(box) == [6, 7, 6]
    empty = make_mailbox()
    empty.rebuild()
    assert empty.highestmodseq == 1


def test_copies_keep_guid_flags_and_time_of_receipt() -> None:
    source, target = make_mailbox("\\Seen Work", ""), make_mailbox("")
    copies = target.copy_in(source.messages)
    assert [one.uid for one in copies] == [2, 3]
    assert [one.guid for one in copies] == [one.guid for one in source.messages]
    assert (copies[0].flags, copies[0].keywords) == (("\\Seen",), ("Work",))
    assert target.highestmodseq == 4
    assert (target.message_count, target.unseen) == (3, 2)


def test_a_uid_that_has_passed_becomes_the_next() -> None:
    box = make_mailbox("")
    (first,) = box.append([box.draft(b"")])
    assert first.uid == 2
    assert box.append([first])[0].uid == 3


def test_totals_follow_flags() -> None:
    box = make_mailbox("", "\\Seen")
    change(box, Mode.ADD, [1, 2], "\\Seen", "\\Deleted")
    assert (box.unseen, box.deleted) == (0, 2)
    change(box, Mode.REMOVE, [2], "\\Seen")
    assert (box.unseen, box.deleted) == (1, 2)


def test_freezing_keeps_what_was_asked_and_learned() -> None:
    box = make_mailbox("Work", "")
    change(box, Mode.REMOVE, [1], "Work")
    modseqs(box)
    again = Mailbox(box.freeze(), {}, Clock(NOW), random.Random(1))
    change(again, Mode.ADD, [2], "work")
    assert again.by_uid(2) is not None
    assert [message.keywords for message in again.messages] == [(), ("Work",)]
    assert modseqs(again) == [5, 6]


def test_the_alternative_storage_changes_no_modseq() -> None:
    box = make_mailbox("", "")
    box.mark_alternative([2, 9], alternative=True)
    assert [message.alternative for message in box.messages] == [False, True]
    assert box.highestmodseq == 3
