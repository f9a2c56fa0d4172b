"""The commands, one module for each family of `doveadm help`, found by their names.

A module is imported when a command of its family is first asked for: nearly every process
uses a few of them, and what lies below all (search, MIME, Sieve, variables) takes as long to
import as half of Trio.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Final

from fakedove.dovecot.command_spans import MAIL_COMMANDS, OTHER_COMMANDS
from fakedove.dovecot.registry import DECLARED, Command

#: The modules in which commands are declared, by the first word of the commands' names.
FAMILIES: Final[Mapping[str, tuple[str, ...]]] = {
    "acl": ("acl",),
    "altmove": ("maintenance",),
    "auth": ("auth",),
    "backup": ("sync",),
    "batch": ("batch",),
    "copy": ("transfer",),
    "deduplicate": ("maintenance",),
    "dict": ("dict",),
    "director": ("director",),
    "dsync-server": ("dsync_server",),
    "expunge": ("expunging",),
    "fetch": ("fetch",),
    "flags": ("flags",),
    "force-resync": ("maintenance",),
    "fs": ("fs",),
    "import": ("importing",),
    "index": ("maintenance",),
    "indexer": ("indexer",),
    "instance": ("instance",),
    "kick": ("sessions",),
    "log": ("log",),
    "mail": ("dict", "fs"),
    "mailbox": (
        *("mailbox", "mailbox_cache", "mailbox_changes", "mailbox_settings"),
        "metadata",
    ),
    "mount": ("mount",),
    "move": ("transfer",),
    "oldstats": ("oldstats",),
    "penalty": ("penalty",),
    "process": ("services",),
    "proxy": ("proxy",),
    "purge": ("maintenance",),
    "quota": ("quota",),
    "rebuild": ("maintenance",),
    "reload": ("master",),
    "replicator": ("replicator",),
    "save": ("saving",),
    "search": ("mail",),
    "service": ("services",),
    "sieve": ("sieve",),
    "sis": ("sis",),
    "stats": ("oldstats", "stats"),
    "stop": ("master",),
    "sync": ("sync",),
    "user": ("user",),
    "who": ("sessions",),
}


class _Commands(Mapping[str, Command]):
    """All commands of all releases by name; a name alone imports nothing."""

    def __getitem__(self, name: str) -> Command:
        found = DECLARED.get(name)
        if found is not None:
            return found
        for module in FAMILIES.get(name.partition(" ")[0], ()):
            import_module(f"{__name__}.{module}")
        return DECLARED[name]

    def __contains__(self, name: object) -> bool:
        return name in MAIL_COMMANDS or name in OTHER_COMMANDS

    def __iter__(self) -> Iterator[str]:
        yield from MAIL_COMMANDS
        yield from OTHER_COMMANDS

    def __len__(self) -> int:
        return len(MAIL_COMMANDS) + len(OTHER_COMMANDS)


COMMANDS: Final[Mapping[str, Command]] = _Commands()
