"""Commands that change mail, where no recording says so (measured on 2.3.19.1 and 2.4.1)."""

from __future__ import annotations

from random import Random

import pytest

from fakedove.dovecot.store import Store
from tests.sessions.talk import Talk, small_store


def two_users() -> Store:
    """Return a store with tss, who has little room left, and alice, who has two mails."""
    store = Store(random=Random(1))
    tss = store.add_user("tss", quota="1K")
    tss.create_mailbox("Sent")
    alice = store.add_user("alice").mailbox("INBOX")
    alice.deliver(b"Message-ID: <1>\n\n" + b"x" * 400, ["\\Seen"])
    alice.deliver(b"Message-ID: <1>\n\n" + b"x" * 700)
    return store


def talk(dovecot: str, store: Store | None = None) -> Talk:
    client = Talk(dovecot, store=store or two_users())
    client.hello(0)
    return client


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (b"fo(o", "Invalid characters in keyword"),
        (b"f\xc3\xb6", "8bit characters in keyword"),
        (b"k" * 51, "Keyword length too long"),
    ],
)
def test_bad_keywords_are_dataerr(words: bytes, text: str) -> None:
    client = talk("2.4.1")
    line = b"\ttss\tflags add\t%b\tmailbox\tINBOX\tall\n" % words
    assert client.say(line) == b"\n-DATAERR\n"
    assert client.log[-1].endswith(f"cmd flags add: Invalid keywords: {text}")


@pytest.mark.parametrize(
    ("dovecot", "answer"), [("2.3.19.1", b"\n-DATAERR\n"), ("2.4.1", b"\n+\n")]
)
def test_two_spaces_between_flags(dovecot: str, answer: bytes) -> None:
    assert talk(dovecot).say(b"\ttss\tflags add\t\\Seen  foo\tmailbox\tINBOX\n") == answer


def test_a_copy_takes_what_there_is_room_for() -> None:
    client = talk("2.4.1")
    assert client.say(b"\ttss\tcopy\tSent\tuser\talice\tall\n") == b"\n-UNKNOWN\n"
    sent = client.world.store.users["tss"].mailbox("Sent")
    assert [message.uid for message in sent.messages] == [1]
    assert client.world.store.users["alice"].mailbox("INBOX").message_count == 2
    assert "Copying message UID 2 from 'INBOX' failed: Quota exceeded" in client.log[-1]


def test_copying_own_mail_over_quota_crashes_when_it_is_copied() -> None:
    client = talk("2.4.1")
    client.world.store.users["tss"].mailbox("INBOX").deliver(b"x" * 700)
    assert client.say(b"\ttss\tcopy\tSent\tall\n") == b""
    assert not client.open
    assert client.world.store.users["tss"].mailbox("Sent").message_count == 1


@pytest.mark.parametrize(
    ("dovecot", "answer", "moved"),
    [
        ("2.2.13", b"\n-73\n", 1),
        ("2.3.19.1", b"\n+\n", 2),
        ("2.4.1", b"\n+\n", 2),
        ("main", b"", 0),
    ],
)
def test_moving_from_another_user_over_quota(dovecot: str, answer: bytes, moved: int) -> None:
    client = talk(dovecot)
    assert client.say(b"\ttss\tmove\tSent\tuser\talice\tmailbox\tINBOX\tall\n") == answer
    users = client.world.store.users
    assert users["tss"].mailbox("Sent").message_count == moved
    assert users["alice"].mailbox("INBOX").message_count == 2 - moved


def test_the_first_mail_moved_from_another_user_must_have_room() -> None:
    client = talk("2.4.1")
    client.world.store.users["tss"].mailbox("INBOX").deliver(b"x" * 700)
    assert client.say(b"\ttss\tmove\tSent\tuser\talice\tmailbox\tINBOX\tall\n") == b""
    assert client.world.store.users["alice"].message_count == 2


@pytest.mark.parametrize(
    ("dovecot", "open_after"), [("2.3.16", True), ("2.3.19.1", False), ("main", False)]
)
def test_a_source_user_who_does_not_exist(dovecot: str, open_after: bool) -> None:
    client = talk(dovecot)
    client.say(b"\ttss\tcopy\tSent\tuser\tnosuch\tall\n")
    assert client.open is open_after


