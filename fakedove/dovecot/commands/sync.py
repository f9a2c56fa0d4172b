"""`sync` and `backup`: with another place on this server, which keeps what it is given.

There is no second server: a sync with one fails as it does where nobody answers.
"""

from __future__ import annotations

import re

from fakedove.dovecot import texts
from fakedove.dovecot.commands.sync_place import with_location
from fakedove.dovecot.guids import checked_guid
from fakedove.dovecot.message import SYSTEM_FLAGS
from fakedove.dovecot.registry import (
    Call,
    Command,
    Gap,
    Invocation,
    Kind,
    command,
    flag,
    option,
    positional,
)
from fakedove.dovecot.release import Release
from fakedove.dovecot.reply import Fatal, Log, Output, Scope
from fakedove.dovecot.search.quantities import parse_moment, parse_size
from fakedove.dovecot.status import Status
from fakedove.errors import StoreError

_OPTIONS = (
    flag("full-sync", "f"),
    flag("purge-remote", "P"),
    flag("reverse-sync", "R"),
    flag("replicator-notify", "U", when="sync_replica"),
    option("lock-timeout", "l", Kind.UNSIGNED),
    option("rawlog", "r"),
    option("mailbox", "m"),
    option("mailbox-guid", "g"),
    option("namespace", "n", Kind.TEXTS),
    flag("all-namespaces", "N"),
    option("exclude-mailbox", "x", Kind.TEXTS),
    option("all-mailbox", "a"),
    option("state", "s"),
    option("sync-since-time", "t"),
    option("sync-until-time", "e"),
    option("sync-flags", "O"),
    option("sync-max-size", "I"),
    option("timeout", "T", Kind.UNSIGNED),
    flag("default-destination", "d", when="sync_replica"),
    flag("legacy-dsync", "E", when="sync_replica"),
    option("destination-option", "p", Kind.TEXTS, when="source_options"),
    positional("destination", Kind.TEXTS, required=False),
)
_USAGE = (
    "[-l <secs>] [-r <rawlog path>] [-m <mailbox>] [-g <mailbox guid>] [-n <namespace> | -N]"
    " [-x <exclude>] [-a <all mailbox>] [-s <state>] [-T <secs>] [-t <start date>]"
    " [-e <end date>] [-O <sync flag>] [-I <max size>]"
)
_DESTINATION = "[-p <dest option> [...]] <destination>"
_OLD_DESTINATION = "-d|<dest>"
_GAPS = (
    Gap("all drivers keep mail as `mdbox` does, and every place can be written"),
    Gap("a sync by a program always ends with its error 84, one with a server as if none listened"),
    Gap("a `mail_replica` of the userdb is not looked at", when="sync_replica"),
)
#: What is printed up to 2.3.16, for the name and the letters of flags.
_OLDER_USAGE = (
    "{} [-u <user>|-A] [-S <socket_path>]  {} [-l <secs>] [-r <rawlog path>] [-m <mailbox>]"
    " [-g <mailbox_guid>] [-n <namespace> | -N] [-x <exclude>] [-s <state>] [-t <start date>]"
    " -d|<dest>"
)
#: And in 2.1.
_OLDEST_USAGE = "[-dfR] [-l <secs>] [-m <mailbox>] [-n <namespace>] <dest>"
_LOCATION = re.compile(r"([^:]*):(.*)", re.DOTALL)
#: What `-O` may name: a system flag, behind its backslash.
_SYSTEM_FLAGS = frozenset(flag.lower().encode() for flag in SYSTEM_FLAGS)


def _check(invocation: Invocation, release: Release) -> None:
    _check_flag(invocation.text("sync-flags") or b"")
    for name, letter in (("sync-since-time", b"t"), ("sync-until-time", b"e")):
        moment = invocation.text(name)
        if moment is not None and parse_moment(moment, 0, strict=not release.sync_replica) is None:
            raise Fatal(b"Invalid -%b parameter: %b" % (letter, moment), Scope.COMMAND)
    guid, size = invocation.text("mailbox-guid"), invocation.text("sync-max-size")
    if guid and not _is_guid(guid):
        raise Fatal(b"Invalid -g parameter: %b" % guid, Scope.COMMAND)
    if size is not None:
        _check_size(size)
    if not invocation.texts("destination") and not invocation.flag("default-destination"):
        raise _misused(invocation.command, release)


