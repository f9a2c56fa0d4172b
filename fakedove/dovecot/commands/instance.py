"""`instance list` and `instance remove`: the servers that were started on this machine."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from fakedove.dovecot import sockets, texts
from fakedove.dovecot.registry import Call, Gap, Invocation, command, flag, positional
from fakedove.dovecot.release import Release
from fakedove.dovecot.reply import Fatal, Log, Output, Scope
from fakedove.dovecot.status import Status

_GAPS = (Gap("no server but this one is ever on the list"),)
_COLUMNS = ("path", "name", "last used", "running")
#: The fake's instance_name, which is Dovecot's default.
_NAME = b"dovecot"


def _columns(invocation: Invocation, release: Release) -> tuple[str, ...]:
    return () if invocation.flag("show-config") else _COLUMNS


@command(
    "instance list",
    flag("show-config", "c"),
    positional("name", required=False),
    columns=_columns,
    usage="[-c] [<name>]",
    reads_options=True,
    gaps=_GAPS,
)
def instance_list(call: Call) -> Output:
    """Print this server; with `-c` the answer goes to the process's own output and is lost."""
    _die_if_so(call)
    if sockets.unprivileged(call):
        yield _cannot_lock(call)
    name = call.invocation.text("name")
    wanted = name is None or name == _NAME
    if not call.store.daemons.listed or not wanted or call.invocation.flag("show-config"):
        return Status.OK
    running = b"yes"
    if sockets.unprivileged(call):
        path = sockets.own_path(call, "master.pid")
        yield Log(b"open(%b) failed: Permission denied" % path, scope=Scope.LIBRARY)
        running = b"no"
    used = call.store.clock.now().strftime("%Y-%m-%d %H:%M:%S").encode()
    yield (call.base_dir.encode(errors="surrogateescape"), _NAME, used, running)
    return Status.OK


def _check_one(invocation: Invocation, release: Release) -> None:
    if release.commands_read_options and len(invocation.fields) > 1:
        raise texts.misused(release, invocation.command.usage_in(release), Scope.COMMAND)


@command(
    "instance remove",
    positional("name"),
    usage="<name> | <base dir>",
    reads_options=True,
    check=_check_one,
    gaps=_GAPS,
)
def instance_remove(call: Call) -> Output:
    """Forget a server by its name or base_dir."""
    _die_if_so(call)
    if sockets.unprivileged(call):
        yield from _cannot_remove(call)
        return Status.TEMPFAIL
    known = (_NAME, call.base_dir.encode(errors="surrogateescape"))
    if call.store.daemons.listed and call.invocation.text("name") in known:
        call.store.daemons.listed = False
        return Status.OK
    yield Log(b"Instance already didn't exist", scope=Scope.COMMAND)
    return Status.NOTFOUND


def _die_if_so(call: Call) -> None:
    if call.release.instance_dies:
        raise Fatal(b"killed with signal 11", crash=True)


def _cannot_remove(call: Call) -> Iterator[Log]:
    yield _cannot_lock(call)
    yield _cannot_lock(call)
    yield Log(b"Failed to remove instance", scope=Scope.COMMAND)


def _cannot_lock(call: Call) -> Log:
    # state_dir lies beside base_dir.
    path = posixpath.join(posixpath.dirname(call.base_dir), "state", "instances").encode()
    text = b"file_dotlock_open(%b) failed: Permission denied" % path
    return Log(text, scope=Scope.LIBRARY)
