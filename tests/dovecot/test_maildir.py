from __future__ import annotations

import mailbox
import os
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from fakedove.dovecot.mail_files import MailFiles
from fakedove.dovecot.mailbox_seed import MailboxSeed
from fakedove.dovecot.maildir import Maildir, read_maildir
from fakedove.errors import StoreError

NOW = datetime(2024, 5, 1, 12, tzinfo=UTC)
WRITTEN = datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)


def read(root: Path) -> Maildir:
    return read_maildir(root, owner="ann", now=NOW, files=MailFiles())


def boxes(root: Path) -> dict[str, MailboxSeed]:
    return {box.name: box for box in read(root).mailboxes}


def make(root: Path, *mails: str, lists: dict[str, str] | None = None) -> Path:
    """Make a folder with mails (`cur/NAME`) and Dovecot's files."""
    for one in ("cur", "new", "tmp"):
        (root / one).mkdir(parents=True, exist_ok=True)
    for name in mails:
        (root / name).write_bytes(b"Subject: x\r\n\r\n%b\n" % name.encode())
        os.utime(root / name, (WRITTEN.timestamp(), WRITTEN.timestamp()))
    for name, text in (lists or {}).items():
        (root / name).write_text(text)
    return root


def test_the_tree_that_a_real_server_wrote(tmp_path: Path) -> None:
    """File names and lists as 2.3.19.1 left them."""
    saved = "1795313741.M378972P8299.vm,S=17,W=20"
    make(
        tmp_path,
        f"new/{saved}",
        "new/1700000000.P1.foreign",
        lists={
            "dovecot-uidlist": f"3 V1795313743 N1 G65cf9b0e4d50026b6820000083ecc375\n1 :{saved}\n",
            "subscriptions": "V\t2\n\nDrafts\t2024\nTy&APY-\t&AMQA5A-ni\nSent\n",
        },
    )
    make(
        tmp_path / ".Drafts.2024",
        "new/1795313741.M481262P8302.vm,S=17,W=20:2,DSab",
        lists={"dovecot-keywords": "0 Work\n1 $Forwarded\n"},
    )
    make(tmp_path / ".Ty&APY-.&AMQA5A-ni")
    tree = read(tmp_path)
    assert tree.subscriptions == ("Drafts/2024", "Työ/Ääni", "Sent")
    inbox, drafts, last = tree.mailboxes
    assert (inbox.name, drafts.name, last.name) == ("INBOX", "Drafts/2024", "Työ/Ääni")
    assert (inbox.guid, inbox.uidvalidity) == ("65cf9b0e4d50026b6820000083ecc375", 1795313743)
    # The number in the list's head is behind.
    assert [one.uid for one in inbox.messages] == [1, 2]
    assert inbox.uidnext == 3
    (draft,) = drafts.messages
    assert (draft.flags, draft.keywords) == (("\\Seen", "\\Draft"), ("Work", "$Forwarded"))
    assert drafts.keywords == ("Work", "$Forwarded")


def test_mails_are_received_when_their_file_was_written(tmp_path: Path) -> None:
    (mail,) = boxes(make(tmp_path, "cur/1.a"))["INBOX"].messages
    assert (mail.received, mail.saved) == (WRITTEN, NOW)


def test_sizes_are_those_of_the_content(tmp_path: Path) -> None:
    (mail,) = boxes(make(tmp_path, "cur/1.a,S=5,W=5"))["INBOX"].messages
    assert mail.data == b"Subject: x\n\ncur/1.a,S=5,W=5\n"
    assert mail.physical_size == len(mail.data)
    assert mail.virtual_size == len(mail.data) + 3


def test_mails_that_the_list_does_not_have_come_last_by_number(tmp_path: Path) -> None:
    make(
        tmp_path,
        *("cur/20.b:2,S", "cur/abc:2,T", "new/10.c", "cur/5.d:2,F", "new/10.a"),
        lists={"dovecot-uidlist": "3 V7 N40\n12 :20.b\n30 W9 S8 P001 :gone\n"},
    )
    inbox = boxes(tmp_path)["INBOX"]
    assert [(one.uid, one.data.split(b"\n")[2]) for one in inbox.messages] == [
        (12, b"cur/20.b:2,S"),
        (40, b"cur/abc:2,T"),
        (41, b"cur/5.d:2,F"),
        (42, b"new/10.a"),
        (43, b"new/10.c"),
    ]
    assert (inbox.uidvalidity, inbox.uidnext) == (7, 44)