@pytest.mark.parametrize(("dovecot", "copied"), [("2.3.19.1", 1), ("2.4.1", 0)])
def test_a_source_user_alone_is_all_her_mail(dovecot: str, copied: int) -> None:
    client = talk(dovecot)
    client.say(b"\ttss\tcopy\tSent\tUSER\talice\n")
    assert client.world.store.users["tss"].mailbox("Sent").message_count == copied


def test_a_mailbox_that_cannot_be_is_usage() -> None:
    client = talk("2.4.1")
    assert client.say(b"\ttss\tcopy\tA//b\tall\n") == b"\n-USAGE\n"
    assert client.say(b"\ttss\tsave\t-m\t\nx\n.\n") == b"\n-USAGE\n"
    assert client.log[-1].endswith("Failed to open mailbox : Invalid mailbox name: Name is empty")


def test_duplicates_by_message_id() -> None:
    client = talk("2.4.1")
    assert client.say(b"\talice\tdeduplicate\tall\n") == b"\n+\n"
    assert client.world.store.users["alice"].message_count == 2
    assert client.say(b"\talice\tdeduplicate\t-m\tall\n") == b"\n+\n"
    assert client.world.store.users["alice"].message_count == 1


def test_saving_at_a_place() -> None:
    client = talk("2.4.1")
    assert client.say(b"\ttss\tsave\t-U\t100\t-g\txyz\nx\n.\n") == b"\n+\n"
    assert client.say(b"\ttss\tsave\t-U\t50\t-r\t1700000000\nx\n.\n") == b"\n+\n"
    first, second = client.world.store.users["tss"].mailbox("INBOX").messages
    assert (first.uid, first.guid, second.uid) == (100, "xyz", 101)
    assert second.received.timestamp() == 1700000000


@pytest.mark.parametrize("option", [b"-r\tfoo", b"-r\t31-Feb-2024", b"-g\t", b"-U\t4294967296"])
def test_saving_kills_with_what_it_cannot_take(option: bytes) -> None:
    client = talk("2.4.1")
    client.say(b"\ttss\tsave\t%b\nx\n.\n" % option)
    assert not client.open
    assert client.world.store.users["tss"].message_count == 0


def test_import_makes_mailboxes_below_a_parent() -> None:
    client = talk("2.4.1")
    alice = client.world.store.users["alice"]
    line = b"\ttss\timport\t-s\tmdbox:%b/mdbox\tImp\tuid\t1\n" % alice.home.encode()
    assert client.say(line) == b"\n+\n"
    tss = client.world.store.users["tss"]
    assert tss.mailbox("Imp/INBOX").messages[0].guid == alice.mailbox("INBOX").messages[0].guid
    assert tss.mailbox("Imp/INBOX").subscribed
    assert "currently mail_alt_path is empty" in client.log[-1]


@pytest.mark.parametrize("dovecot", ["2.3.19.1", "2.4.1"])
def test_import_warns_of_alternative_storage_anew_when_its_owner_has_used_it(dovecot: str) -> None:
    client = talk(dovecot)
    line = b"\ttss\timport\tmdbox:%b/mdbox\tImp\tuid\t1\n"
    other = line % client.world.store.users["alice"].home.encode()
    own = line % client.world.store.users["tss"].home.encode()
    warned = []
    for asked in (other, other, b"\talice\tmailbox list\n", other, own, own):
        before = len(client.log)
        client.say(asked)
        warned.append(sum(": Original " in text for text in client.log[before:]))
    assert warned == [1, 0, 0, 1, 1, 1]


def test_import_of_no_driver_and_no_path_is_of_the_users_own_mail() -> None:
    client = talk("2.4.1")
    assert client.say(b"\talice\timport\t:\tImp\tall\n") == b"\n+\n"
    assert len(client.world.store.users["alice"].mailbox("Imp/INBOX").messages) == 2


@pytest.mark.parametrize(
    ("dovecot", "missed"),
    [
        ("2.3.19.1", "Mailbox x: Mailbox sync failed: Mailbox doesn't exist: x"),
        ("2.4.1", ""),
    ],
)
def test_import_misses_a_mailbox_that_it_names_where_nothing_is(dovecot: str, missed: str) -> None:
    client = Talk(dovecot, store=small_store())
    client.hello(0)
    line = b"\ttss\timport\tsdbox:~/none\tNew\tmailbox\t%b\tall\n"
    assert client.say(line % b"INBOX") == b"\n+\n"
    assert client.say(line % b"x") == (b"\n-NOTFOUND\n" if missed else b"\n+\n")
    assert "".join(client.log).endswith(missed)
    assert client.say(line % b"~x") == b"\n-USAGE\n"


