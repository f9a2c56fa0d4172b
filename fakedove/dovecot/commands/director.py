"""`director *`: a single server's director has no servers and dies, and so does doveadm."""

from __future__ import annotations

from functools import partial
from hashlib import md5

from fakedove.dovecot import sockets
from fakedove.dovecot.registry import (
    Call,
    Columns,
    Function,
    Gap,
    Invocation,
    Kind,
    Parameter,
    command,
    flag,
    option,
    positional,
)
from fakedove.dovecot.release import Release
from fakedove.dovecot.reply import Fatal, Output, Scope
from fakedove.dovecot.status import Status
from fakedove.dovecot.texts import misused

_SOCKET = "director-admin"
#: Users are spread over servers by the first four bytes of this.
_md5 = partial(md5, usedforsecurity=False)
_GAPS = (Gap("no ring: the director is always one without servers, which dies when it is asked"),)
_MAP = "[-a <director socket path>] [-f <users file>] [-h | -u] [<host>]"


def _declare(
    name: str,
    *parameters: Parameter,
    usage: str = "",
    columns: Columns = (),
    function: Function | None = None,
) -> None:
    """Declare a command that asks the director."""
    text = f"[-a <director socket path>] {usage}".rstrip()
    declare = command(
        name, option("socket-path", "a"), *parameters, columns=columns, usage=text, gaps=_GAPS
    )
    declare(_no_servers if function is None else function)


def _no_servers(call: Call) -> Output:
    """Die of the director that closes the connection; arguments are looked at only later."""
    sockets.connect(call, _SOCKET)
    why = b"read(size=8192) failed: Connection reset by peer"
    text = b"read(%b) failed: %b" % (sockets.own_path(call, _SOCKET), why)
    raise Fatal(text, Scope.COMMAND)
    yield


def _map(call: Call) -> Output:
    """Print the hash that a user is known by; all else is asked of the director."""
    user = call.invocation.text("host")
    if call.invocation.flag("user-map") and user is not None:
        yield (b"%d" % int.from_bytes(_md5(user).digest()[:4], "big"),)
        return Status.OK
    if call.invocation.flag("hash-map") and call.invocation.flag("user-map"):
        raise misused(call.release, f"director map {_MAP}", Scope.COMMAND)
    return (yield from _no_servers(call))


def _map_columns(invocation: Invocation, release: Release) -> tuple[str, ...]:
    by_user = invocation.flag("user-map") and invocation.text("host") is not None
    return ("hash",) if by_user else ()


def _argument(name: str) -> Parameter:
    return positional(name, required=False)


_HOST = _argument("host")

_declare(
    "director add",
    option("tag", "t"),
    _HOST,
    _argument("vhost-count"),
    usage="[-t <tag>] <host> [<vhost count>]",
)
_declare("director down", _HOST, usage="<host>")
_declare("director dump")
_declare(
    "director flush",
    flag("force-flush", "F"),
    option("max-parallel", kind=Kind.NUMBER),
    _HOST,
    usage="[-F] [--max-parallel <n>] <host>|all",
)
_declare(
    "director kick",
    option("passdb-field", "f"),
    _argument("user"),
    usage="[-f <passdb field>] <user>",
)
_declare(
    "director map",
    option("users-file", "f"),
    flag("hash-map", "h"),
    flag("user-map", "u"),
    _HOST,
    usage="[-f <users file>] [-h | -u] [<host>]",
    columns=_map_columns,
    function=_map,
)
_declare("director move", _argument("user"), _HOST, usage="<user> <host>")
_declare("director remove", _HOST, usage="<host>")
_declare("director ring add", _argument("ip"), _argument("port"), usage="<ip> [<port>]")
_declare("director ring remove", _argument("ip"), _argument("port"), usage="<ip> [<port>]")
_declare("director ring status")
_declare("director status", _argument("user"), _argument("tag"), usage="[<user>] [<tag>]")
_declare("director up", _HOST, usage="<host>")
_declare("director update", _HOST, _argument("vhost-count"), usage="<host> <vhost count>")
