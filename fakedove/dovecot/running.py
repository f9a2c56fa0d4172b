"""A command at work on a store, for every user that it is about."""

from __future__ import annotations

import errno
from collections.abc import Iterator, Mapping

from fakedove.dovecot import masks, texts
from fakedove.dovecot.files import failure
from fakedove.dovecot.registry import Call, Invocation
from fakedove.dovecot.release import Release
from fakedove.dovecot.reply import (
    Fatal,
    Item,
    Level,
    Log,
    Output,
    Referral,
    Row,
    Scope,
    Speaker,
    Value,
    combine,
)
from fakedove.dovecot.rules import UserRule
from fakedove.dovecot.sharing import watching
from fakedove.dovecot.status import Status

#: Why a process that has lent the rights of a user cannot take them for good.
_LENT_RIGHTS = (
    "setuid({0} from userdb lookup) failed with euid={0}: Operation not permitted (This binary"
    " should probably be called with process user set to {0} instead of {0})"
)


def run(call: Call) -> Output:
    """Run the command that `call` names, for every user it is about."""
    invocation = call.invocation
    command = invocation.command
    if not command.mail:
        return command.function(call)
    # Nearly every command is about the user of its line, whose name is in its right form:
    # that one goes without the generators that all the others take.
    if invocation.one_user is not None and not call.doveadm_port and not invocation.old:
        user = call.store.lookup(invocation.one_user)
        if user is not None and user.name == invocation.one_user:
            return _on(call.of(user))
    return _for_users(call)


def _on(call: Call) -> Output:
    """Run the command on the user that the call is about."""
    output = call.invocation.command.function(call)
    # A list that is right may go wrong as the command works.
    listed = call.user.acl_list
    shares = call.release.acl_sharing_map and (listed.is_wrong or bool(listed.times))
    return watching(call, output) if shares else output


def _for_users(call: Call) -> Output:
    status = Status.OK
    problems: list[Item] = []
    if call.invocation.command.before is not None:
        yield from call.invocation.command.before(call)
    for name in _usernames(call, problems):
        outcome = yield from _for_user(call, name)
        status = combine(status, outcome)
        if outcome is not Status.OK and call.invocation.command.ends_with_failure:
            break
    if problems:
        yield from problems
        return Status.TEMPFAIL
    return status


def _for_user(call: Call, name: bytes) -> Output:
    for entry in call.invocation.log:
        yield Log(entry.text, entry.level, entry.scope, name)
    user = call.lookup(name)
    if user is None:
        call.opened = None
    if user is None and call.invocation.flag("user-file"):
        yield Log(b"User no longer exists, skipping", Level.INFO, Scope.LOOKUP, name)
        return Status.OK
    if user is None:
        if not call.release.nouser:
            raise Fatal(b"User doesn't exist", Scope.LOOKUP)
        if call.release.logs_unknown_user and not call.invocation.old:
            yield Log(b"User doesn't exist", scope=Scope.LOOKUP)
        return Status.NOUSER
    if call.invocation.old and call.lent and call.release.old_commands_need_root:
        raise Fatal(_LENT_RIGHTS.format(user.uid).encode(), Scope.MAIL)
    output = _on(call.of(user))
    found = user.name.encode(errors="surrogateescape")
    if call.doveadm_port and not _iterates(call.invocation, call.release):
        _refer(call.release, user.passdb, found)
    if found == call.invocation.username and not call.invocation.username_column:
        return (yield from output)
    width = len(call.invocation.columns) if call.invocation.username_column else 0
    return (yield from _with_username(output, found, width))


def _refer(release: Release, passdb: Mapping[str, str], name: bytes) -> None:
    """Raise Referral if the passdb says that the user is elsewhere (recordings referral.*)."""
    host = passdb.get("host")
    if Status.REFERRAL in release.extra_statuses and "nologin" in passdb and host:
        raise Referral(b"%b@%b" % (name, host.encode()))


def _with_username(output: Output, name: bytes, width: int) -> Output:
    """Put the user's real name into log lines, and into rows if they have a column for it.

    `width` is the number of columns then; a row that lacks a value is filled by the next one.
    """
    position = 0
    try:
        while True:
            item = next(output)
            if isinstance(item, Log):
                yield Log(item.text, item.level, item.scope, name)
            elif width and isinstance(item, tuple):
                yield _named(item, name, position, width)
                position = (position + len(item)) % (width - 1)
            else:
                yield item
    except StopIteration as end:
        status: Status = end.value
        return status


def _named(row: Row, name: bytes, position: int, width: int) -> Row:
    """Return the values with the name before each that begins a row."""
    if not position and len(row) < width:
        return (name, *row) if row else row
    values: list[Value] = []
    for index, value in enumerate(row, position):
        values += (value,) if index % (width - 1) else (name, value)
    return tuple(values)


def _usernames(call: Call, problems: list[Item]) -> Iterator[bytes]:
    """Yield the names of the users that the command is about."""
    invocation, release = call.invocation, call.release
    if invocation.old:
        yield invocation.username
        return
    all_users = invocation.flag("all-users") and release.all_users_win
    if invocation.flag("user-file") and not all_users:
        yield from _names_in_file(call, problems)
    elif _iterates(invocation, release):
        mask = b"*" if all_users else invocation.text("user") or b"*"
        for name in call.store.names():
            if masks.user_matches(mask, name.encode()):
                yield name.encode()
    else:
        yield _single_name(invocation, release)


def _iterates(invocation: Invocation, release: Release) -> bool:
    match release.user_rule:
        case UserRule.FIELD:
            return False
        case UserRule.FIELD_ALL_ITERATES:
            return invocation.flag("all-users")
        case UserRule.OPTION | UserRule.OPTION_OVERRIDES:
            return invocation.username_column


def _single_name(invocation: Invocation, release: Release) -> bytes:
    given = invocation.text("user")
    match release.user_rule:
        case UserRule.OPTION if given is None:
            raise Fatal(b"USER environment is missing and -u option not used")
        case UserRule.OPTION | UserRule.OPTION_OVERRIDES if given is not None:
            return given
        case _:
            return invocation.username


def _names_in_file(call: Call, problems: list[Item]) -> Iterator[bytes]:
    path = call.invocation.text("user-file") or b""
    if path == b"-":
        raise texts.without_input(Scope.PROCESS)
    try:
        if not path:
            raise failure(errno.ENOENT)
        data = call.read_file(path.decode(errors="surrogateescape"))
    except OSError as error:
        unreadable, failed = texts.unreadable_user_file(path, error)
        problems += (unreadable, Speaker(Scope.CONNECTION), failed)
        return
    yield from data.split(b"\n")[: -1 if data.endswith(b"\n") else None]