def test_import_of_nowhere_is_empty() -> None:
    assert talk("2.3.19.1").say(b"\ttss\timport\tmaildir:~/x\tImp\tall\n") == b"\n+\n"


@pytest.mark.parametrize(
    ("dovecot", "location", "why"),
    [
        ("2.4.1", b":~/x/", "autodetection failed (home=/home/tss, mail_path=/home/tss/x) - Set"),
        ("2.4.1", b":x", "Mail storage autodetection failed (home=/home/tss, mail_path=x) - Set"),
        ("2.3.19.1", b":~/x:y", "Unknown setting: ~/x"),
        ("2.3.19.1", b"mdbox:~/x:ALT=~/y:z=1", "Unknown setting: z"),
        ("2.3.19.1", b"mdbox::LAYOUT=fs", "Root mail directory not given"),
        ("2.3.19.1", b":", "Ambiguous mail location setting, don't know what to do with it: : "),
    ],
)
def test_import_dies_of_a_location_that_is_none(dovecot: str, location: bytes, why: str) -> None:
    client = talk(dovecot)
    client.world.store.users["tss"].home = "/home/tss"
    assert client.say(b"\ttss\timport\t%b\tImp\tall\n" % location) == b""
    assert "Import namespace initialization failed: " in client.log[-1]
    assert why in client.log[-1]


@pytest.mark.parametrize("location", [b"mdbox:~/mdbox:ALT=~/alt", b"::", b"mdbox::"])
def test_import_of_2_4_wants_a_path_alone(location: bytes) -> None:
    client = talk("2.4.1")
    assert client.say(b"\ttss\timport\t%b\tImp\tall\n" % location) == b"\n-USAGE\n"


def test_import_that_names_the_alternative_storage_is_not_warned_of_it() -> None:
    client = talk("2.3.19.1")
    assert client.say(b"\talice\timport\tmdbox:~/mdbox:ALT=~/alt\t\tall\n") == b"\n+\n"
    assert client.log == []
    assert len(client.world.store.users["alice"].mailbox("INBOX").messages) == 4


@pytest.mark.parametrize("query", [b"all", b"nosuch"])
def test_import_looks_at_its_source_before_user_and_query(query: bytes) -> None:
    client = talk("2.4.1")
    assert client.say(b"\tnobody\timport\tbad\tImp\t%b\n" % query) == b"\n-USAGE\n"
    text = "Source (bad) should be in mail_driver:mail_path syntax"
    assert client.log[-1].endswith(f"cmd import: {text}")


@pytest.mark.parametrize(("end", "shown"), [(b"", ""), (b"/", ""), (b"//", "/")])
def test_import_leaves_out_a_slash_at_the_end_of_its_source(end: bytes, shown: str) -> None:
    client = talk("2.3.19.1")
    path = client.world.store.users["alice"].home + "/mdbox"
    line = b"\ttss\timport\tmdbox:%b%b\tImp\tuid\t1\n" % (path.encode(), end)
    assert client.say(line) == b"\n+\n"
    assert f"dbox {path}{shown}: Original ALT=" in client.log[-1]


def test_import_names_the_mailbox_that_has_no_room_for_a_mail() -> None:
    client = talk("2.3.19.1")
    path = client.world.store.users["alice"].home + "/mdbox"
    line = b"\ttss\timport\tmdbox:%b\tSent\tuid\t2\n" % path.encode()
    client.say(b"\ttss\tsave\n\n" + b"x" * 500 + b"\n.\n")
    assert client.say(line) == b"\n-TEMPFAIL\n"
    assert "Copying box=Sent/INBOX uid=2 failed: Quota exceeded" in client.log[-1]


def test_import_tells_of_each_mail_where_it_goes() -> None:
    client = talk("2.3.19.1")
    path = client.world.store.users["alice"].home + "/mdbox"
    client.say(b"D\ttss\timport\tmdbox:%b\tSent\tuid\t1\n" % path.encode())
    assert client.log[-1].endswith("Debug: import: box=Sent/INBOX uid=1")


def test_import_into_a_shared_folder_lists_what_is_shared() -> None:
    client = talk("2.4.1")
    client.say(b"\ttss\tacl set\tSent\tanyone\tlookup\n")
    path = client.world.store.users["alice"].home + "/mdbox"
    line = b"\ttss\timport\tmdbox:%b\tSent\tuid\t1\n" % path.encode()
    assert client.say(line) == b"\n+\n"
    assert "acl: dict commit failed" in client.log[-1]
    tss = client.world.store.users["tss"]
    assert tss.mailbox("Sent/INBOX").acl == tss.mailbox("Sent").acl != {}


