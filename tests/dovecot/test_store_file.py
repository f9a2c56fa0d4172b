from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from fakedove.dovecot.clock import Clock
from fakedove.dovecot.quota_roots import QuotaRoot
from fakedove.dovecot.quota_rules import QuotaRule
from fakedove.dovecot.store import LoginSession, Store
from fakedove.dovecot.store_file import DEMO_STORE, load_store
from fakedove.errors import StoreError

RECORDED = Path(__file__).parents[2] / "fixtures" / "stores" / "recorded" / "store.toml"
NOW = datetime(2024, 5, 1, 12, tzinfo=UTC)


def load(folder: Path, text: str) -> Store:
    path = folder / "store.toml"
    path.write_text(text, encoding="utf-8")
    return load_store(path, clock=Clock(NOW))


# The recorded store: what the real servers said of it


@pytest.fixture(scope="module")
def recorded() -> Store:
    return load_store(RECORDED, directory="/srv/mail")


def test_recorded_users_are_in_the_order_of_the_file(recorded: Store) -> None:
    assert list(recorded.users) == ["tss", "alice", "joe@example.com", "bob", "full", "huge"]


def test_recorded_listing(recorded: Store) -> None:
    listing = recorded.users["tss"].listing()
    assert [name for name, _ in listing] == [
        *("Trash", "Työ", "Työ/Ääni €", "Sent", "Archive", "Archive/2024", "INBOX")
    ]
    assert [name for name, box in listing if box is None] == ["Työ"]
    assert list(recorded.users["tss"].subscriptions) == [
        *("Archive", "Archive/2024", "Sent", "Työ/Ääni €")
    ]


@pytest.mark.parametrize(
    ("name", "messages", "uidnext", "uidvalidity", "unseen", "highestmodseq", "size", "guid"),
    [
        ("INBOX", 4, 5, 1700005000, 2, 11, 25432, "06007473730000000000000000000000"),
        ("Archive", 0, 1, 1700005001, 0, 2, 0, "06017473730000000000000000000000"),
        ("Archive/2024", 3, 4, 1700005002, 2, 4, 765, "06027473730000000000000000000000"),
        ("Sent", 0, 1, 1700005003, 0, 1, 0, "06037473730000000000000000000000"),
        ("Työ/Ääni €", 1, 2, 1700005004, 1, 2, 13, "06047473730000000000000000000000"),
        ("Trash", 0, 1, 1700005005, 0, 1, 0, "06057473730000000000000000000000"),
    ],
)
def test_recorded_status(
    recorded: Store,
    name: str,
    messages: int,
    uidnext: int,
    uidvalidity: int,
    unseen: int,
    highestmodseq: int,
    size: int,
    guid: str,
) -> None:
    box = recorded.users["tss"].mailbox(name)
    assert box.message_count == box.recent == messages
    assert (box.uidnext, box.uidvalidity, box.unseen) == (uidnext, uidvalidity, unseen)
    assert (box.highestmodseq, box.virtual_size, box.guid) == (highestmodseq, size, guid)


