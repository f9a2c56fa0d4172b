"""Syncs between the mail of two users, and of one user with a place of their own.

The comparing machine asks syncs too, but of two users' mail only backups: for others it would
depend on new GUIDs, which are random, which mails and mailboxes get new UIDs and GUIDs.
"""

from __future__ import annotations

import pytest

from tests.real.compared.questions import Question
from tests.real.compared.sides import Sides

pytestmark = pytest.mark.real

_BOB, _ALICE = "mdbox:{{dir}}/home/bob/mdbox", "mdbox:{{dir}}/home/alice/mdbox"
#: States of tss's INBOX after 4 mails: at modseq 100, 4, 11; and after 9 mails at modseq 11.
_TOO_NEW = "AQAAAAYAdHNzAAAAAAAAAAAAAACIBFRlBAAAAGQAAAAAAAAAAAAAAAAAAAAEAAAAWtv+tg=="
_OLD = "AQAAAAYAdHNzAAAAAAAAAAAAAACIBFRlBAAAAAQAAAAAAAAAAAAAAAAAAAAEAAAARyv6mQ=="
_NEW = "AQAAAAYAdHNzAAAAAAAAAAAAAACIBFRlBAAAAAsAAAAAAAAAAAAAAAAAAAAEAAAAZltl5Q=="
_TOO_MANY = "AQAAAAYAdHNzAAAAAAAAAAAAAACIBFRlCQAAAAsAAAAAAAAAAAAAAAAAAAAEAAAAoJxL3w=="

#: What both users see of their mail after each sync.
_LOOKS = (
    ("mailbox status", "all", "*"),
    ("fetch", "uid guid flags modseq mailbox date.received", "ALL"),
    ("mailbox list", "-s", "*"),
    ("acl get", "INBOX"),
)

_STORIES = {
    "flags and expunges of both": (
        ("tss", "sync", "-s", "", _BOB),
        ("tss", "expunge", "MAILBOX", "INBOX", "UID", "1"),
        ("bob", "expunge", "MAILBOX", "INBOX", "UID", "2"),
        ("bob", "flags add", "\\Flagged $MDNSent", "MAILBOX", "INBOX", "ALL"),
        ("tss", "flags remove", "\\Deleted", "MAILBOX", "INBOX", "ALL"),
        ("tss", "flags replace", "Work", "MAILBOX", "Archive/2024", "UID", "1"),
        ("bob", "flags add", "\\Seen", "MAILBOX", "Archive/2024", "UID", "1"),
        ("tss", "sync", "-s", "", _BOB),
        ("bob", "sync", "-s", "", "mdbox:{{dir}}/home/tss/mdbox"),
    ),
    "mailboxes of both": (
        ("tss", "acl delete", "Archive", "user=bob"),
        ("bob", "mailbox create", "Sent", "Trash"),
        ("tss", "backup", "-s", "", _BOB),
        ("bob", "mailbox rename", "Sent", "Sent2"),
        ("bob", "mailbox delete", "Trash"),
        ("bob", "mailbox subscribe", "X"),
        ("bob", "mailbox unsubscribe", "Archive"),
        ("tss", "mailbox rename", "Archive", "Old"),
        ("tss", "sync", _BOB),
    ),
    "rights of both": (
        ("tss", "acl set", "INBOX", "user=bob", "lookup", "read"),
        ("tss", "acl set", "Sent", "user=bob", "lookup"),
        ("tss", "sync", _BOB),
        ("bob", "acl set", "INBOX", "user=bob", "lookup"),
        ("bob", "acl set", "INBOX", "anyone", "lookup"),
        ("tss", "sync", _BOB),
    ),
    "two mails with one UID": (
        ("tss", "sync", _ALICE),
        ("alice", "sync", "-s", "", "mdbox:{{dir}}/home/tss/mdbox"),
    ),
    "states": (
        ("tss", "sync", _BOB),
        ("tss", "sync", "-s", _TOO_NEW, _BOB),
        ("tss", "sync", "-s", _OLD, _BOB),
        ("tss", "sync", "-s", _TOO_MANY, _BOB),
        ("tss", "sync", "-s", _NEW, _BOB),
        ("tss", "flags add", "\\Seen", "ALL"),
        ("bob", "flags add", "\\Flagged", "ALL"),
        ("tss", "sync", "-s", _NEW, _BOB),
        ("tss", "sync", "-s", "AAAAAA==", _BOB),
    ),
    "a backup over other mail": (
        ("tss", "sync", _BOB),
        ("bob", "expunge", "MAILBOX", "INBOX", "UID", "2"),
        ("tss", "backup", _BOB),
        ("tss", "backup", _BOB),
        ("tss", "backup", _ALICE),
        ("tss", "sync", "-1", _BOB),
        ("bob", "backup", "-R", _ALICE),
    ),
}


@pytest.mark.parametrize("name", _STORIES)
def test_syncs_leave_the_same_mail(sides: Sides, name: str) -> None:
    sides.restore()
    for user, command, *arguments in _STORIES[name]:
        question = Question("", user, command, tuple(arguments))
        found = sides.differences(question)
        assert not found, "\n".join([str(question), *found])
        if command not in ("sync", "backup"):
            continue
        for looker in ("tss", "bob", "alice"):
            for look, *words in _LOOKS:
                found = sides.differences(Question("", looker, look, tuple(words)))
                assert not found, "\n".join([str(question), f"{looker}: {look}", *found])
