"""Syncs between the mail of two users, and of one user with a place of their own.

The comparing machine asks syncs too, but of two users' mail only backups: for others it would
depend on new GUIDs, which are random, which mails and mailboxes get new UIDs and GUIDs.
"""

from __future__ import annotations

import pytest

from tests.real.compared.questions import Question
from tests.real.compared.sides import Sides

pytestmark = pytest.mark.real

_SAVED = "mdbox:~/b1"
_BOB, _ALICE = "mdbox:{{dir}}/home/bob/mdbox", "mdbox:{{dir}}/home/alice/mdbox"
#: States of tss's INBOX after 4 mails: at modseq 100, 5, 11; and after 9 mails at modseq 11.
_TOO_NEW = "AQAAAAYAdHNzAAAAAAAAAAAAAACIBFRlBAAAAGQAAAAAAAAAAAAAAAAAAAAEAAAAWtv+tg=="
_OLD = "AQAAAAYAdHNzAAAAAAAAAAAAAACIBFRlBAAAAAUAAAAAAAAAAAAAAAAAAAAEAAAAARCd/A=="
_NEW = "AQAAAAYAdHNzAAAAAAAAAAAAAACIBFRlBAAAAAsAAAAAAAAAAAAAAAAAAAAEAAAAZltl5Q=="
_TOO_MANY = "AQAAAAYAdHNzAAAAAAAAAAAAAACIBFRlCQAAAAsAAAAAAAAAAAAAAAAAAAAEAAAAoJxL3w=="
#: That of tss's Sent after 2 mails, at modseq 1.
_SENT = "AQAAAAYDdHNzAAAAAAAAAAAAAACLBFRlAgAAAAEAAAAAAAAAAAAAAAAAAAACAAAA/urM7A=="

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
    "names that are swapped": (
        ("tss", "sync", _SAVED),
        ("tss", "mailbox rename", "Sent", "X"),
        ("tss", "mailbox rename", "Trash", "Sent"),
        ("tss", "mailbox rename", "X", "Trash"),
        ("tss", "mailbox subscribe", "Nix"),
        ("tss", "mailbox delete", "Archive/2024"),
        ("tss", "sync", "-s", "", _SAVED),
        ("tss", "sync", _SAVED),
    ),
    "folders that are swapped": (
        ("tss", "mailbox create", "a/b/c"),
        ("tss", "mailbox create", "d/e/f"),
        ("tss", "sync", _SAVED),
        ("tss", "mailbox rename", "a", "x"),
        ("tss", "mailbox list", "*"),
        ("tss", "mailbox rename", "d", "a"),
        ("tss", "mailbox list", "*"),
        ("tss", "mailbox rename", "x", "d"),
        ("tss", "mailbox list", "*"),
        ("tss", "sync", _SAVED),
        ("tss", "backup", _SAVED),
    ),
    "names above and below": (
        ("tss", "sync", _SAVED),
        ("tss", "mailbox rename", "Archive/2024", "x"),
        ("tss", "mailbox rename", "Archive", "x/y"),
        ("tss", "mailbox rename", "Sent", "Archive"),
        ("tss", "backup", _SAVED),
        ("tss", "mailbox rename", "x/y", "w"),
        ("tss", "mailbox rename", "x", "w/a"),
        ("tss", "backup", "-R", _SAVED),
        ("tss", "mailbox rename", "Archive", "INBOX/b"),
        ("tss", "sync", "-1", _SAVED),
        ("tss", "sync", "-1", "-R", _SAVED),
    ),
    "attributes": (
        ("tss", "mailbox metadata set", "Archive", "/private/comment", "x"),
        ("tss", "mailbox metadata set", "Archive", "/shared/a", "x"),
        ("tss", "acl set", "Archive", "user=zoe", "lookup"),
        ("tss", "backup", "-m", "Archive", _SAVED),
        ("tss", "mailbox metadata unset", "Archive", "/shared/a"),
        ("tss", "acl delete", "INBOX", "user=alice"),
        ("tss", "sieve rename", "other", "z"),
        ("tss", "sieve deactivate"),
        ("tss", "sync", "-f", "-l", "5", _SAVED),
        ("tss", "sync", "-s", _NEW, _SAVED),
    ),
    "a state of other mail": (
        ("tss", "backup", "-m", "Sent", _BOB),
        ("tss", "copy", "Sent", "MAILBOX", "INBOX", "1:2"),
        ("bob", "copy", "Sent", "user", "alice", "MAILBOX", "INBOX", "ALL"),
        ("tss", "flags add", "\\Flagged", "MAILBOX", "Sent", "1:2"),
        ("tss", "sync", "-s", _SENT, "-m", "Sent", _BOB),
        ("tss", "expunge", "MAILBOX", "Sent", "UID", "1"),
        ("tss", "sync", "-s", _SENT, "-m", "Sent", _BOB),
        ("bob", "mailbox update", "--uid-validity", "1700009999", "Sent"),
        ("tss", "sync", "-s", _SENT, "-m", "Sent", _BOB),
        ("tss", "backup", "-m", "Sent", _BOB),
    ),
    "mails that are not wanted": (
        ("tss", "sync", _SAVED),
        ("tss", "expunge", "MAILBOX", "INBOX", "UID", "4"),
        ("tss", "sync", "-t", "2024-01-03", "-m", "INBOX", _SAVED),
        ("tss", "sync", "-e", "2001-01-01", "-m", "INBOX", "mdbox:~/b2"),
        ("tss", "sync", "-O", "\\Flagged", "-m", "INBOX", "mdbox:~/b3"),
        ("tss", "sync", "-O", "-Work", "-m", "INBOX", "mdbox:~/b3"),
        ("tss", "sync", "-I", "1k", "-m", "INBOX", "mdbox:~/b4"),
    ),
    "names with a percent sign": (
        ("tss", "mailbox create", "%u"),
        ("tss", "mailbox subscribe", "%u"),
        ("tss", "mailbox create", "x%41"),
        ("tss", "sync", _SAVED),
        ("tss", "copy", "%u", "MAILBOX", "INBOX", "1"),
        ("tss", "copy", "x%41", "MAILBOX", "INBOX", "2"),
        ("tss", "sync", _SAVED),
        ("tss", "mailbox rename", "%u", "%v"),
        ("tss", "backup", _SAVED),
    ),
    "names that stand for none": (
        ("tss", "mailbox create", "%2fz"),
        ("tss", "mailbox create", "%7ex"),
        ("tss", "sync", _SAVED),
        ("tss", "sync", _SAVED),
        ("tss", "backup", "-R", _SAVED),
    ),
    "mailboxes that are there and not to be seen": (
        ("alice", "acl add", "INBOX", "user=bob", "post"),
        ("bob", "backup", "-m", "INBOX", _ALICE),
        ("bob", "sync", _ALICE),
        ("alice", "acl set", "INBOX", "user=bob", "lookup", "read"),
        ("bob", "sync", _ALICE),
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
    found = _difference(sides, name)
    # What is newer goes by seconds, and one may have ended between both servers' answers.
    found = found and _difference(sides, name)
    assert not found, "\n".join(found)


def _difference(sides: Sides, name: str) -> list[str]:
    """Tell a story, and return the first difference with what was asked."""
    sides.restore()
    for user, command, *arguments in _STORIES[name]:
        question = Question("D", user, command, tuple(arguments))
        if found := sides.differences(question):
            return [str(question), *found]
        if command not in ("sync", "backup"):
            continue
        for looker in ("tss", "bob", "alice"):
            for look, *words in _LOOKS:
                if found := sides.differences(Question("", looker, look, tuple(words))):
                    return [str(question), f"{looker}: {look}", *found]
    return []
