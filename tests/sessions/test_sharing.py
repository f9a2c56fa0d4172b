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


def without_parent() -> Talk:
    """Return a connection to a store of which Sent was shared and is a folder now."""
    talk = sharing("2.4.1", "Sent")
    for line in (b"mailbox create\tSent/x", b"mailbox delete\tSent"):
        talk.say(b"\ttss\t" + line + b"\n")
    return talk


@pytest.mark.parametrize(
    "line",
    [
        *(b"mailbox list", b"mailbox list\tS*", b"mailbox list\tINBOX\tTrash"),
        *(b"mailbox status\tmessages\t*", b"fetch\tuid\tall", b"index\t*", b"quota get"),
        *(b"quota recalc", b"save\nSubject: x\n\n.", b"copy\tTrash\tmailbox\tINBOX\tall"),
        *(b"mailbox update\tSent", b"mailbox delete\tSent", b"mailbox rename\tSent\tQ"),
        *(b"mailbox metadata set\tSent\t/private/x\t1", b"save\t-m\tSent\nSubject: x\n\n."),
    ],
)
def test_what_reads_the_acl_of_a_folder_misses_the_mailbox(line: bytes) -> None:
    talk = without_parent()
    assert failures(talk, line) == 1
    assert failures(talk, b"quota get") == 0


@pytest.mark.parametrize(
    "line",
    [
        *(b"mailbox list\tSent", b"mailbox list\tT*", b"mailbox list\tSent/*", b"mailbox list\t-s"),
        *(b"mailbox status\tmessages\tSent", b"fetch\tuid\tmailbox\tT*\tall", b"index\tT*"),
        *(b"copy\tTrash\tmailbox\tINBOX\tuid\t9", b"mailbox create\tSent", b"acl get\tSent"),
        *(b"force-resync\t*", b"mailbox delete\tTrash", b"mailbox rename\tTrash\tSent/y"),
        *(
            b"mailbox subscribe\tSent",
            b"mailbox cache purge\tSent",
            b"expunge\tmailbox\tINBOX\tall",
        ),
    ],
)
def test_what_does_not_read_it(line: bytes) -> None:
    talk = without_parent()
    assert failures(talk, line) == 0
    assert failures(talk, b"quota get") == 1


def test_it_is_missed_when_the_listing_has_come_to_it() -> None:
    talk = without_parent()
    before = len(talk.log)
    talk.say(b"\ttss\tindex\t*\n")
    said = [entry.partition(">: ")[2] for entry in talk.log[before:]]
    assert [FAILED in line for line in said] == [False, True, False, False, False]
    assert "Mailbox Trash" in said[0]
    assert "Mailbox Sent/x" in said[2]


@pytest.mark.parametrize("line", [b"mailbox delete\tSent\tSent", b"mailbox delete\t-r\tSent\tSent"])
def test_a_command_misses_the_mailbox_that_it_has_deleted_itself(line: bytes) -> None:
    talk = sharing("2.4.1", "Sent")
    assert failures(talk, line) == 1
    assert [entry.rpartition(" ")[2] for entry in talk.log] == ["denied", "Sent"]
    assert failures(talk, b"quota get") == 0


def test_deleting_empty_mailboxes_leaves_the_list_wrong() -> None:
    talk = sharing("2.4.1", "INBOX")
    talk.say(b"\ttss\tmailbox create\tArchive/x\n")
    talk.say(b"\ttss\tsave\t-m\tArchive/x\nSubject: x\n\n.\n")
    assert failures(talk, b"expunge\t-d\tMAILBOX\tINBOX\tNOT\tALL") == 0
    assert failures(talk, b"quota get") == 1


def test_a_name_that_was_renamed_away_is_not_new_before_the_list_is_refreshed() -> None:
    for between, count in ((b"purge", 0), (b"mailbox status\tmessages\tTrash", 1)):
        talk = sharing("2.4.1", "Sent")
        assert failures(talk, b"mailbox rename\tSent\tX") == 0
        assert failures(talk, between) == 0
        assert failures(talk, b"mailbox create\tSent") == count


def test_an_inbox_that_is_made_by_command_is_not_missed_before_its_acl_is_read() -> None:
    talk = sharing("2.4.1", "INBOX")
    assert failures(talk, b"mailbox rename\tINBOX\tX") == 0
    assert failures(talk, b"mailbox create\tINBOX") == 0
    assert failures(talk, b"fetch\tuid\tmailbox\tINBOX\tall") == 0
    assert failures(talk, b"acl get\tINBOX") == 1


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