@pytest.mark.parametrize(
    ("name", "kilobytes", "limit", "messages"),
    [("tss", 26, 1048576, 8), ("alice", 25, 10240, 2), ("joe@example.com", 1, 1048576, 1)],
)
def test_recorded_quota(
    recorded: Store, name: str, kilobytes: int, limit: int, messages: int
) -> None:
    user = recorded.users[name]
    assert -(-user.quota_used // 1024) == kilobytes
    assert user.quota_storage == limit * 1024
    assert user.message_count == messages


def test_recorded_rest(recorded: Store) -> None:
    tss = recorded.users["tss"]
    assert tss.home == "/srv/mail/home/tss"
    assert tss.sieve_active == "main"
    assert tss.sieve_scripts["main"].startswith(b'require "fileinto";')
    assert tss.mailbox("INBOX").metadata["/private/specialuse"] == "\\Sent"
    assert tss.mailbox("Archive").acl == {"user=alice": ("lookup", "read")}
    second = tss.mailbox("INBOX").messages[1]
    assert (second.flags, second.keywords) == (("\\Flagged", "\\Seen"), ("$Forwarded", "Work"))
    assert second.received == datetime(2024, 1, 2, 9, 22, 40, tzinfo=UTC)
    assert second.modseq == 11
    assert recorded.users["full"].quota_grace == 0
    assert recorded.dict["shared/b"] == "value\tb"
    assert recorded.files["fs/sub/two"] == b"2"


def test_copies_share_their_bytes_and_have_their_own_guids(recorded: Store) -> None:
    messages = recorded.users["huge"].mailbox("INBOX").messages
    assert [message.uid for message in messages] == list(range(1, 61))
    assert len({id(message.data) for message in messages}) == 1
    assert len({message.guid for message in messages}) == 60


def test_the_same_file_gives_the_same_guids(recorded: Store) -> None:
    again = load_store(RECORDED)
    assert [message.guid for message in again.users["tss"].mailbox("INBOX").messages] == [
        message.guid for message in recorded.users["tss"].mailbox("INBOX").messages
    ]


# The demo store


def test_the_demo_store_has_something_for_every_command() -> None:
    store = load_store()
    ann = store.users["ann"]
    assert ann.mailbox("INBOX").message_count > ann.mailbox("INBOX").unseen > 0
    assert ann.mailbox("Trash").deleted > 0
    assert dict(ann.listing())["Archive"] is None
    assert store.users["bob@example.com"].quota_messages == 100
    carol = store.users["carol"]
    assert carol.quota_storage is not None
    assert carol.quota_used > carol.quota_storage
    assert [session.user for session in store.sessions] == ["ann"]
    assert store.dict
    assert store.files


def test_the_mails_of_the_demo_store_are_whole() -> None:
    mails = sorted((DEMO_STORE.parent / "mail").iterdir())
    assert mails
    for mail in mails:
        data = mail.read_bytes()
        assert data.count(b"\n") == data.count(b"\r\n")
        assert b"\r\n\r\n" in data


# What a file may say


def test_an_empty_file_is_an_empty_store(tmp_path: Path) -> None:
    store = load(tmp_path, "")
    assert len(store.users) == 0


def test_quota_roots(tmp_path: Path) -> None:
    store = load(
        tmp_path,
        """
        [[user]]
        name = "ann"
        [[user.quota]]
        name = "User quota"
        storage = "10M"
        messages = 5
        grace = "10%"
        [[user.quota.rule]]
        mailbox = "Trash"
        storage = "10%"
        messages = 2
        [[user.quota.rule]]
        mailbox = "inbox"
        storage = "-1M"
        [[user.quota]]
        name = "Archive"
        [[user.quota.rule]]
        mailbox = "Spam*"
        ignore = true
        """,
    )
    rules = (QuotaRule.of("Trash", storage="10%", messages=2), QuotaRule.of("INBOX", storage="-1M"))
    assert store.users["ann"].quota_roots == (
        QuotaRoot("User quota", storage=10485760, messages=5, grace=1048576, rules=rules),
        QuotaRoot("Archive", rules=(QuotaRule("Spam*", ignore=True),)),
    )


def test_everything_has_a_default(tmp_path: Path) -> None:
    user = load(tmp_path, '[[user]]\nname = "ann"\n[[user.mailbox]]\nname = "Sent"').users["ann"]
    assert (user.password, user.uid, user.gid, user.home) == ("pass", 5000, 5000, "/home/ann")
    assert (user.quota_storage, user.quota_messages, user.quota_grace) == (None, None, None)
    assert list(user.mailboxes) == ["INBOX", "Sent"]
    assert user.mailbox("Sent").uidvalidity == 1700000000


def test_mail_by_text_with_everything_given(tmp_path: Path) -> None:
    store = load(
        tmp_path,
        """
        [[user]]
        name = "ann"
        quota_storage = 4096
        quota_grace = "10%"
        quota_messages = 7
        subscriptions = ["gone"]
        userdb = { quota_rule = "x", nice = true, level = 3 }
        passdb = { nologin = "y", host = "10.0.0.1" }
        [[user.mailbox]]
        name = "inbox"
        subscribed = true
        [[user.mailbox.mail]]
        text = "Subject: ä"
        flags = ["\\\\draft", "Note"]
        received = 2024-01-01T10:00:00+02:00
        saved = 2024-01-02T10:00:00
        uid = 9
        guid = "0123456789ABCDEF0123456789abcdef"
        [[user.mailbox.mail]]
        text = "second"
        [[session]]
        user = "ann"
        service = "pop3"
        pid = 5
        ip = "::1"
        """,
    )
    ann = store.users["ann"]
    assert (ann.quota_storage, ann.quota_grace, ann.quota_messages) == (4096, 409, 7)
    assert list(ann.subscriptions) == ["INBOX", "gone"]
    assert ann.userdb == {"quota_rule": "x", "nice": "yes", "level": "3"}
    assert ann.passdb == {"nologin": "y", "host": "10.0.0.1"}
    first, second = ann.mailbox("INBOX").messages
    assert (first.uid, first.guid) == (9, "0123456789abcdef" * 2)
    assert first.data == "Subject: ä".encode()
    assert (first.flags, first.keywords) == (("\\Draft",), ("Note",))
    assert first.received == datetime(2024, 1, 1, 8, tzinfo=UTC)
    assert first.saved == datetime(2024, 1, 2, 10, tzinfo=UTC)
    assert (second.uid, second.received, second.saved) == (10, NOW, NOW)
    assert store.sessions == [LoginSession("ann", "pop3", 5, "::1")]


def test_the_folder_stays_a_placeholder_until_it_is_given() -> None:
    assert load_store(RECORDED).users["bob"].home == "{{dir}}/home/bob"


def test_counters_and_settings_of_a_mailbox(tmp_path: Path) -> None:
    store = load(
        tmp_path,
        """
        [[user]]
        name = "ann"
        [[user.mailbox]]
        name = "Sent"
        uidnext = 20
        highestmodseq = 77
        special_use = "\\\\Sent"
        [[user.mailbox.mail]]
        text = "first"
        uid = 7
        alternative = true
        """,
    )
    sent = store.users["ann"].mailbox("Sent")
    assert (sent.uidnext, sent.highestmodseq, sent.special_use) == (20, 77, "\\Sent")
    (first,) = sent.messages
    assert (first.uid, first.modseq, first.alternative) == (7, 77, True)
    assert sent.deliver(b"second").uid == 20


def test_a_folder_of_mails_comes_before_single_ones(tmp_path: Path) -> None:
    (tmp_path / "mails").mkdir()
    for name in ("b.eml", "a.eml"):
        (tmp_path / "mails" / name).write_text(name)
    inbox = 'folder = "mails/"\n[[user.mailbox.mail]]\ntext = "last"'
    messages = load(tmp_path, MAILBOX + inbox).users["ann"].mailbox("INBOX").messages
    assert [(one.uid, one.data) for one in messages] == [
        (1, b"a.eml"),
        (2, b"b.eml"),
        (3, b"last"),
    ]
    assert {one.received for one in messages} == {NOW}


def test_a_table_adds_to_the_mailbox_of_a_maildir(tmp_path: Path) -> None:
    for folder in ("ann/cur", "ann/.Sent/cur"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "ann" / "cur" / "1.a:2,S").write_text("from the tree")
    (tmp_path / "ann" / "dovecot-uidlist").write_text(f"3 V42 N10 G{'a' * 32}\n8 :1.a\n")
    (tmp_path / "ann" / "subscriptions").write_text("V\t2\n\nSent\n")
    ann = load(
        tmp_path,
        """
        [[user]]
        name = "ann"
        maildir = "ann"
        [[user.mailbox]]
        name = "Trash"
        subscribed = true
        [[user.mailbox]]
        name = "INBOX"
        metadata = { "/private/comment" = "both" }
        [[user.mailbox.mail]]
        text = "from the table"
        """,
    ).users["ann"]
    assert list(ann.mailboxes) == ["INBOX", "Sent", "Trash"]
    assert list(ann.subscriptions) == ["Sent", "Trash"]
    inbox = ann.mailbox("INBOX")
    assert (inbox.uidvalidity, inbox.guid) == (42, "a" * 32)
    assert inbox.metadata == {"/private/comment": "both"}
    assert [(one.uid, one.flags, one.data) for one in inbox.messages] == [
        (8, ("\\Seen",), b"from the tree"),
        (10, (), b"from the table"),
    ]
    assert ann.mailbox("Trash").uidvalidity == 1700000002


# What a file may not say

USER = '[[user]]\nname = "ann"\n'
ROOT = USER + "[[user.quota]]\n"
RULE = ROOT + 'name = "A"\nstorage = 9\n[[user.quota.rule]]\n'
MAILBOX = USER + '[[user.mailbox]]\nname = "INBOX"\n'
MAIL = MAILBOX + '[[user.mailbox.mail]]\ntext = "x"\n'


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("users = 1", 'users: is not known; did you mean "user"?'),
        ("user = 1", "user: must be a list, not a number (1)"),
        ('[user]\nname = "a"', "user: must be a list; write [[user]], not a table"),
        ("user = [1]", "user[0]: must be a table, not a number (1)"),
        ("[[user]]\nuid = 1", 'user[0].name: is missing, for example name = "..."'),
        ('[[user]]\nname = ""', "user[0].name: must not be empty"),
        (USER + USER, 'user[1].name: "ann" is the name of user[0] already'),
        (USER + "passwort = 1", 'user[0].passwort: is not known; did you mean "password"?'),
        (USER + "password = 1", "user[0].password: must be text in quotes"),
        (USER + "password = []", "user[0].password: must be text, not a list"),
        (USER + 'uid = "5000"', "user[0].uid: must be a whole number, not text"),
        (USER + "uid = true", "user[0].uid: must be a whole number, not true or false"),
        (USER + "uid = -1", "user[0].uid: must be 0 or more, not -1"),
        (USER + "userdb = { a = [] }", "user[0].userdb.a: must be text, not a list"),
        (USER + 'quota_storage = "1X"', 'user[0].quota_storage: "1X" has the unknown unit "X"'),
        (USER + "quota_storage = 1.5", "user[0].quota_storage: must be a size"),
        (USER + 'quota_grace = "x"', 'user[0].quota_grace: "x" is no size'),
        (USER + 'quota = "1G"', "user[0].quota: must be a list, not text"),
        (
            USER + "[user.quota]\nstorage = 1",
            "user[0].quota: must be a list; write [[user[0].quota]]",
        ),
        (ROOT + 'name = ""', "user[0].quota[0].name: must not be empty"),
        (ROOT + "storage = 1", "user[0].quota[0].name: is missing"),
        (ROOT + 'limit = "1G"', "user[0].quota[0].limit: is not known; there is: name, storage,"),
        (
            ROOT + 'name = "A"\nstorage = "1X"',
            'user[0].quota[0].storage: "1X" has the unknown unit',
        ),
        (ROOT + 'name = "A"\ngrace = "1X"', 'user[0].quota[0].grace: "1X" has the unknown unit'),
        (ROOT + 'name = "A"\nmessages = "1"', "user[0].quota[0].messages: must be a whole number"),
        (
            ROOT + 'name = "A"\n[[user.quota]]\nname = "A"',
            'user[0].quota[1].name: "A" is the name of quota[0] already',
        ),
        (RULE, "user[0].quota[0].rule[0].mailbox: is missing"),
        (RULE + 'mailbox = "*"', "user[0].quota[0].rule[0].mailbox: a rule is for some mailboxes"),
        (
            RULE + 'mailbox = "B"\nstorage = "-5%"',
            'user[0].quota[0].rule[0].storage: "-5%" is no extra: a percentage must not be',
        ),
        (
            RULE + 'mailbox = "B"\nmessages = "1K"',
            'user[0].quota[0].rule[0].messages: "1K" is no extra: write a number',
        ),
        (
            RULE + 'mailbox = "B"\nmessages = 5',
            'user[0].quota[0].rule: the quota root "A" has no limit for messages that the rule for',
        ),
        (
            USER + 'quota_messages = 5\n[[user.quota]]\nname = "A"',
            "user[0].quota_messages: cannot stand beside [[user.quota]]; write it as messages",
        ),
        (USER + 'sieve = { active = "a" }', 'user[0].sieve.active: "a" is none of the scripts'),
        (USER + 'sieve.scripts = { a = "b.sieve" }', "user[0].sieve.scripts.a: "),
        (USER + 'subscriptions = "INBOX"', "user[0].subscriptions: must be a list, not text"),
        (MAILBOX + "uidvalidity = 0", "user[0].mailbox[0].uidvalidity: must be 1 or more, not 0"),
        (
            MAILBOX + "uidvalidity = 4294967296",
            "user[0].mailbox[0].uidvalidity: must be 4294967295 or less, not 4294967296",
        ),
        (
            MAILBOX + f'guid = "{"0" * 32}"\n[[user.mailbox]]\nname = "a"\nguid = "{"0" * 32}"',
            f'user[0].mailbox[1].guid: "{"0" * 32}" is that of mailbox "INBOX" already',
        ),
        (MAILBOX + "uidnext = 0", "user[0].mailbox[0].uidnext: must be 1 or more, not 0"),
        (
            MAILBOX + "uidnext = 9\n[[user.mailbox.mail]]\ntext = ''\nuid = 9",
            "user[0].mailbox[0].uidnext: must be 10 or more: UIDs below it are in use",
        ),
        (MAILBOX + "highestmodseq = 0", "user[0].mailbox[0].highestmodseq: must be 1 or more"),
        (
            MAILBOX + 'special_use = "\\\\sent"',
            'user[0].mailbox[0].special_use: "\\sent" is no special use; did you mean "\\Sent"?',
        ),
        (
            MAILBOX + 'metadata = { comment = "x" }',
            "user[0].mailbox[0].metadata.comment: is no key: it must begin with /private/ or",
        ),
        (
            MAILBOX + 'acl = { bob = ["read"] }',
            "user[0].mailbox[0].acl.bob: is no identifier: write anyone, authenticated, owner,",
        ),
        (
            MAILBOX + 'acl = { owner = ["reed"] }',
            'user[0].mailbox[0].acl.owner: "reed" is no right; did you mean "read"?',
        ),
        (MAILBOX + 'folder = "none"', "user[0].mailbox[0].folder: "),
        (USER + 'maildir = "none"', "user[0].maildir: "),
        (USER + "maildir = 1", "user[0].maildir: must be text in quotes"),
        (USER + "uid = 4294967295", "user[0].uid: must be 4294967294 or less, not 4294967295"),
        (
            USER + 'subscriptions = ["a", "b/"]',
            'user[0].subscriptions[1]: "b/" is no mailbox name: it has an empty level',
        ),
        (MAILBOX + 'guid = "06"', 'user[0].mailbox[0].guid: "06" is no GUID: it must be 32 hex'),
        (MAILBOX + "subscribed = 1", "user[0].mailbox[0].subscribed: must be true or false"),
        (MAILBOX + "metadata = 1", "user[0].mailbox[0].metadata: must be a table"),
        (MAILBOX + 'acl = { a = "r" }', "user[0].mailbox[0].acl.a: must be a list, not text"),
        (MAILBOX + "acl = { a = [1] }", "user[0].mailbox[0].acl.a[0]: must be text, not a number"),
        (
            MAILBOX + '[[user.mailbox]]\nname = "inbox"',
            'user[0].mailbox[1].name: "INBOX" is the name of mailbox[0] already',
        ),
        (
            USER + '[[user.mailbox]]\nname = "a//b"',
            'user[0].mailbox[0].name: "a//b" is no mailbox name: it has an empty level',
        ),
        (
            MAIL + 'flag = "x"',
            'user[0].mailbox[0].mail[0].flag: is not known; did you mean "flags"',
        ),
        (
            MAIL + 'flags = ["\\\\Recent"]',
            'user[0].mailbox[0].mail[0].flags: there is no flag "\\R',
        ),
        (MAIL + 'flags = "\\\\Seen"', "user[0].mailbox[0].mail[0].flags: must be a list, not text"),
        (MAIL + "flags = [1]", "user[0].mailbox[0].mail[0].flags[0]: must be text, not a number"),
        (MAIL + 'file = "a.eml"', "user[0].mailbox[0].mail[0].file: a mail has either a file or a"),
        (
            MAIL + 'received = "2024"',
            "user[0].mailbox[0].mail[0].received: must be a date and time",
        ),
        (MAIL + "received = 2024-01-01", "user[0].mailbox[0].mail[0].received: must be a date and"),
        (
            MAIL + "received = 10:00:00",
            "user[0].mailbox[0].mail[0].received: must be a date and time without quotes, "
            "as 2024-01-31T10:00:00Z, not a time",
        ),
        (MAIL + "alternative = 1", "user[0].mailbox[0].mail[0].alternative: must be true or"),
        (
            MAIL + "uid = 4294967295",
            "user[0].mailbox[0].mail[0].uid: leaves no UID for the next mail",
        ),
        (
            MAIL + "copies = 4294967295",
            "user[0].mailbox[0].mail[0].copies: leaves no UID for the next mail",
        ),
        (
            MAIL + 'flags = ["a b"]',
            'user[0].mailbox[0].mail[0].flags: "a b" cannot be a keyword: it must be an IMAP atom',
        ),
        (MAIL + "copies = 0", "user[0].mailbox[0].mail[0].copies: must be 1 or more, not 0"),
        (
            MAIL + f'copies = 2\nguid = "{"0" * 32}"',
            "user[0].mailbox[0].mail[0].guid: cannot be given for copies",
        ),
        (
            MAIL + '[[user.mailbox.mail]]\ntext = ""\nuid = 1',
            "user[0].mailbox[0].mail[1].uid: must be 2 or more here",
        ),
        (MAILBOX + "[[user.mailbox.mail]]", "user[0].mailbox[0].mail[0].file: a mail has either"),
        ("[[session]]\npid = 1", "session[0].user: is missing"),
        ('[[session]]\nuser = ""', "session[0].user: must not be empty"),
        ('[[session]]\nuser = "a"\npid = 0', "session[0].pid: must be 1 or more, not 0"),
        (
            '[[session]]\nuser = "a"\nip = "localhost"',
            'session[0].ip: "localhost" is no IP address: it must be "192.0.2.1" or',
        ),
        ('[[session]]\nuser = "a"\nips = ""', 'session[0].ips: is not known; did you mean "ip"'),
        ('[dict]\na = "1"', "dict.a: is no key: it must begin with priv/ or shared/"),
        ('[files]\n"/a" = "1"', "files./a: is no path below base_dir: write it as"),
        ('[files]\n"../a" = "1"', "files.../a: is no path below base_dir: write it as"),
        ('[files]\n"a//b" = "1"', "files.a//b: is no path below base_dir: write it as"),
        ('[files]\na = "1"\n"a/b" = "1"', 'files.a/b: lies below "a", which is a file'),
        ("[files]\na = [1]", "files.a: must be text, not a list"),
        ("[dict]\na = 1.5", "dict.a: must be text, not a number (1.5)"),
        ("a = ", "is not valid TOML: Invalid value (at end of document)"),
    ],
)
def test_errors_name_file_and_key(tmp_path: Path, text: str, error: str) -> None:
    with pytest.raises(StoreError, match="^" + re.escape(f"{tmp_path / 'store.toml'}: {error}")):
        load(tmp_path, text)


def test_a_missing_mail_is_named_with_its_path(tmp_path: Path) -> None:
    with pytest.raises(StoreError) as caught:
        load(tmp_path, MAILBOX + '[[user.mailbox.mail]]\nfile = "mail/a.eml"')
    assert str(caught.value) == (
        f"{tmp_path / 'store.toml'}: user[0].mailbox[0].mail[0].file: "
        f"{tmp_path / 'mail/a.eml'} cannot be read: No such file or directory"
    )


def test_a_missing_store_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "none.toml"
    with pytest.raises(StoreError, match=re.escape(f"{path}: cannot be read: No such file")):
        load_store(path)


def test_a_file_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "store.toml"
    path.write_bytes(b'a = "\xff"')
    with pytest.raises(StoreError, match="is not valid TOML"):
        load_store(path)
