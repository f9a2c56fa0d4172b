"""What a store file says is what the commands answer."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from fakedove.dovecot.clock import Clock
from fakedove.dovecot.store import Store
from fakedove.dovecot.store_file import load_store
from tests.sessions.talk import Talk

_FILE = r"""
[dict]
"shared/motd" = "Mail works today."

[files]
"mail/new.eml" = "Subject: new\n"

[[session]]
user = "ann"
service = "pop3"
pid = 4711
ip = "192.0.2.1"

[[user]]
name = "ann"
uid = 5001
gid = 5002
home = "/srv/ann"
quota_storage = "1M"
quota_messages = 100
subscriptions = ["Gone"]
userdb = { color = "blue" }
sieve = { scripts = { main = "main.sieve" }, active = "main" }

[[user.mailbox]]
name = "Sent/2024"
guid = "0123456789abcdef0123456789abcdef"
uidvalidity = 42
uidnext = 20
highestmodseq = 77
special_use = "\\Sent"
subscribed = true
metadata = { "/shared/comment" = "old" }
acl = { "user=bob" = ["lookup", "read"] }

[[user.mailbox.mail]]
text = "Subject: hi\n\nhello\n"
flags = ["\\Seen", "Work"]
received = 2024-01-02T03:04:05Z
saved = 2024-01-03T03:04:05Z
uid = 7
guid = "fedcba9876543210fedcba9876543210"
"""


@pytest.fixture
def store(tmp_path: Path) -> Store:
    (tmp_path / "main.sieve").write_text("keep;\n")
    (tmp_path / "store.toml").write_text(_FILE)
    return load_store(tmp_path / "store.toml", clock=Clock(datetime(2024, 5, 1, tzinfo=UTC)))


@pytest.mark.parametrize("release", ["2.3.19.1", "2.4.1"])
@pytest.mark.parametrize(
    ("command", "answer"),
    [
        (b"mailbox list", b"Sent\tSent/2024\tINBOX\t"),
        (b"mailbox list\t-s", b"Sent/2024\tGone\t"),
        (
            b"mailbox status\tuidnext uidvalidity highestmodseq guid firstsaved vsize\tSent/2024",
            b"Sent/2024\t20\t42\t77\t22\t0123456789abcdef0123456789abcdef\t1704251045\t",
        ),
        (b"mailbox metadata get\tSent/2024\t/private/specialuse", b"\\Sent\t"),
        (b"mailbox metadata get\tSent/2024\t/shared/comment", b"old\t"),
        (b"acl get\tSent/2024", b"user=bob\t\tlookup read\t"),
        (
            b"fetch\tuid guid flags date.received date.saved\tmailbox\tSent/2024",
            b"7\tfedcba9876543210fedcba9876543210\t\\Seen \\Recent Work\t"
            b"2024-01-02 03:04:05\t2024-01-03 03:04:05\t",
        ),
        (
            b"quota get",
            b"User quota\tSTORAGE\t1\t1024\t0\tUser quota\tMESSAGE\t1\t100\t1\t",
        ),
        (b"sieve list", b"main\tACTIVE\t"),
        (b"who", b"ann\t1\tpop3\t(4711)\t(192.0.2.1)\t"),
    ],
)
def test_it_is_what_commands_answer(
    store: Store, release: str, command: bytes, answer: bytes
) -> None:
    talk = Talk(release, store=store)
    talk.hello(0)
    assert talk.say(b"\tann\t%b\n" % command) == answer + b"\n+\n"


def test_userdb_fields_are_in_the_answer_of_user(store: Store) -> None:
    talk = Talk("2.4.1", store=store)
    talk.hello(0)
    answer = talk.say(b"\t\tuser\tann\n")
    assert b'"uid":"5001","gid":"5002","home":"/srv/ann"' in answer
    assert b'"quota_storage_size":"1M","color":"blue"' in answer


def test_dict_and_files_are_there(store: Store) -> None:
    talk = Talk("2.3.19.1", store=store)
    talk.hello(0)
    assert b"Mail works today." in talk.say(b"\t\tdict get\tfile:dict\tshared/motd\n")
    assert store.files == {"mail/new.eml": b"Subject: new\n"}