def test_guids_are_those_of_the_list_or_derived_from_the_name(tmp_path: Path) -> None:
    make(
        tmp_path,
        *("cur/1.a", "cur/2.b", "cur/3.c"),
        lists={"dovecot-uidlist": f"3 V7 N4\n1 G{'0' * 32} :1.a\n2 Gshort :2.b\n3 :3.c\n"},
    )
    make(tmp_path / ".Sent", "cur/3.c")
    found = boxes(tmp_path)
    first, second, third = found["INBOX"].messages
    assert first.guid == "0" * 32
    assert re.fullmatch("[0-9a-f]{32}", second.guid)
    # The same name is the same mail, as Dovecot has it.
    assert found["Sent"].messages[0].guid == third.guid != second.guid
    assert found == boxes(tmp_path)


def test_a_list_of_the_first_version(tmp_path: Path) -> None:
    make(tmp_path, "cur/1.a", lists={"dovecot-uidlist": "1 1795313744 9\n4 1.a\n"})
    inbox = boxes(tmp_path)["INBOX"]
    assert (inbox.uidvalidity, inbox.uidnext, inbox.messages[0].uid) == (1795313744, 9, 4)


def test_letters_without_a_keyword_are_called_as_dovecot_calls_them(tmp_path: Path) -> None:
    make(tmp_path, "cur/1.a:2,FSPac", lists={"dovecot-keywords": "2 Work\n"})
    (mail,) = boxes(tmp_path)["INBOX"].messages
    assert (mail.flags, mail.keywords) == (("\\Flagged", "\\Seen"), ("unknown-0", "Work"))


def test_subscriptions_of_the_first_version(tmp_path: Path) -> None:
    make(tmp_path, lists={"subscriptions": "Drafts.2024\nTy&APY-.&AMQA5A-ni\n"})
    assert read(tmp_path).subscriptions == ("Drafts/2024", "Työ/Ääni")


def test_a_name_that_is_no_modified_utf_7_is_taken_as_it_is(tmp_path: Path) -> None:
    make(make(tmp_path) / ".Tom & Ann")
    assert list(boxes(tmp_path)) == ["INBOX", "Tom & Ann"]


def test_a_tree_without_inbox(tmp_path: Path) -> None:
    make(tmp_path / ".Sent")
    assert list(boxes(tmp_path)) == ["Sent"]


def test_what_pythons_mailbox_module_writes(tmp_path: Path) -> None:
    written = mailbox.Maildir(tmp_path / "ann", factory=None)
    message = mailbox.MaildirMessage(b"Subject: hi\n\nhello\n")
    message.set_flags("RS")
    message.set_subdir("cur")
    written.add(message)
    sent = written.add_folder("Sent")
    for _ in range(12):
        sent.add(b"Subject: one\n\nof many\n")
    found = boxes(tmp_path / "ann")
    (mail,) = found["INBOX"].messages
    assert (mail.data, mail.flags) == (b"Subject: hi\n\nhello\n", ("\\Answered", "\\Seen"))
    assert [one.uid for one in found["Sent"].messages] == list(range(1, 13))
    assert len({id(one.data) for one in found["Sent"].messages}) == 1
    assert len({one.guid for one in found["Sent"].messages}) == 12


@pytest.mark.parametrize(
    ("name", "text", "error"),
    [
        ("dovecot-uidlist", "4 V1\n", "line 1: must be 3 V<uidvalidity> N<uidnext> G<guid>"),
        ("dovecot-uidlist", "\n", "line 1: must be 3 V<uidvalidity> N<uidnext> G<guid>"),
        ("dovecot-uidlist", "3 V0 N1\n", "line 1: UIDVALIDITY must be 1 or more and fit 32 bits"),
        ("dovecot-uidlist", "3 V1 N1\n1 a\n", "line 2: must be <uid> :<file name>"),
        ("dovecot-uidlist", "3 V1 N1\n2 :a\n2 :b\n", "line 3: UID 2 must be above 2"),
        ("dovecot-keywords", "x y\n", "line 1: must be <number> <keyword>, with a number from 0"),
        ("dovecot-keywords", "26 y\n", "line 1: must be <number> <keyword>, with a number from 0"),
        ("dovecot-keywords", "0 a\n1 (\n", 'line 2: "(" cannot be a keyword'),
    ],
)
def test_what_dovecot_would_not_write_is_refused(
    tmp_path: Path, name: str, text: str, error: str
) -> None:
    make(tmp_path, lists={name: text})
    with pytest.raises(StoreError, match="^" + re.escape(f"{tmp_path / name}: {error}")):
        read(tmp_path)


def test_what_is_no_maildir_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mails").mkdir()
    with pytest.raises(StoreError, match=r"mails is no Maildir: it has neither cur nor new$"):
        read(tmp_path / "mails")
    with pytest.raises(StoreError, match=r"none cannot be read: No such file or directory$"):
        read(tmp_path / "none")
    make(tmp_path / ".a..b")
    with pytest.raises(StoreError, match=r'/\.a\.\.b: "a//b" is no mailbox name: it has an empty'):
        read(tmp_path)
