"""The mailboxes of a store file's user: `[[user.mailbox]]` tables and Maildir trees.

A table gives a mailbox its settings and its mails: those of a folder, then one by one.
What a Maildir tree of the user holds comes first, and a table of that name adds to it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path

import msgspec

from fakedove.dovecot import acl
from fakedove.dovecot.change_log import MailChange, rights_attribute
from fakedove.dovecot.guids import checked_guid, derived_guid
from fakedove.dovecot.mail_files import MailFile, MailFiles
from fakedove.dovecot.mailbox_seed import (
    FIRST_UIDVALIDITY,
    SPECIAL_USE_KEY,
    Items,
    MailboxSeed,
    check_special_use,
    seed_mailbox,
)
from fakedove.dovecot.maildir import Maildir, read_maildir
from fakedove.dovecot.message import Message, split_flags, stored, virtual_size
from fakedove.dovecot.names import canonical_name, check_mailbox_name
from fakedove.dovecot.toml_table import Table
from fakedove.errors import did_you_mean

MAILBOX_KEYS = (
    *("name", "guid", "uidvalidity", "uidnext", "highestmodseq", "subscribed", "special_use"),
    *("metadata", "acl", "folder", "mail"),
)
MAIL_KEYS = (
    *("file", "text", "flags", "received", "saved", "uid", "guid", "copies", "alternative"),
)
_IDENTIFIERS = "anyone, authenticated, owner, user=NAME, group=NAME or group-override=NAME"
_METADATA_TYPES = ("/private/", "/shared/")
#: UIDs and UIDVALIDITY are 32-bit numbers, modseqs 63-bit ones.
_HIGHEST_UID, _HIGHEST_MODSEQ = (1 << 32) - 1, (1 << 63) - 1


class UserMail(msgspec.Struct, frozen=True):
    """A user's mailboxes and the names that the user is subscribed to."""

    mailboxes: tuple[MailboxSeed, ...]
    subscriptions: tuple[str, ...]


class MailboxTables:
    """Makes the mailboxes of one user after the other; mails that are alike share their bytes."""

    def __init__(self, folder: Path, now: datetime) -> None:
        """Take `folder` for that of relative paths, and `now` for dates that are not given."""
        self._folder = folder
        self._now = now
        self._files = MailFiles()

    def of_user(self, user: str, table: Table, scripts: Sequence[str]) -> UserMail:
        """Return the mail of `user`, whose table is given.

        `scripts` are the attributes of INBOX that are Sieve scripts.
        """
        if "mailbox" not in table and "maildir" not in table:
            return UserMail((), _subscriptions(table))
        tree = self._maildir(user, table)
        tables = _by_name(table)
        seeds = {seed.name: seed for seed in tree.mailboxes}
        for name in tables:
            seeds.setdefault(name, _empty(user, name, FIRST_UIDVALIDITY + len(seeds)))
        for name, box in tables.items():
            others = scripts if name == "INBOX" else ()
            seeds[name] = self._mailbox(user, seeds[name], box, others)
        _refuse_same_guids(tables, seeds)
        subscribed = [name for name, box in tables.items() if _is_subscribed(box)]
        names = dict.fromkeys((*tree.subscriptions, *subscribed, *_subscriptions(table)))
        return UserMail(tuple(seeds.values()), tuple(names))

    def _maildir(self, user: str, table: Table) -> Maildir:
        if "maildir" not in table:
            return Maildir((), ())
        read = partial(read_maildir, owner=user, now=self._now, files=self._files)
        return table.checked("maildir", read, self._folder / table.text("maildir"))

    def _mailbox(
        self, user: str, before: MailboxSeed, table: Table, scripts: Sequence[str]
    ) -> MailboxSeed:
        metadata, entries = _metadata(table), _acl(table)
        rights = (rights_attribute(who) for who, _ in entries)
        keys = (key for key, _ in metadata if key != SPECIAL_USE_KEY)
        attributes = (*keys, *scripts, *rights)
        messages = (*before.messages, *self._messages(user, before, table))
        # As in a Dovecot that was filled this way: every change counts one, and modseqs are
        # kept only from the first time that somebody asks, so messages have the highest.
        changes = len(messages) + sum(len(message.keywords) for message in messages)
        modseq = table.integer(
            "highestmodseq",
            1 + changes + len(attributes),
            minimum=1,
            maximum=_HIGHEST_MODSEQ,
        )
        seed = seed_mailbox(
            before.name,
            tuple(msgspec.structs.replace(message, modseq=modseq) for message in messages),
            guid=_guid(table) or before.guid,
            uidvalidity=table.integer(
                "uidvalidity", before.uidvalidity, minimum=1, maximum=_HIGHEST_UID
            ),
            uidnext=before.uidnext,
            highestmodseq=modseq,
            special_use=_special_use(table),
            keywords=before.keywords,
            metadata=metadata,
            acl=entries,
            log=_last_changes(attributes, modseq),
        )
        return _with_uidnext(seed, table)

    def _messages(self, user: str, box: MailboxSeed, table: Table) -> Iterator[Message]:
        uidnext = box.uidnext
        for file in self._in_folder(table):
            guid = derived_guid(user, box.name, uidnext)
            yield _message(file, uidnext, guid, self._now, self._now)
            uidnext += 1
        for mail in table.tables("mail", MAIL_KEYS):
            file = self._mail(mail)
            flags, keywords = mail.checked("flags", split_flags, mail.words("flags"))
            received = mail.moment("received", self._now)
            saved = mail.moment("saved", self._now)
            alternative = mail.boolean("alternative", default=False)
            for uid in _uids(mail, uidnext):
                uidnext = uid + 1
                guid = _guid(mail) or derived_guid(user, box.name, uid)
                message = _message(file, uid, guid, received, saved)
                yield msgspec.structs.replace(
                    message, flags=flags, keywords=keywords, alternative=alternative
                )

    def _in_folder(self, table: Table) -> list[MailFile]:
        if "folder" not in table:
            return []
        return table.checked("folder", self._files.folder, self._folder / table.text("folder"))

    def _mail(self, mail: Table) -> MailFile:
        if ("file" in mail) == ("text" in mail):
            raise mail.error("file", "a mail has either a file or a text")
        if "text" in mail:
            data = stored(mail.text("text").encode())
            return MailFile(data, virtual_size(data), self._now)
        return mail.checked("file", self._files.mail, self._folder / mail.text("file"))


