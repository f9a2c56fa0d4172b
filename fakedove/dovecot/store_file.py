"""The store's file: TOML with the users, and .eml files beside it with their mail.

The keys are described in the documentation of the store file; every error names the file and
the key's path and says what would be right. `DEMO_STORE` is the store that is served when
nobody names one.
"""

from __future__ import annotations

import os
import random as random_module
import tomllib
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TypeVar

import msgspec

from fakedove.dovecot.clock import Clock
from fakedove.dovecot.guids import checked_guid, derived_guid
from fakedove.dovecot.mailbox_seed import FIRST_UIDVALIDITY, MailboxSeed, seed_mailbox
from fakedove.dovecot.message import Message, split_flags, stored, virtual_size
from fakedove.dovecot.quota import parse_grace, parse_size
from fakedove.dovecot.store import LoginSession, Store
from fakedove.dovecot.toml_table import Table
from fakedove.dovecot.user import UserSeed, check_mailbox_name
from fakedove.errors import StoreError, did_you_mean

#: The small store that comes with fakedove.
DEMO_STORE = Path(__file__).parent.parent / "data" / "store.toml"

_STORE_KEYS = ("user", "session", "dict", "files")
_USER_KEYS = (
    *("name", "password", "uid", "gid", "home", "quota_storage", "quota_messages"),
    *("quota_grace", "userdb", "passdb", "subscriptions", "mailbox", "sieve"),
)
_MAILBOX_KEYS = ("name", "guid", "uidvalidity", "subscribed", "metadata", "acl", "mail")
_MAIL_KEYS = ("file", "text", "flags", "received", "saved", "uid", "guid", "copies")
_SIEVE_KEYS = ("scripts", "active")
_SESSION_KEYS = ("user", "service", "pid", "ip")

#: Stands in the file for the folder of the server.
_DIRECTORY = "{{dir}}"

_T = TypeVar("_T")
_V = TypeVar("_V")


def load_store(
    path: str | os.PathLike[str] = DEMO_STORE,
    *,
    directory: str | None = None,
    clock: Clock | None = None,
    random: random_module.Random | None = None,
) -> Store:
    """Read the store in the TOML file `path`.

    `directory` takes the place of `{{dir}}` in all texts. Mail without a date counts as
    received and saved now, by `clock`; what has no GUID gets one that is the same each time.
    Raises StoreError.
    """
    clock = clock or Clock()
    return _Loader(Path(path), directory, clock.now()).store(clock, random)


