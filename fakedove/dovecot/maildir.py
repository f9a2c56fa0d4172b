"""A Maildir tree as Dovecot leaves it on disk, read into mailboxes.

The tree is Maildir++: INBOX is the folder itself, `.Drafts.2024` in it is the mailbox
Drafts/2024, with names in modified UTF-7. Beside the mails these are read:

    dovecot-uidlist    `3 V<uidvalidity> N<uidnext> G<guid>`, then `<uid> [G<guid> ...] :<name>`
    dovecot-keywords   `<number> <keyword>`; 0 is the letter a in file names
    subscriptions      `V\\t2`, an empty line, then names with a TAB between levels;
                       without that head, names with dots

Each may be missing. Mails that the list does not have get the next UIDs in order of the
number that their name begins with. (Measured on trees that 2.3.19.1 wrote and read.)
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path

import msgspec

from fakedove.dovecot.guids import derived_guid, is_guid
from fakedove.dovecot.mail_files import MailFiles, readable
from fakedove.dovecot.mailbox_seed import FIRST_UIDVALIDITY, MailboxSeed, seed_mailbox
from fakedove.dovecot.message import Message, split_flags
from fakedove.dovecot.names import check_mailbox_name, from_mutf7
from fakedove.errors import StoreError

#: Folders of mails, in the order in which a name that is in both is found.
_FOLDERS = ("cur", "new")
_FLAGS = {"D": "\\Draft", "F": "\\Flagged", "R": "\\Answered", "S": "\\Seen", "T": "\\Deleted"}
_KEYWORD_LETTERS = "abcdefghijklmnopqrstuvwxyz"
#: The head of a list and its lines, in version 3 and in version 1.
_HEAD = re.compile(r"3 V([0-9]+) N([0-9]+)(?: G([0-9a-f]{32}))?(?: .*)?|1 ([0-9]+) ([0-9]+)")
_RECORD = re.compile(r"([0-9]+)((?: [^: ][^ ]*)*) :(.+)")
_OLD_RECORD = re.compile(r"([0-9]+)() (.+)")


class Maildir(msgspec.Struct, frozen=True):
    """What a tree holds."""

    mailboxes: tuple[MailboxSeed, ...]
    subscriptions: tuple[str, ...]


class _Entry(msgspec.Struct, frozen=True):
    """A mail's file: its name up to the flags, and the letters for these."""

    path: Path
    base: str
    letters: str


class _Listed(msgspec.Struct, frozen=True):
    """What the list says of a file."""

    uid: int
    guid: str | None


class _UidList(msgspec.Struct, frozen=True):
    """A mailbox's list of UIDs; None where it says nothing."""

    uidvalidity: int | None = None
    guid: str | None = None
    uidnext: int = 1
    records: Mapping[str, _Listed] = {}


def read_maildir(
    path: str | os.PathLike[str], *, owner: str, now: datetime, files: MailFiles
) -> Maildir:
    """Read the tree at `path` with the user `owner`'s mail, INBOX first.

    A mail is received when its file was written, and saved `now`. GUIDs that the tree does
    not have, or that are no 32 hex digits, are derived from names. Raises StoreError, which
    names the file.
    """
    root = Path(path)
    reader = _Reader(owner, now, files)
    boxes = (
        reader.mailbox(name, folder, FIRST_UIDVALIDITY + index)
        for index, (name, folder) in enumerate(_mailboxes(root))
    )
    return Maildir(tuple(boxes), tuple(_subscriptions(root / "subscriptions")))


class _Reader:
    """Reads one mailbox after the other."""

    def __init__(self, owner: str, now: datetime, files: MailFiles) -> None:
        self._owner = owner
        self._now = now
        self._files = files

    def mailbox(self, name: str, folder: Path, uidvalidity: int) -> MailboxSeed:
        """Return the mailbox in `folder`, with this UIDVALIDITY unless it has its own."""
        listed = _uid_list(folder / "dovecot-uidlist")
        keywords = _keywords(folder / "dovecot-keywords")
        messages = tuple(self._messages(folder, listed, keywords))
        modseq = 1 + len(messages) + sum(bool(message.keywords) for message in messages)
        return seed_mailbox(
            name,
            tuple(msgspec.structs.replace(message, modseq=modseq) for message in messages),
            guid=listed.guid or derived_guid(self._owner, name),
            uidvalidity=listed.uidvalidity or uidvalidity,
            uidnext=listed.uidnext,
            highestmodseq=modseq,
            keywords=tuple(keywords.values()),
        )

    def _messages(
        self, folder: Path, listed: _UidList, keywords: Mapping[str, str]
    ) -> Iterator[Message]:
        uidnext = listed.uidnext
        for entry in sorted(_entries(folder), key=lambda entry: _place(entry, listed)):
            record = listed.records.get(entry.base)
            if record is None:
                record = _Listed(uidnext, None)
                uidnext += 1
            yield self._message(entry, record, keywords)

    def _message(self, entry: _Entry, record: _Listed, keywords: Mapping[str, str]) -> Message:
        mail = self._files.mail(entry.path)
        named = record.guid or entry.base
        return Message(
            uid=record.uid,
            guid=named if is_guid(named) else derived_guid(named),
            flags=split_flags(_FLAGS[one] for one in entry.letters if one in _FLAGS)[0],
            keywords=tuple(_used(entry.letters, keywords)),
            received=mail.modified,
            saved=self._now,
            data=mail.data,
            virtual_size=mail.virtual_size,
            modseq=1,
        )