def _by_name(user: Table) -> dict[str, Table]:
    """Return the mailbox tables by name."""
    tables: dict[str, Table] = {}
    for table in user.tables("mailbox", MAILBOX_KEYS):
        name = table.text("name")
        table.checked("name", check_mailbox_name, name)
        name = canonical_name(name)
        if name in tables:
            other = list(tables).index(name)
            raise table.error("name", f'"{name}" is the name of mailbox[{other}] already')
        tables[name] = table
    return tables


def _empty(user: str, name: str, uidvalidity: int) -> MailboxSeed:
    return MailboxSeed(name=name, guid=derived_guid(user, name), uidvalidity=uidvalidity)


def _message(file: MailFile, uid: int, guid: str, received: datetime, saved: datetime) -> Message:
    return Message(
        uid=uid,
        guid=guid,
        flags=(),
        keywords=(),
        received=received,
        saved=saved,
        data=file.data,
        virtual_size=file.virtual_size,
        modseq=1,
    )


def _with_uidnext(seed: MailboxSeed, table: Table) -> MailboxSeed:
    uidnext = table.integer("uidnext", seed.uidnext, minimum=1, maximum=_HIGHEST_UID)
    if uidnext < seed.uidnext:
        raise table.error("uidnext", f"must be {seed.uidnext} or more: UIDs below it are in use")
    return msgspec.structs.replace(seed, uidnext=uidnext)


def _refuse_same_guids(tables: dict[str, Table], seeds: dict[str, MailboxSeed]) -> None:
    """Raise if two mailboxes have the same GUID."""
    owners: dict[str, str] = {}
    for name, seed in seeds.items():
        other = owners.setdefault(seed.guid, name)
        if other != name:
            table = tables.get(name) or tables[other]
            raise table.error("guid", f'"{seed.guid}" is that of mailbox "{other}" already')


def _is_subscribed(table: Table) -> bool:
    return table.boolean("subscribed", default=False)


def _subscriptions(user: Table) -> tuple[str, ...]:
    names = user.words("subscriptions")
    for index, name in enumerate(names):
        user.checked(f"subscriptions[{index}]", check_mailbox_name, name)
    return names


def _special_use(table: Table) -> str:
    text = table.text("special_use", "")
    table.checked("special_use", check_special_use, text)
    return text


def _last_changes(attributes: Sequence[str], modseq: int) -> tuple[MailChange, ...]:
    """Return the log of a mailbox whose attributes were the last to be set."""
    numbers = range(modseq - len(attributes) + 1, modseq + 1)
    return tuple(
        MailChange(0, max(number, 1), added=(name,))
        for number, name in zip(numbers, attributes, strict=True)
    )


def _metadata(table: Table) -> Items:
    metadata = table.texts("metadata")
    for key in metadata:
        if not key.startswith(_METADATA_TYPES):
            raise table.error(
                f"metadata.{key}", "is no key: it must begin with /private/ or /shared/"
            )
    return tuple(metadata.items())


def _acl(table: Table) -> tuple[tuple[str, tuple[str, ...]], ...]:
    entries = table.lists("acl")
    for who, rights in entries.items():
        if acl.identifier(who) is None:
            raise table.error(f"acl.{who}", f"is no identifier: write {_IDENTIFIERS}")
        wrong = acl.unknown_right(rights)
        if wrong is not None:
            near = did_you_mean(wrong, acl.RIGHTS) or f"; there is: {', '.join(acl.RIGHTS)}"
            raise table.error(f"acl.{who}", f'"{wrong}" is no right{near}')
    return tuple(entries.items())


def _guid(table: Table) -> str | None:
    guid = table.optional_text("guid")
    return None if guid is None else table.checked("guid", checked_guid, guid)


def _uids(mail: Table, uidnext: int) -> range:
    """Return the UIDs of a mail and its copies."""
    copies = mail.integer("copies", 1, minimum=1)
    if copies > 1 and "guid" in mail:
        raise mail.error("guid", "cannot be given for copies: each has its own")
    first = mail.integer("uid", uidnext, minimum=1)
    if first < uidnext:
        raise mail.error("uid", f"must be {uidnext} or more here: UIDs only grow")
    if first + copies > _HIGHEST_UID:
        key = "copies" if copies > 1 else "uid"
        raise mail.error(key, f"leaves no UID for the next mail: the last is {_HIGHEST_UID}")
    return range(first, first + copies)
