"""What ACLs do to commands on mail (measured on 2.3.19.1 and 2.4.1)."""

from __future__ import annotations

from random import Random

import pytest

from fakedove.dovecot.store import Store
from tests.sessions.talk import Talk

DOVECOTS = pytest.mark.parametrize("dovecot", ["2.3.19.1", "2.4.1"])


def talk(dovecot: str, *rights: str) -> Talk:
    """Talk to a server whose user tss has these rights in Sent, where one of two mails is."""
    store = Store(random=Random(1))
    for name in ("tss", "alice"):
        user = store.add_user(name)
        sent = user.create_mailbox("Sent")
        sent.deliver(b"Subject: sent\n\nx\n")
        sent.acl = {"owner": rights}
        flags = ["\\Seen", "\\Deleted", "\\Flagged", "Work"]
        user.mailbox("INBOX").deliver(b"Subject: in\n\nx\n", flags)
    client = Talk(dovecot, store=store)
    client.hello(0)
    return client


@DOVECOTS
@pytest.mark.parametrize(
    ("line", "failed"),
    [
        (b"\ttss\tcopy\tSent\tmailbox\tINBOX\tall\n", "Can't open mailbox 'Sent'"),
        (b"\ttss\tmove\tSent\tmailbox\tINBOX\tall\n", "Can't open mailbox 'Sent'"),
        (b"\ttss\tsave\t-m\tSent\nx\n.\n", "Failed to open mailbox Sent"),
    ],
)
def test_a_mail_is_put_in_by_who_may_insert(dovecot: str, line: bytes, failed: str) -> None:
    client = talk(dovecot, "lookup", "read")
    assert client.say(line) == b"\n-NOPERM\n"
    assert client.log[-1].endswith(f"{failed}: Permission denied")
    client = talk(dovecot, "read")
    assert client.say(line) == b"\n-NOTFOUND\n"
    assert client.log[-1].endswith(f"{failed}: Mailbox doesn't exist: Sent")


@DOVECOTS
@pytest.mark.parametrize(
    ("rights", "flags"),
    [
        (("insert",), b"\\Recent"),
        (("insert", "write"), b"\\Flagged \\Recent Work"),
        (("insert", "write-seen"), b"\\Seen \\Recent"),
        (("insert", "write-deleted"), b"\\Deleted \\Recent"),
    ],
)
def test_a_copy_keeps_the_flags_that_may_be_written(
    dovecot: str, rights: tuple[str, ...], flags: bytes
) -> None:
    client = talk(dovecot, *rights)
    assert client.say(b"\ttss\tcopy\tSent\tmailbox\tINBOX\tall\n") == b"\n+\n"
    answer = client.say(b"\ttss\tfetch\tflags\tmailbox\tSent\t2\n")
    assert answer == flags + b"\t\n+\n"


@DOVECOTS
def test_a_mail_is_moved_away_by_who_may_expunge(dovecot: str) -> None:
    client = talk(dovecot, "lookup", "read", "insert")
    assert client.say(b"\ttss\tmove\tINBOX\tmailbox\tSent\tall\n") == b"\n-NOPERM\n"
    assert client.log[-1].endswith("Moving message UID 1 from 'Sent' failed: Permission denied")
    line = b"\talice\tmove\tINBOX\tuser\ttss\tmailbox\tSent\tall\n"
    assert client.say(line) == b"\n-TEMPFAIL\n"
    assert client.log[-1].endswith("failed: BUG: Unknown internal error")
    assert client.say(b"\ttss\texpunge\tmailbox\tSent\tall\n") == b"\n+\n"
    assert client.say(b"\ttss\tfetch\tuid\tmailbox\tSent\tall\n") == b"\n+\n"


@DOVECOTS
def test_what_may_not_be_looked_up_is_found_by_name_alone(dovecot: str) -> None:
    client = talk(dovecot, "read")
    assert client.say(b"\ttss\tfetch\tmailbox\tall\n") == b"INBOX\t\n+\n"
    assert client.say(b"\ttss\tfetch\tmailbox\tmailbox\tS*\tall\n") == b"\n+\n"
    assert client.say(b"\ttss\tfetch\tmailbox\tmailbox\tSent\tall\n") == b"Sent\t\n+\n"


@DOVECOTS
@pytest.mark.parametrize("rights", [("lookup",), ("read",)])
def test_the_quota_counts_what_can_be_opened(dovecot: str, rights: tuple[str, ...]) -> None:
    answer = talk(dovecot, *rights).say(b"\ttss\tquota get\n")
    assert b"MESSAGE\t1\t" in answer
    assert b"MESSAGE\t2\t" in talk(dovecot, "lookup", "read").say(b"\ttss\tquota get\n")


@pytest.mark.parametrize(("dovecot", "count"), [("2.3.19.1", 1), ("2.4.1", 2)])
def test_a_resync_leaves_out_what_is_hidden(dovecot: str, count: int) -> None:
    client = talk(dovecot, "read")
    assert client.say(b"\ttss\tforce-resync\t*\n") == b"\n+\n"
    assert sum("rebuilding indexes" in line for line in client.log) == count
