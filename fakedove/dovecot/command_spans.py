"""Which release's doveadm-server knows which command on the wire: name to (first, last) spans.

Facts: the sources of 118 tagged releases, and two running ones for what is on the wire at
all. Commands that are not about mail are on the wire since 2.2.16 only.
"""

from __future__ import annotations

from functools import cache

#: The newest commit of Dovecot's development branch is called this.
MAIN = "main"

MAIL_COMMANDS: dict[str, tuple[tuple[str, str], ...]] = {
    "acl add": (("2.1.0", "main"),),
    "acl debug": (("2.0.10", "main"),),
    "acl delete": (("2.0.10", "main"),),
    "acl get": (("2.0.10", "main"),),
    "acl recalc": (("2.1.14", "main"),),
    "acl remove": (("2.1.0", "main"),),
    "acl rights": (("2.0.10", "main"),),
    "acl set": (("2.0.10", "main"),),
    "altmove": (("2.0.0", "main"),),
    "backup": (("2.1.0", "main"),),
    "batch": (("2.1.16", "2.3.21.1"),),
    "copy": (("2.1.10", "main"),),
    "deduplicate": (("2.2.4", "main"),),
    "dsync-server": (("2.1.0", "main"),),
    "expunge": (("2.0.0", "main"),),
    "fetch": (("2.0.0", "main"),),
    "flags add": (("2.2.4", "main"),),
    "flags remove": (("2.2.4", "main"),),
    "flags replace": (("2.2.4", "main"),),
    "force-resync": (("2.0.0", "main"),),
    "import": (("2.0.6", "main"),),
    "index": (("2.0.13", "main"),),
    "mail dict get": (("2.4.0", "main"),),
    "mail dict inc": (("2.4.0", "main"),),
    "mail dict iter": (("2.4.0", "main"),),
    "mail dict set": (("2.4.0", "main"),),
    "mail dict unset": (("2.4.0", "main"),),
    "mail fs copy": (("2.4.0", "main"),),
    "mail fs delete": (("2.4.0", "main"),),
    "mail fs get": (("2.4.0", "main"),),
    "mail fs iter": (("2.4.0", "main"),),
    "mail fs iter-dirs": (("2.4.0", "main"),),
    "mail fs metadata": (("2.4.0", "main"),),
    "mail fs put": (("2.4.0", "main"),),
    "mail fs stat": (("2.4.0", "main"),),
    "mailbox cache decision": (
        ("2.2.36", "2.2.36.4"),
        ("2.3.2", "main"),
    ),
    "mailbox cache purge": (("2.3.4", "main"),),
    "mailbox cache remove": (
        ("2.2.36", "2.2.36.4"),
        ("2.3.2", "main"),
    ),
    "mailbox create": (("2.0.0", "main"),),
    "mailbox delete": (("2.0.0", "main"),),
    "mailbox list": (("2.0.0", "main"),),
    "mailbox metadata get": (("2.2.15", "main"),),
    "mailbox metadata list": (("2.2.15", "main"),),
    "mailbox metadata set": (("2.2.15", "main"),),
    "mailbox metadata unset": (("2.2.15", "main"),),
    "mailbox path": (("2.2.28", "main"),),
    "mailbox rename": (("2.0.0", "main"),),
    "mailbox status": (("2.0.0", "main"),),
    "mailbox subscribe": (("2.0.0", "main"),),
    "mailbox unsubscribe": (("2.0.0", "main"),),
    "mailbox update": (("2.2.25", "main"),),
    "move": (("2.0.12", "main"),),
    "purge": (("2.0.0", "main"),),
    "quota get": (("2.0.0", "main"),),
    "quota recalc": (("2.0.0", "main"),),
    "rebuild attachments": (
        ("2.2.36", "2.2.36.4"),
        ("2.3.2", "main"),
    ),
    "save": (("2.2.16", "main"),),
    "search": (("2.0.0", "main"),),
    "sieve activate": (("2.2.0", "main"),),
    "sieve deactivate": (("2.2.0", "main"),),
    "sieve delete": (("2.2.0", "main"),),
    "sieve get": (("2.2.0", "main"),),
    "sieve list": (("2.2.0", "main"),),
    "sieve put": (("2.2.0", "main"),),
    "sieve rename": (("2.2.0", "main"),),
    "sync": (("2.1.0", "main"),),
}

