"""`proxy list` and `proxy kick`: who and kick, or questions to the login processes.

No login process of a single server passes anyone on, so the older commands find nobody.
"""

from __future__ import annotations

from fakedove.dovecot import sockets
from fakedove.dovecot.commands import sessions
from fakedove.dovecot.registry import Call, Gap, Invocation, Kind, command, flag, option, positional
from fakedove.dovecot.release import Release
from fakedove.dovecot.reply import Log, Output, Scope
from fakedove.dovecot.status import Status
from fakedove.dovecot.texts import misused

_IPC = "ipc"
_GAPS = (Gap("no session is ever passed on to another server"),)


def _list_columns(invocation: Invocation, release: Release) -> tuple[str, ...]:
    return sessions.who_columns(invocation, release) if release.proxy_is_who else ()


def _kick_columns(invocation: Invocation, release: Release) -> tuple[str, ...]:
    return sessions.kick_columns(invocation, release) if release.proxy_is_who else ("count",)


@command(
    "proxy list",
    option("socket-path", "a"),
    flag("separate-connections", "1", when="proxy_is_who"),
    option("passdb-field", "f", when="proxy_is_who"),
    positional("mask", Kind.TEXTS, required=False, when="proxy_is_who"),
    columns=_list_columns,
    usage=sessions.WHO_USAGE,
    gaps=_GAPS,
)
def proxy_list(call: Call) -> Output:
    """Print the sessions; where login processes are asked, a problem is only logged."""
    if call.release.proxy_is_who:
        return (yield from sessions.who(call))
    why = sockets.obstacle(call, _IPC)
    if why is not None:
        yield _not_connected(call, why)
        yield Log(b"LIST-FULL failed: ipc connect failed", scope=Scope.COMMAND)
    return Status.OK


@command(
    "proxy kick",
    option("socket-path", "a"),
    option("passdb-field", "f"),
    option("host", "h", when="proxy_kick_host"),
    option("dest-host", "h", when="proxy_is_who"),
    positional("mask", Kind.TEXTS, required=False),
    columns=_kick_columns,
    usage=sessions.KICK_USAGE,
    gaps=_GAPS,
)
def proxy_kick(call: Call) -> Output:
    """Disconnect sessions and print how many there were."""
    if call.release.proxy_is_who:
        return (yield from sessions.kick(call))
    if not call.invocation.texts("mask") and call.invocation.text("host") is None:
        host = (
            "[-h <host> [...] | <user> [...]]" if call.release.proxy_kick_host else "<user> [...]"
        )
        usage = f"proxy kick [-a <ipc socket path>] [-f <passdb field>] {host}"
        raise misused(call.release, usage, Scope.COMMAND)
    why = sockets.obstacle(call, _IPC)
    if why is not None:
        yield _not_connected(call, why)
        yield Log(b"KICK failed: ipc connect failed", scope=Scope.COMMAND)
        return Status.TEMPFAIL
    yield (b"0",)
    return Status.OK


def _not_connected(call: Call, why: bytes) -> Log:
    path = sockets.path(call, _IPC)
    return Log(b"connect(%b) failed: %b" % (path, why), scope=Scope.LIBRARY)
