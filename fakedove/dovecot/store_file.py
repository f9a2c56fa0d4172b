"""The store's file: TOML with the users, and .eml files beside it with their mail.

The keys are described in the documentation of the store file; every error names the file and
the key's path and says what would be right. `DEMO_STORE` is the store that is served when
nobody names one.
"""

from __future__ import annotations

import os
import posixpath
import random as random_module
import tomllib
from collections.abc import Iterator
from datetime import datetime
from functools import partial
from pathlib import Path, PurePosixPath

from msgspec import structs

from fakedove.dovecot.change_log import ACTIVE_SCRIPT, script_attribute
from fakedove.dovecot.clock import Clock
from fakedove.dovecot.mail_files import readable
from fakedove.dovecot.mailbox_seed import FIRST_UIDVALIDITY
from fakedove.dovecot.mailbox_tables import MailboxTables
from fakedove.dovecot.masks import is_address
from fakedove.dovecot.quota import parse_grace, parse_size
from fakedove.dovecot.quota_roots import DEFAULT_ROOT, QuotaRoot, check_rules
from fakedove.dovecot.quota_rules import QuotaRule, checked_mask, messages_extra, storage_extra
from fakedove.dovecot.store import LoginSession, Store
from fakedove.dovecot.toml_table import Table
from fakedove.dovecot.user_seed import UserSeed
from fakedove.errors import StoreError, did_you_mean

#: The small store that comes with fakedove.
DEMO_STORE = Path(__file__).parent.parent / "data" / "store.toml"

_STORE_KEYS = ("user", "session", "dict", "files")
_SHORT_QUOTA_KEYS = ("quota_storage", "quota_messages", "quota_grace")
USER_KEYS = (
    *("name", "password", "uid", "gid", "home", *_SHORT_QUOTA_KEYS),
    *("quota", "userdb", "passdb", "subscriptions", "maildir", "mailbox", "sieve"),
)
_QUOTA_KEYS = ("name", "storage", "messages", "grace", "rule")
_RULE_KEYS = ("mailbox", "ignore", "storage", "messages")
_SIEVE_KEYS = ("scripts", "active")
SESSION_KEYS = ("user", "service", "pid", "ip")

#: Stands in the file for the folder of the server.
_DIRECTORY = "{{dir}}"

