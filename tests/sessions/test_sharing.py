"""The list of shared mailboxes: when 2.4.1 makes it anew, which shows in the log.

All of it was measured with a user whose Archive is shared beside the mailbox in question:
without that nothing is entered in the dict, and nothing fails.
"""

from __future__ import annotations

import pytest

from tests.sessions.talk import Talk, small_store

OK = b"\n+\n"
FAILED = (
    "Error: acl: dict commit failed: dict-file: "
    "file_dotlock_open(/var/run/dict) failed: Permission denied"
)


def sharing(release: str = "2.4.1", *shared: str) -> Talk:
    """Return a connection to a store of which Archive, and what else is said, is shared."""
    store = small_store()
    user = store.users["tss"]
    for name in ("Archive", "Sent", "Trash"):
        user.create_mailbox(name)
    user.mailbox("Archive").acl = {"user=ann": ("lookup",)}
    talk = Talk(release, store=store)
    talk.hello(0)
    for name in ("Archive", *shared):
        talk.say(b"\ttss\tacl set\t%b\tuser=bob\tlookup\n" % name.encode())
    talk.world.log.clear()
    return talk


def failures(talk: Talk, line: bytes) -> int:
    """Return how often the dict could not be written during a command, and nothing else."""
    before = len(talk.log)
    talk.say(b"\ttss\t" + line + b"\n")
    said = [entry.partition(">: ")[2] for entry in talk.log[before:]]
    return sum(entry == FAILED for entry in said)


@pytest.mark.parametrize("line", [b"mailbox delete\tINBOX", b"expunge\t-d\tMAILBOX\tINBOX\tALL"])
def test_inbox_is_shared_no_more_once_it_was_deleted(line: bytes) -> None:
    assert failures(sharing("2.4.1", "INBOX"), line) == 1
    assert failures(sharing("2.4.1"), line) == 0
    assert failures(sharing("2.3.19.1", "INBOX"), line) == 0


def test_another_mailbox_is_not_missed_until_one_of_its_name_is_made() -> None:
    made = (b"mailbox create\tSent", b"mailbox create\tSent/", b"mailbox rename\tTrash\tSent")
    for again in made:
        talk = sharing("2.4.1", "Sent")
        assert failures(talk, b"mailbox delete\tSent") == 0
        assert failures(talk, b"mailbox create\tOther") == 0
        assert failures(talk, again) == 1
        assert failures(talk, b"acl get\tSent") == 0


def test_the_failure_stands_between_those_of_other_names() -> None:
    talk = sharing("2.4.1", "INBOX")
    talk.say(b"\ttss\tmailbox delete\tINBOX\tnosuch\tA\n")
    assert [entry.rpartition(" ")[2] for entry in talk.log] == ["nosuch", "denied", "A"]


def test_a_folder_of_the_name_hides_that_the_mailbox_was_shared() -> None:
    talk = sharing("2.4.1", "Sent")
    talk.say(b"\ttss\tmailbox delete\tSent\n")
    assert failures(talk, b"mailbox create\tSent/x") == 0
    assert failures(talk, b"mailbox create\tSent") == 0


def test_an_inherited_acl_comes_on_top() -> None:
    talk = sharing()
    counts = [failures(talk, b"mailbox %b\tArchive/c" % what) for what in (b"create", b"delete")]
    # Two identifiers are inherited, and Archive/c is in the list of old.
    assert [*counts, failures(talk, b"mailbox create\tArchive/c")] == [2, 0, 3]


@pytest.mark.parametrize(
    ("line", "count"),
    [
        (b"mailbox list", 1),
        (b"mailbox list\t-s", 0),
        (b"mailbox list\tSent", 0),
        (b"mailbox path\tSent", 0),
        (b"mailbox status\tmessages\tSent", 1),
        (b"quota get", 1),
        (b"acl get\tSent", 0),
        (b"acl get\tINBOX", 1),
    ],
)
def test_a_renamed_inbox_is_missed_by_what_brings_it_back(line: bytes, count: int) -> None:
    talk = sharing("2.4.1", "INBOX")
    assert failures(talk, b"mailbox rename\tINBOX\tX") == 0
    assert failures(talk, line) == count


def test_who_shares_nothing_else_has_no_failure() -> None:
    talk = Talk("2.4.1")
    talk.hello(0)
    assert failures(talk, b"acl set\tINBOX\tuser=bob\tlookup") == 1
    assert failures(talk, b"mailbox delete\tINBOX") == 0


def test_the_list_is_restored_with_the_store() -> None:
    talk = sharing("2.4.1", "Sent")
    frozen = talk.world.store.snapshot()
    talk.say(b"\ttss\tmailbox delete\tSent\n")
    talk.say(b"\ttss\tmailbox create\tSent\n")
    talk.world.store.restore(frozen)
    talk.say(b"\ttss\tmailbox delete\tSent\n")
    assert failures(talk, b"mailbox create\tSent") == 1