def _check_flag(text: bytes) -> None:
    flag = text.removeprefix(b"-")
    if flag.startswith(b"\\") and flag.lower() not in _SYSTEM_FLAGS:
        why = b"Invalid system flag given for -O parameter: '%b'" % flag
        raise Fatal(why, Scope.COMMAND)
    if b" " in flag:
        raise Fatal(b"-O parameter doesn't support multiple flags currently", Scope.COMMAND)


def _misused(command: Command, release: Release) -> Fatal:
    if release.short_options:
        return texts.misused(release, command.usage_in(release))
    if release.old_commands:
        return texts.printed_usage(_OLDER_USAGE.format(command.name, command.usage.split()[0]))
    usage = f"{command.name} {command.usage}"
    older = usage.replace(_DESTINATION, _OLD_DESTINATION)
    return texts.misused(release, older if release.sync_replica else usage)


def _check_size(size: bytes) -> None:
    try:
        parse_size(size)
    except ValueError as error:
        text = b"Invalid -I parameter '%b': %b%b" % (size, str(error).encode(), size)
        raise Fatal(text, Scope.COMMAND) from None


def _is_guid(text: bytes) -> bool:
    try:
        return bool(int(checked_guid(text.decode(errors="replace")), 16))
    except StoreError:
        return False


@command(
    "sync",
    *_OPTIONS,
    flag("oneway-sync", "1"),
    mail=True,
    columns=("state",),
    gaps=_GAPS,
    usage=f"[-1fPRU] {_USAGE} {_DESTINATION}",
    old_usage=_OLDEST_USAGE,
    options_first=True,
    check=_check,
    old_while="old_commands",
)
def sync(call: Call) -> Output:
    """Sync the user's mail with another place."""
    return _sync(call, backup=False)


@command(
    "backup",
    *_OPTIONS,
    mail=True,
    columns=("state",),
    gaps=_GAPS,
    usage=f"[-fPRU] {_USAGE} {_DESTINATION}",
    old_usage=_OLDEST_USAGE,
    options_first=True,
    check=_check,
    old_while="old_commands",
)
def backup(call: Call) -> Output:
    """Make another place the same as the user's mail."""
    return _sync(call, backup=True)


def _sync(call: Call, *, backup: bool) -> Output:
    words = call.invocation.texts("destination")
    if not words:
        return _without_replica(call)
    destination = b" ".join(words).decode(errors="surrogateescape")
    location = _LOCATION.fullmatch(destination)
    if len(words) > 1 or (location is None and any(char in destination for char in " /")):
        return _by_program(call, "remote", f"{destination} dsync-server")
    if location is None:
        user, at, host = destination.rpartition("@")
        return _by_program(call, "remote", _ssh(host, user if at else call.user.name))
    driver, rest = location.groups()
    if driver in ("tcp", "tcps"):
        return _by_network(call, rest)
    if driver == "remote":
        return _by_program(call, rest, _ssh(rest, call.user.name))
    if call.invocation.flag("all-namespaces"):
        raise Fatal(b"-N parameter requires syncing with remote host", Scope.LOOKUP)
    return with_location(call, destination, backup=backup)


def _ssh(host: str, user: str) -> str:
    return f"ssh {host} doveadm dsync-server -u{user} -U"


def _without_replica(call: Call) -> Output:
    text = b"User has no mail_replica in userdb"
    if call.release.old_commands:
        yield Log(b"%b: %b" % (call.invocation.command.name.encode(), text), scope=Scope.LOOKUP)
        return Status.DASH
    yield Log(text, scope=Scope.LOOKUP)
    return Status.NOTFOUND


def _by_program(call: Call, name: str, program: str) -> Output:
    failed = f"read({name}) failed: EOF (version not received)"
    yield Log(failed.encode(errors="surrogateescape"), scope=Scope.STORAGE)
    text = f"Remote command returned error 84: {program}"
    yield Log(text.encode(errors="surrogateescape"))
    return Status.TEMPFAIL


def _by_network(call: Call, address: str) -> Output:
    text = f"connect({address}) failed: Connection refused".encode(errors="surrogateescape")
    if call.release.sync_replica:
        raise Fatal(text, Scope.LOOKUP)
    yield Log(b"Disconnected from remote: %b" % text, scope=Scope.LOOKUP)
    return Status.TEMPFAIL