OTHER_COMMANDS: dict[str, tuple[tuple[str, str], ...]] = {
    "auth cache flush": (("2.1.9", "main"),),
    "dict get": (("2.2.14", "main"),),
    "dict inc": (("2.2.14", "main"),),
    "dict iter": (("2.2.14", "main"),),
    "dict set": (("2.2.14", "main"),),
    "dict unset": (("2.2.14", "main"),),
    "director add": (("2.0.0", "2.3.21.1"),),
    "director down": (("2.2.19", "2.3.21.1"),),
    "director dump": (("2.0.13", "2.3.21.1"),),
    "director flush": (("2.0.0", "2.3.21.1"),),
    "director kick": (("2.2.14", "2.3.21.1"),),
    "director map": (("2.0.0", "2.3.21.1"),),
    "director move": (("2.0.14", "2.3.21.1"),),
    "director remove": (("2.0.0", "2.3.21.1"),),
    "director ring add": (("2.1.7", "2.3.21.1"),),
    "director ring remove": (("2.1.7", "2.3.21.1"),),
    "director ring status": (("2.0.14", "2.3.21.1"),),
    "director status": (("2.0.0", "2.3.21.1"),),
    "director up": (("2.2.19", "2.3.21.1"),),
    "director update": (("2.2.19", "2.3.21.1"),),
    "fs copy": (("2.2.0", "main"),),
    "fs delete": (("2.2.0", "main"),),
    "fs get": (("2.2.0", "main"),),
    "fs iter": (("2.2.0", "main"),),
    "fs iter-dirs": (("2.2.0", "main"),),
    "fs metadata": (("2.2.9", "main"),),
    "fs put": (("2.2.0", "main"),),
    "fs stat": (("2.2.0", "main"),),
    "indexer add": (("2.4.0", "main"),),
    "indexer list": (("2.4.0", "main"),),
    "indexer remove": (("2.4.0", "main"),),
    "instance list": (("2.1.0", "main"),),
    "instance remove": (("2.1.0", "main"),),
    "kick": (("2.0.0", "main"),),
    "log errors": (("2.1.0", "main"),),
    "log find": (("2.0.0", "main"),),
    "log reopen": (("2.0.0", "main"),),
    "log test": (("2.0.0", "main"),),
    "mailbox mutf7": (("2.0.0", "main"),),
    "mount add": (("2.1.0", "2.2.36.4"),),
    "mount list": (("2.1.0", "2.2.36.4"),),
    "mount remove": (("2.1.0", "2.2.36.4"),),
    "oldstats dump": (("2.3.0", "2.3.21.1"),),
    "oldstats reset": (("2.3.0", "2.3.21.1"),),
    "penalty": (("2.0.0", "main"),),
    "process status": (("2.2.26", "main"),),
    "proxy kick": (("2.0.14", "main"),),
    "proxy list": (("2.0.14", "main"),),
    "reload": (("2.0.0", "main"),),
    "replicator add": (("2.2.13", "2.3.21.1"),),
    "replicator dsync-status": (("2.2.13", "2.3.21.1"),),
    "replicator remove": (("2.2.0", "2.3.21.1"),),
    "replicator replicate": (("2.2.0", "2.3.21.1"),),
    "replicator status": (("2.2.0", "2.3.21.1"),),
    "service status": (("2.2.26", "main"),),
    "service stop": (("2.2.25", "main"),),
    "sis deduplicate": (("2.0.6", "2.3.21.1"),),
    "sis find": (("2.0.6", "main"),),
    "stats add": (("2.3.17", "main"),),
    "stats dump": (("2.1.0", "main"),),
    "stats remove": (("2.3.17", "main"),),
    "stats reopen": (("2.4.0", "main"),),
    "stats reset": (("2.2.22", "2.2.36.4"),),
    "stop": (("2.0.0", "main"),),
    "user": (("2.2.25", "main"),),
    "who": (("2.0.0", "main"),),
}


def release_key(number: str) -> tuple[int, ...]:
    """Return what release numbers are ordered by; "main" comes last."""
    if number == MAIN:
        return (99,)
    parts = [int(part) for part in number.split(".")]
    return tuple(parts + [0] * (4 - len(parts)))


@cache
def commands_of(number: str, *, mail_only: bool) -> frozenset[str]:
    """Return the commands on the wire of a release."""
    commands = MAIL_COMMANDS if mail_only else MAIL_COMMANDS | OTHER_COMMANDS
    wanted = release_key(number)
    return frozenset(
        name
        for name, spans in commands.items()
        if any(release_key(first) <= wanted <= release_key(last) for first, last in spans)
    )