def _mailboxes(root: Path) -> Iterator[tuple[str, Path]]:
    """Yield names and folders of all mailboxes, INBOX first."""
    names = readable(root, os.listdir)
    below = sorted(name for name in names if name.startswith(".") and _is_mailbox(root / name))
    if not _is_mailbox(root) and not below:
        raise StoreError(f"{root} is no Maildir: it has neither cur nor new")
    if _is_mailbox(root):
        yield "INBOX", root
    for folder in (root / name for name in below):
        name = _decoded(folder.name[1:], ".")
        try:
            check_mailbox_name(name)
        except StoreError as error:
            raise StoreError(f"{folder}: {error}") from None
        yield name, folder


def _is_mailbox(folder: Path) -> bool:
    return any((folder / one).is_dir() for one in _FOLDERS)


def _decoded(name: str, separator: str) -> str:
    """Return a mailbox's name; a level that is no modified UTF-7 is taken as it is."""
    levels = name.split(separator)
    return "/".join(from_mutf7(os.fsencode(level)) or level for level in levels)


def _entries(folder: Path) -> Iterator[_Entry]:
    for path in (folder / one for one in _FOLDERS if (folder / one).is_dir()):
        for name in readable(path, os.listdir):
            if not name.startswith(".") and (path / name).is_file():
                base, _, letters = name.partition(":2,")
                yield _Entry(path / name, base, letters)


def _place(entry: _Entry, listed: _UidList) -> tuple[int, int, str]:
    """Return where a mail stands among the others: those of the list by UID, then the rest."""
    record = listed.records.get(entry.base)
    if record is not None:
        return 0, record.uid, ""
    number = re.match("[0-9]*", entry.base)
    return 1, int(number[0] or 0) if number else 0, entry.base


def _used(letters: str, keywords: Mapping[str, str]) -> Iterator[str]:
    """Yield the keywords that a file name has letters for, as 2.3.19.1 calls unknown ones."""
    for number, letter in enumerate(_KEYWORD_LETTERS):
        if letter in letters:
            yield keywords.get(letter, f"unknown-{number}")


def _keywords(path: Path) -> dict[str, str]:
    """Return the keywords by their letters."""
    keywords = {}
    for number, line in enumerate(_lines(path), start=1):
        index, _, word = line.partition(" ")
        if not (index.isascii() and index.isdecimal() and int(index) < len(_KEYWORD_LETTERS)):
            raise _bad_line(path, number, "<number> <keyword>, with a number from 0 to 25")
        try:
            split_flags([word])
        except StoreError as error:
            raise StoreError(f"{path}: line {number}: {error}") from None
        keywords[_KEYWORD_LETTERS[int(index)]] = word
    return keywords


def _uid_list(path: Path) -> _UidList:
    lines = _lines(path)
    if not lines:
        return _UidList()
    head = _HEAD.fullmatch(lines[0])
    if head is None:
        raise _bad_line(path, 1, "3 V<uidvalidity> N<uidnext> G<guid>")
    uidvalidity, uidnext = int(head[1] or head[4]), int(head[2] or head[5])
    if not 1 <= uidvalidity < 1 << 32:
        raise StoreError(
            f"{path}: line 1: UIDVALIDITY must be 1 or more and fit 32 bits, not {uidvalidity}"
        )
    records: dict[str, _Listed] = {}
    last = 0
    for number, line in enumerate(lines[1:], start=2):
        found = (_RECORD if head[1] else _OLD_RECORD).fullmatch(line)
        if found is None:
            raise _bad_line(path, number, "<uid> :<file name>")
        if not last < int(found[1]) < 1 << 32:
            raise StoreError(f"{path}: line {number}: UID {found[1]} must be above {last}")
        last = int(found[1])
        base, _, _ = found[3].partition(":2,")
        records[base] = _Listed(last, _extension(found[2], "G"))
    # The number in the head is written less often than the lines.
    return _UidList(uidvalidity, head[3], max(uidnext, last + 1), records)


def _extension(words: str, letter: str) -> str | None:
    """Return the value that a line of the list has under a letter."""
    return next((word[1:] for word in words.split() if word[0] == letter), None)


def _subscriptions(path: Path) -> Iterator[str]:
    lines = _lines(path)
    if lines and lines[0].startswith("V\t"):
        yield from (_decoded(line, "\t") for line in lines[1:] if line)
    else:
        yield from (_decoded(line, ".") for line in lines if line)


def _lines(path: Path) -> list[str]:
    """Return a file's lines, none if it does not exist."""
    if not path.exists():
        return []
    text = os.fsdecode(readable(path, Path.read_bytes))
    return text.removesuffix("\n").split("\n") if text else []


def _bad_line(path: Path, number: int, right: str) -> StoreError:
    return StoreError(f"{path}: line {number}: must be {right}")