_DICT_TYPES = ("priv/", "shared/")
#: Of a user or group: -1 is none.
_HIGHEST_ID = (1 << 32) - 2
_HIGHEST_PID = (1 << 31) - 1


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
    """Turns one file into seeds."""

    def __init__(self, path: Path, directory: str | None, now: datetime) -> None:
        self._path = path
        self._directory = directory
        self._mailboxes = MailboxTables(path.parent, now)

    def store(self, clock: Clock, random: random_module.Random | None) -> Store:
        top = Table(self._parsed(), _STORE_KEYS, self._fail)
        return Store(
            self._users(top),
            sessions=[_session(table) for table in top.tables("session", SESSION_KEYS)],
            keys=_keys(top),
            files=_files(top),
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
        for index, table in enumerate(top.tables("user", USER_KEYS)):
            name = table.full_text("name")
            if name in taken:
                raise table.error("name", f'"{name}" is the name of user[{taken[name]}] already')
            taken[name] = index
            yield self._user(name, table)

    def _user(self, name: str, table: Table) -> UserSeed:
        scripts, active = self._sieve(table.table("sieve", _SIEVE_KEYS))
        # Dovecot keeps Sieve scripts as attributes of INBOX, and each counts as a change.
        changed = [script_attribute(script) for script, _ in scripts]
        if active is not None:
            changed.append(ACTIVE_SCRIPT)
        mail = self._mailboxes.of_user(name, table, changed)
        only = _root(table, "quota_")
        return UserSeed(
            name=_copied(name),
            password=_copied(table.text("password", "pass")),
            uid=table.integer("uid", 5000, maximum=_HIGHEST_ID),
            gid=table.integer("gid", 5000, maximum=_HIGHEST_ID),
            home=_copied(table.text("home", f"/home/{name}")),
            quota_storage=only.storage,
            quota_messages=only.messages,
            quota_grace=only.grace,
            quota_roots=_named_roots(table),
            userdb=tuple(table.texts("userdb").items()),
            passdb=tuple(table.texts("passdb").items()),
            sieve_scripts=scripts,
            sieve_active=active,
            subscriptions=mail.subscriptions,
            mailboxes=mail.mailboxes,
            last_uidvalidity=max(
                (box.uidvalidity for box in mail.mailboxes), default=FIRST_UIDVALIDITY
            ),
        )

    def _sieve(self, table: Table) -> tuple[tuple[tuple[str, bytes], ...], str | None]:
        files = table.texts("scripts")
        scripts = {name: self._script(table, name, file) for name, file in files.items()}
        active = table.optional_text("active")
        if active is not None and active not in scripts:
            raise table.error(
                "active", f'"{active}" is none of the scripts{did_you_mean(active, scripts)}'
            )
        return tuple(scripts.items()), active

    def _script(self, table: Table, name: str, file: str) -> bytes:
        read = partial(readable, read=Path.read_bytes)
        return table.checked(f"scripts.{name}", read, self._path.parent / file)


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
    ip = table.text("ip", "127.0.0.1")
    if not is_address(ip):
        raise table.error("ip", f'"{ip}" is no IP address: it must be "192.0.2.1" or "2001:db8::1"')
    return LoginSession(
        user=table.full_text("user"),
        service=table.full_text("service", "imap"),
        pid=table.integer("pid", 1, minimum=1, maximum=_HIGHEST_PID),
        ip=ip,
    )


def _keys(top: Table) -> dict[str, str]:
    """Return the keys of the dict and their values."""
    keys = top.texts("dict")
    for key in keys:
        if not key.startswith(_DICT_TYPES):
            raise top.error(f"dict.{key}", "is no key: it must begin with priv/ or shared/")
    return keys


def _files(top: Table) -> dict[str, bytes]:
    """Return the files below base_dir and their content."""
    files = top.texts("files")
    for path in files:
        if posixpath.normpath(path) != path or path.startswith(("/", "..")) or path == ".":
            raise top.error(f"files.{path}", 'is no path below base_dir: write it as "mail/a.eml"')
        above = (str(folder) for folder in PurePosixPath(path).parents)
        if (folder := next((one for one in above if one in files), None)) is not None:
            raise top.error(f"files.{path}", f'lies below "{folder}", which is a file')
    return {path: text.encode() for path, text in files.items()}


def _root(table: Table, prefix: str = "") -> QuotaRoot:
    """Return the quota root of a table whose keys begin with `prefix`."""
    storage, grace = f"{prefix}storage", f"{prefix}grace"
    limit = allowed = None
    if (size := table.size(storage)) is not None:
        limit = table.checked(storage, parse_size, size)
    if (size := table.size(grace)) is not None:
        allowed = table.checked(grace, partial(parse_grace, limit=limit), size)
    messages = table.optional_integer(f"{prefix}messages")
    return QuotaRoot(DEFAULT_ROOT, limit, messages, allowed)


def _named_roots(table: Table) -> tuple[QuotaRoot, ...]:
    """Return the roots of `[[user.quota]]`, none where the short form says it."""
    roots: dict[str, QuotaRoot] = {}
    for one in table.tables("quota", _QUOTA_KEYS):
        name = one.full_text("name")
        if name in roots:
            taken = list(roots).index(name)
            raise one.error("name", f'"{name}" is the name of quota[{taken}] already')
        root = structs.replace(_root(one), name=_copied(name), rules=tuple(_rules(one)))
        roots[name] = one.checked("rule", check_rules, root)
    for key in _SHORT_QUOTA_KEYS:
        if roots and key in table:
            there = key.removeprefix("quota_")
            raise table.error(key, f"cannot stand beside [[user.quota]]; write it as {there} there")
    return tuple(roots.values())


def _rules(table: Table) -> Iterator[QuotaRule]:
    """Yield the rules of a quota root for single mailboxes."""
    for one in table.tables("rule", _RULE_KEYS):
        mask = one.full_text("mailbox")
        yield QuotaRule(
            one.checked("mailbox", checked_mask, mask),
            one.boolean("ignore", default=False),
            one.checked("storage", storage_extra, one.size("storage")),
            one.checked("messages", messages_extra, one.size("messages")),
        )


def _copied(text: str) -> str:
    """Return a copy, so that the memory of a parsed file with many users is free as a whole."""
    return text.encode().decode()
