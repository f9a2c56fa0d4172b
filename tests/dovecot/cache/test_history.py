"""Notes of what was read: taken cheaply, worked out when somebody asks."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import pytest

from fakedove.dovecot.cache.cache_file import CacheFile
from fakedove.dovecot.mailbox import Mailbox
from fakedove.dovecot.message import Message
from fakedove.dovecot.release import Release
from fakedove.dovecot.releases import find_release
from fakedove.dovecot.store import Store

RELEASE = find_release("2.4.1")


class Read:
    """A note that counts how often it is worked out; it changes something the first time."""

    def __init__(self, name: str, messages: Sequence[Message], seen: list[str], now: int) -> None:
        self.key = (name,)
        self.messages, self.now = messages, now
        self._seen, self.may_lose = seen, False

    def leave(self, file: CacheFile, release: Release) -> None:
        name = str(self.key[0])
        if name not in self._seen:
            file.record(1, file.cached(1) | {name})
        self._seen.append(name)


@pytest.fixture
def box() -> Mailbox:
    box = Store(random=Random(1)).add_user("tss").mailbox("INBOX")
    box.deliver(b"Subject: hi\n\nhello\n")
    return box


def note(box: Mailbox, name: str, seen: list[str], now: int = 2_000_000_000) -> None:
    box.cache.note(Read(name, box.messages, seen, now), box.messages, RELEASE)


def test_nothing_is_worked_out_before_somebody_asks(box: Mailbox) -> None:
    seen: list[str] = []
    note(box, "guid", seen)
    assert seen == []
    assert "guid" in box.cache.file(box.messages, RELEASE).cached(1)
    assert seen == ["guid"]


def test_what_comes_over_and_over_costs_nothing(box: Mailbox) -> None:
    seen: list[str] = []
    for _ in range(1000):
        note(box, "guid", seen)
    box.cache.file(box.messages, RELEASE)
    assert seen == ["guid"] * 2


def test_what_comes_in_turns_is_idle_after_a_while(box: Mailbox) -> None:
    seen: list[str] = []
    for _ in range(1000):
        note(box, "guid", seen)
        note(box, "flags", seen)
    assert len(seen) < 100


def test_a_day_later_the_same_is_noted_again(box: Mailbox) -> None:
    seen: list[str] = []
    for now in (2_000_000_000, 2_000_000_001, 2_000_000_002, 2_000_090_000):
        note(box, "guid", seen, now)
    box.cache.file(box.messages, RELEASE)
    assert seen == ["guid"] * 3


def test_it_can_be_told_at_once_whether_something_is_cached(box: Mailbox) -> None:
    seen: list[str] = []
    note(box, "flags", seen)
    told = [
        box.cache.caches(Read(name, box.messages, seen, 2_000_000_000), box.messages, RELEASE)
        for name in ("guid", "guid", "flags", "guid")
    ]
    assert told == [True, False, False, False]
    assert seen == ["flags", "guid", "guid", "flags"]


def test_other_mails_are_another_matter(box: Mailbox) -> None:
    seen: list[str] = []
    for _ in range(4):
        note(box, "guid", seen)
        box.deliver(b"Subject: more\n\n")
    box.cache.file(box.messages, RELEASE)
    assert seen == ["guid"] * 4


def test_saving_is_worked_out_before_what_was_read_later(box: Mailbox) -> None:
    note(box, "guid", [])
    file = box.cache.file(box.messages, RELEASE)
    assert {"flags", "hdr.subject", "guid"} <= file.cached(1)


def test_a_mail_that_is_gone_has_left_its_decisions(box: Mailbox) -> None:
    box.expunge([1])
    file = box.cache.file(box.messages, RELEASE)
    assert file.exists
    assert not file.records


def test_a_snapshot_keeps_what_has_happened(box: Mailbox) -> None:
    note(box, "guid", [])
    box.cache.file(box.messages, RELEASE)
    seed = box.freeze()
    box.cache.file(box.messages, RELEASE).forget(1)
    again = Mailbox(seed, {}, box._clock, Random(1))
    assert "guid" in again.cache.file(again.messages, RELEASE).cached(1)


def test_who_only_asks_changes_no_snapshot(box: Mailbox) -> None:
    seed = box.freeze()
    assert Mailbox(seed, {}, box._clock, Random(1)).freeze() is seed
