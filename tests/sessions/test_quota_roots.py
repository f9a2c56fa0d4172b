"""Several quota roots, as measured on 2.3.19.1 and 2.4.1 unless it says otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import pytest

from fakedove.dovecot.quota_roots import QuotaRoot
from fakedove.dovecot.quota_rules import QuotaRule
from fakedove.dovecot.store import Store
from tests.sessions.talk import Talk

ONE, OTHER = QuotaRoot("User quota", storage=1 << 30), QuotaRoot("Archive", storage=10240)
GET = b"\ttss\tquota get\n"
BOTH = ("2.3.19.1", "2.4.1")


def talk(dovecot: str, roots: Sequence[QuotaRoot]) -> Talk:
    """Connect to a server where tss has two mails of 4 kB, and alice two of 3 and 1 kB."""
    store = Store(random=Random(1))
    tss = store.add_user("tss", quota=roots, home="/home/tss")
    tss.create_mailbox("Sent")
    for _ in range(2):
        tss.mailbox("INBOX").deliver(b"x" * 4096)
    alice = store.add_user("alice", quota=None)
    for size in (3072, 1024):
        alice.mailbox("INBOX").deliver(b"x" * size)
    client = Talk(dovecot, store=store)
    client.hello(0)
    return client


def save(client: Talk, size: int) -> bytes:
    return client.say(b"\ttss\tsave\n%b\n.\n" % (b"x" * size))


def sent(client: Talk) -> list[int]:
    return [one.virtual_size for one in client.world.store.users["tss"].mailbox("Sent").messages]


@pytest.mark.parametrize("dovecot", BOTH)
def test_each_root_has_its_rows_in_the_order_given(dovecot: str) -> None:
    roots = [ONE, QuotaRoot("B", messages=9), QuotaRoot("Archive", storage=8193)]
    assert talk(dovecot, roots).say(GET) == (
        b"User quota\tSTORAGE\t8\t1048576\t0\tUser quota\tMESSAGE\t2\t-\t0\t"
        b"B\tSTORAGE\t8\t-\t0\tB\tMESSAGE\t2\t9\t22\t"
        b"Archive\tSTORAGE\t8\t9\t88\tArchive\tMESSAGE\t2\t-\t0\t\n+\n"
    )


def test_the_name_of_the_user_stands_before_each_row() -> None:
    client = talk("2.4.1", [OTHER])
    client.world.store.remove_user("alice")
    assert client.say(b"\t\tquota get\t-A\n") == (
        b"tss\tArchive\tSTORAGE\t8\t10\t80\ttss\tArchive\tMESSAGE\t2\t-\t0\t\n+\n"
    )


@pytest.mark.parametrize("dovecot", BOTH)
@pytest.mark.parametrize("roots", [(ONE, OTHER), (OTHER, ONE)])
def test_a_mail_has_to_fit_into_all_roots(dovecot: str, roots: Sequence[QuotaRoot]) -> None:
    client = talk(dovecot, roots)
    assert save(client, 2100) == b"\n-UNKNOWN\n"
    assert client.log[-1].endswith("Saving failed: Quota exceeded (mailbox for user is full)")
    assert save(client, 2000) == b"\n+\n"


@pytest.mark.parametrize("dovecot", BOTH)
def test_messages_are_limited_too(dovecot: str) -> None:
    client = talk(dovecot, [ONE, QuotaRoot("Archive", messages=3)])
    assert [save(client, 1), save(client, 1)] == [b"\n+\n", b"\n-UNKNOWN\n"]


@pytest.mark.parametrize("dovecot", BOTH)
def test_doveadm_knows_no_grace(dovecot: str) -> None:
    client = talk(dovecot, [QuotaRoot.of("Archive", "9K", grace="10M")])
    assert save(client, 2000) == b"\n-UNKNOWN\n"


@pytest.mark.parametrize("dovecot", BOTH)
def test_a_copy_takes_what_fits_into_all_roots(dovecot: str) -> None:
    client = talk(dovecot, [OTHER, ONE])
    assert client.say(b"\ttss\tcopy\tSent\tuser\talice\tall\n") == b"\n-UNKNOWN\n"
    assert sent(client) == [1024]
    assert "Copying message UID 1 from 'INBOX' failed: Quota exceeded" in client.log[-1]


@pytest.mark.parametrize(("dovecot", "limit"), [("2.3.19.1", 1), ("2.4.0", 1), ("2.4.1", 8192)])
def test_moving_own_mail_needs_no_room(dovecot: str, limit: int) -> None:
    client = talk(dovecot, [QuotaRoot("Archive", storage=limit)])
    assert client.say(b"\ttss\tmove\tSent\tmailbox\tINBOX\tall\n") == b"\n+\n"
    assert sent(client) == [4096, 4096]


@pytest.mark.parametrize(
    ("root", "why"),
    [
        (QuotaRoot("Archive", storage=8191), "the user is over quota"),
        (QuotaRoot("Archive", messages=1), "the user has too many mails"),
        (
            QuotaRoot.of("Archive", "1G", rules=[QuotaRule.of("Sent", storage=4000 - (1 << 30))]),
            "a mail is bigger than the limit",
        ),
    ],
)
def test_moving_own_mail_kills_from_2_4_1_on_where_quota_is_exceeded(
    root: QuotaRoot, why: str
) -> None:
    client = talk("2.4.1", [root])
    assert client.say(b"\ttss\tmove\tSent\tmailbox\tINBOX\tall\n") == b"", why
    assert any("Moving message UID 2 from 'INBOX' failed: Quota" in line for line in client.log)
    assert sent(client) == [4096, 4096]
    assert client.world.store.users["tss"].message_count == 4


@pytest.mark.parametrize("dovecot", BOTH)
def test_rules_for_single_mailboxes(dovecot: str) -> None:
    rules = [QuotaRule.of("Sent", storage="2K"), QuotaRule.of("Trash", ignore=True)]
    client = talk(dovecot, [QuotaRoot.of("Archive", 10240, rules=rules)])
    trash = client.world.store.users["tss"].create_mailbox("Trash")
    trash.deliver(b"x" * 5000)
    assert client.say(GET) == (b"Archive\tSTORAGE\t8\t10\t80\tArchive\tMESSAGE\t2\t-\t0\t\n+\n")
    mail = b"x" * 3000
    assert client.say(b"\ttss\tsave\n%b\n.\n" % mail) == b"\n-UNKNOWN\n"
    assert client.say(b"\ttss\tsave\t-m\tTrash\n%b\n.\n" % mail) == b"\n+\n"
    assert client.say(b"\ttss\tsave\t-m\tSent\n%b\n.\n" % mail) == b"\n+\n"
    assert client.say(b"\ttss\tsave\t-m\tSent\n%b\n.\n" % mail) == b"\n-UNKNOWN\n"


def test_an_import_counts_what_imports_have_put_where_the_user_cannot_see_it() -> None:
    client = talk("2.3.19.1", [QuotaRoot("Archive", storage=10240 + 1024)])
    client.world.store.users["alice"].create_mailbox("Sent").deliver(b"x" * 900)
    line = b"\ttss\timport\t-U\talice\tmdbox:~/mdbox\tNew\tall\n"
    assert client.say(line) == b"\n-TEMPFAIL\n"
    refused = [entry for entry in client.log if "Quota exceeded" in entry]
    assert [entry.partition("box=")[2].partition(" failed")[0] for entry in refused] == [
        "New/INBOX uid=1"
    ]
    client.world.store.users["tss"].quota_storage = 10240 + 2048
    assert client.say(line) == b"\n-TEMPFAIL\n"
    assert client.say(GET).startswith(b"Archive\tSTORAGE\t8\t12\t66\tArchive\tMESSAGE\t2\t")
    assert client.world.store.users["tss"].freeze().hidden == (
        ("New/Sent", (1800, 2)),
        ("New/INBOX", (2048, 2)),
    )


def test_rules_hold_for_what_is_stored_too() -> None:
    client = talk("2.2.13", [QuotaRoot("Archive", rules=(QuotaRule("Trash", ignore=True),))])
    client.world.store.users["tss"].create_mailbox("Trash").deliver(b"x" * 5000)
    assert client.say(GET).startswith(b"Archive\tSTORAGE\t8\t-\t0\tArchive\tMESSAGE\t2\t")


@pytest.mark.parametrize(
    ("dovecot", "speaker", "logged"),
    [
        ("2.3.19.1", "tss", "Copying box=INBOX uid={} failed"),
        ("2.4.1", "alice", "Mailbox INBOX: UID {}: Copying failed"),
    ],
)
def test_an_import_names_each_mail_without_room_and_goes_on(
    dovecot: str, speaker: str, logged: str
) -> None:
    client = talk(dovecot, [ONE, OTHER])
    alice = client.world.store.users["alice"]
    alice.mailbox("INBOX").deliver(b"x" * 2000)
    alice.create_mailbox("Sent").deliver(b"x" * 500)
    line = b"\ttss\timport\t-U\talice\tmdbox:~/mdbox\t\tall\n"
    assert client.say(line) == b"\n-TEMPFAIL\n"
    refused = [line for line in client.log if "Quota exceeded" in line]
    assert all(line.startswith(f"doveadm({speaker})") for line in refused)
    assert [logged.format(uid) in line for uid, line in zip((1, 3), refused, strict=True)] == [
        True
    ] * 2
    assert sent(client) == [500]


@pytest.mark.parametrize("dovecot", BOTH)
def test_there_is_nothing_to_recalculate(dovecot: str) -> None:
    client = talk(dovecot, [ONE, OTHER])
    before = client.say(GET)
    assert client.say(b"\ttss\tquota recalc\n") == b"\n+\n"
    assert client.say(GET) == before


@pytest.mark.parametrize(
    ("dovecot", "fields"),
    [
        ("2.3.19.1", b'"quota2_rule":"*:storage=2K:messages=7","quota3_rule":"*:messages=1"'),
        (
            "2.4.1",
            b'"quota/Archive/quota_storage_size":"2K","quota/Archive/quota_message_count":"7",'
            b'"quota/B c/quota_message_count":"1"',
        ),
    ],
)
def test_a_userdb_limits_roots_by_number_or_name(dovecot: str, fields: bytes) -> None:
    roots = [ONE, QuotaRoot.of("Archive", "2K", 7), QuotaRoot("B c", messages=1), QuotaRoot("D")]
    assert talk(dovecot, roots).say(b"\t\tuser\ttss\n").endswith(b",%b}}\n+\n" % fields)