class _Loader:
    """Turns one file into seeds; remembers the .eml files that it has read."""

    def __init__(self, path: Path, directory: str | None, now: datetime) -> None:
        self._path = path
        self._directory = directory
        self._now = now
        self._contents: dict[str, bytes] = {}

    def store(self, clock: Clock, random: random_module.Random | None) -> Store:
        top = Table(self._parsed(), _STORE_KEYS, self._fail)
        files = {name: text.encode() for name, text in top.texts("files").items()}
        return Store(
            self._users(top),
            sessions=[_session(table) for table in top.tables("session", _SESSION_KEYS)],
            keys=top.texts("dict"),
            files=files,
            clock=clock,
            random=random,
        )

    def _fail(self, text: str) -> StoreError:
        return StoreError(f"{self._path}: {text}")

    def _parsed(self) -> dict[str, object]:
        try:
            text = self._path.read_text("utf-8")
            values: dict[str, object] = tomllib.loads(text)
        except OSError as error:
            raise self._fail(f"cannot be read: {error.strerror}") from None
        except ValueError as error:
            raise self._fail(f"is not valid TOML: {error}") from None
        if self._directory is not None and _DIRECTORY in text:
            return {key: _replaced(value, self._directory) for key, value in values.items()}
        return values

    def _users(self, top: Table) -> Iterator[UserSeed]:
        taken: dict[str, int] = {}
        for index, table in enumerate(top.tables("user", _USER_KEYS)):
            name = table.text("name")
            if not name:
                raise table.error("name", "must not be empty")
            if name in taken:
                raise table.error("name", f'"{name}" is the name of user[{taken[name]}] already')
            taken[name] = index
            yield self._user(name, table)

    def _user(self, name: str, table: Table) -> UserSeed:
        scripts, active = self._sieve(table.table("sieve", _SIEVE_KEYS))
        # Dovecot keeps Sieve scripts as attributes of INBOX, and each counts as a change.
        sieve_changes = len(scripts) + (active is not None)
        boxes, subscribed = self._mailboxes(name, table, sieve_changes)
        limit, grace = _quota(table)
        return UserSeed(
            name=name,
            password=table.text("password", "pass"),
            uid=table.integer("uid", 5000),
            gid=table.integer("gid", 5000),
            home=table.text("home", f"/home/{name}"),
            quota_storage=limit,
            quota_messages=table.optional_integer("quota_messages"),
            quota_grace=grace,
            userdb=tuple(table.texts("userdb").items()),
            passdb=tuple(table.texts("passdb").items()),
            sieve_scripts=scripts,
            sieve_active=active,
            subscriptions=subscribed,
            mailboxes=boxes,
            last_uidvalidity=max((box.uidvalidity for box in boxes), default=FIRST_UIDVALIDITY),
        )

    def _sieve(self, table: Table) -> tuple[tuple[tuple[str, bytes], ...], str | None]:
        files = table.texts("scripts")
        scripts = {name: self._read(table, f"scripts.{name}", files[name]) for name in files}
        active = table.optional_text("active")
        if active is not None and active not in scripts:
            raise table.error(
                "active", f'"{active}" is none of the scripts{did_you_mean(active, scripts)}'
            )
        return tuple(scripts.items()), active

    def _mailboxes(
        self, user: str, table: Table, inbox_changes: int
    ) -> tuple[tuple[MailboxSeed, ...], tuple[str, ...]]:
        boxes: dict[str, MailboxSeed] = {}
        subscriptions: dict[str, None] = {}
        for index, box in enumerate(table.tables("mailbox", _MAILBOX_KEYS)):
            name = _mailbox_name(box)
            if name in boxes:
                other = list(boxes).index(name)
                raise box.error("name", f'"{name}" is the name of mailbox[{other}] already')
            changes = inbox_changes if name == "INBOX" else 0
            boxes[name] = self._mailbox(user, name, box, FIRST_UIDVALIDITY + index, changes)
            if box.boolean("subscribed", default=False):
                subscriptions[name] = None
        subscriptions |= dict.fromkeys(table.words("subscriptions"))
        return tuple(boxes.values()), tuple(subscriptions)

    def _mailbox(
        self, user: str, name: str, table: Table, uidvalidity: int, changes: int
    ) -> MailboxSeed:
        metadata = table.texts("metadata")
        acl = table.lists("acl")
        drafts = list(self._messages(user, name, table))
        # As in a Dovecot that was filled this way: every change counts one, and modseqs are
        # kept only from the first time that somebody asks, so messages have the highest.
        changes += len(drafts) + sum(bool(draft.keywords) for draft in drafts)
        modseq = 1 + changes + len(metadata) + len(acl)
        return seed_mailbox(
            name,
            tuple(msgspec.structs.replace(draft, modseq=modseq) for draft in drafts),
            guid=_guid(table) or derived_guid(user, name),
            uidvalidity=_uidvalidity(table, uidvalidity),
            highestmodseq=modseq,
            metadata=tuple(metadata.items()),
            acl=tuple(acl.items()),
        )

    def _messages(self, user: str, mailbox: str, table: Table) -> Iterator[Message]:
        uidnext = 1
        for mail in table.tables("mail", _MAIL_KEYS):
            data = stored(self._data(mail))
            flags, keywords = _checked(mail, "flags", split_flags, mail.words("flags"))
            received = mail.moment("received", self._now)
            saved = mail.moment("saved", self._now)
            size = virtual_size(data)
            for uid in _uids(mail, uidnext):
                uidnext = uid + 1
                yield Message(
                    uid=uid,
                    guid=_guid(mail) or derived_guid(user, mailbox, uid),
                    flags=flags,
                    keywords=keywords,
                    received=received,
                    saved=saved,
                    data=data,
                    virtual_size=size,
                    modseq=1,
                )

    def _data(self, mail: Table) -> bytes:
        if ("file" in mail) == ("text" in mail):
            raise mail.error("file", "a mail has either a file or a text")
        if "text" in mail:
            return mail.text("text").encode()
        return self._read(mail, "file", mail.text("file"))

    def _read(self, table: Table, key: str, name: str) -> bytes:
        if name not in self._contents:
            path = self._path.parent / name
            try:
                self._contents[name] = path.read_bytes()
            except OSError as error:
                raise table.error(key, f"{path} cannot be read: {error.strerror}") from None
        return self._contents[name]


def _replaced(value: object, directory: str) -> object:
    """Return `value`, from a TOML file, with the server's folder filled in."""
    match value:
        case str():
            return value.replace(_DIRECTORY, directory)
        case dict():
            return {key: _replaced(item, directory) for key, item in value.items()}
        case list():
            return [_replaced(item, directory) for item in value]
        case _:
            return value


def _session(table: Table) -> LoginSession:
    return LoginSession(
        user=table.text("user"),
        service=table.text("service", "imap"),
        pid=table.integer("pid", 1, minimum=1),
        ip=table.text("ip", "127.0.0.1"),
    )


def _quota(table: Table) -> tuple[int | None, int | None]:
    limit = grace = None
    if (size := table.size("quota_storage")) is not None:
        limit = _checked(table, "quota_storage", parse_size, size)
    if (size := table.size("quota_grace")) is not None:
        grace = _checked(table, "quota_grace", partial(parse_grace, limit=limit), size)
    return limit, grace


def _mailbox_name(table: Table) -> str:
    name = table.text("name")
    _checked(table, "name", check_mailbox_name, name)
    return "INBOX" if name.upper() == "INBOX" else name


def _guid(table: Table) -> str | None:
    guid = table.optional_text("guid")
    return None if guid is None else _checked(table, "guid", checked_guid, guid)


def _uidvalidity(table: Table, default: int) -> int:
    value = table.integer("uidvalidity", default, minimum=1)
    if value >= 1 << 32:
        raise table.error("uidvalidity", f"must fit 32 bits, not {value}")
    return value


def _uids(mail: Table, uidnext: int) -> range:
    """Return the UIDs of a mail and its copies."""
    copies = mail.integer("copies", 1, minimum=1)
    if copies > 1 and "guid" in mail:
        raise mail.error("guid", "cannot be given for copies: each has its own")
    first = mail.integer("uid", uidnext, minimum=1)
    if first < uidnext:
        raise mail.error("uid", f"must be {uidnext} or more here: UIDs only grow")
    return range(first, first + copies)


def _checked(table: Table, key: str, check: Callable[[_V], _T], value: _V) -> _T:
    """Return `check(value)`; what it raises is told with the path of `key`."""
    try:
        return check(value)
    except StoreError as error:
        raise table.error(key, str(error)) from None