@pytest.mark.parametrize("destination", [b"tcp:127.0.0.1:1", b"remote:foo", b"/x", b"zork:/x"])
def test_a_sync_with_nobody_fails(destination: bytes) -> None:
    client = talk("2.4.1")
    assert client.say(b"\ttss\tsync\t%b\n" % destination) == b"\n-TEMPFAIL\n"


def test_a_sync_server_keeps_the_connection() -> None:
    client = talk("2.4.1")
    greeting = client.say(b"\ttss\tdsync-server\n")
    assert greeting.startswith(b"\n+\nVERSION\tdsync\t3\t5\nHhostname\tsync_ns_prefix\t")
    assert client.say(b"\ttss\tquota get\n.\n.\n") == b""
    client.hang_up()
    assert not client.open
    assert client.log[-1].endswith("Error: read(<local>) failed: EOF (version not received)")


def test_attachments_become_keywords() -> None:
    client = talk("2.4.1")
    client.say(b"\ttss\tsave\nMIME-Version: 1.0\nContent-Disposition: attachment\n\nx\n.\n")
    client.say(b"\ttss\tsave\nContent-Disposition: inline\n\nx\n.\n")
    assert client.say(b"\ttss\trebuild attachments\tall\n") == b"1\tyes\t2\tno\t\n+\n"
    messages = client.world.store.users["tss"].mailbox("INBOX").messages
    assert [one.keywords for one in messages] == [("$HasAttachment",), ("$HasNoAttachment",)]


def test_attachments_are_not_looked_for_behind_a_wrong_name() -> None:
    client = talk("2.4.1")
    query = b"mailbox\tINBOX\tnot\t(\tmailbox\tSent/\tseen\t)"
    assert client.say(b"\ttss\trebuild attachments\t%b\n" % query).endswith(b"\n-USAGE\n")
    why = "Syncing mailbox Sent/ failed: Invalid mailbox name: Ends with hierarchy separator"
    assert client.log[-1].endswith(why)
    assert client.say(b"\ttss\trebuild attachments\tmailbox\tnosuch\n") == b"\n+\n"


@pytest.mark.parametrize(
    ("release", "number", "last_words"),
    [
        ("2.3.19.1", b"4294967296", "Invalid -n parameter number: 4294967296"),
        ("2.3.19.1", b"x", "Invalid -n parameter number: x"),
        ("2.4.1", b"4294967296", "assertion failed: (value >= 0 && value <= (4294967295U))"),
    ],
)
def test_index_dies_of_a_number_that_is_too_large(
    release: str, number: bytes, last_words: str
) -> None:
    client = talk(release)
    assert client.say(b"\tnobody\tindex\t-n\t%b\tINBOX\n" % number) == b""
    assert not client.open
    assert last_words in client.log[-1]
    assert talk(release).say(b"\ttss\tindex\t-n\t4294967295\tINBOX\n") == b"\n+\n"


@pytest.mark.parametrize("release", ["2.3.19.1", "2.4.1"])
@pytest.mark.parametrize(
    ("parent", "why"),
    [
        (b"x" * 256, b"Mailbox name too long"),
        (b"a\x7f\x01tb", b"Control characters not allowed in new mailbox names"),
    ],
)
def test_import_into_a_mailbox_that_cannot_be(release: str, parent: bytes, why: bytes) -> None:
    store = small_store()
    store.add_user("ann")
    talk = Talk(release, store=store)
    talk.hello(1)
    said = talk.say(b"\tann\timport\tmdbox:/home/tss/mdbox\t%b\tall\n" % parent)
    assert b"Couldn't create mailbox " in said
    assert why in said
    assert b"\n-USAGE\n" in said
    assert "x" * 256 not in str(store.users["ann"].mailboxes)


def test_a_deleted_inbox_comes_back_where_its_directory_is_left() -> None:
    client = talk("2.4.1")
    assert client.say(b"\ttss\tmailbox create\tINBOX/sub\n") == b"\n+\n"
    assert client.say(b"\ttss\tmailbox delete\tINBOX\n") == b"\n+\n"
    counts = client.say(b"\ttss\tmailbox status\tmessages\tINBOX*\n")
    assert counts == b"INBOX/sub\t0\tINBOX\t0\t\n+\n"
