"""`replicator *`: a single server has no replicator, so each of these ends the process."""

from __future__ import annotations

from fakedove.dovecot import sockets
from fakedove.dovecot.registry import Call, Gap, Parameter, command, flag, option, positional
from fakedove.dovecot.reply import Output
from fakedove.dovecot.status import Status

_GAPS = (Gap("no replicator ever runs"),)


def _declare(name: str, *parameters: Parameter, usage: str = "") -> None:
    """Declare a command that does no more than try to connect."""
    text = f"[-a <replicator socket path>] {usage}".rstrip()
    socket = option("socket-path", "a")
    declare = command(name, socket, *parameters, usage=text, reads_options=True, gaps=_GAPS)
    declare(_no_replicator)


def _no_replicator(call: Call) -> Output:
    """Die of the socket that is not there; arguments are looked at only later."""
    sockets.connect(call, "replicator-doveadm", exists=False)
    yield from ()
    return Status.OK


_MASK = positional("user-mask", required=False)

_declare("replicator add", _MASK, usage="<user mask>")
_declare("replicator dsync-status")
_declare("replicator remove", positional("user", required=False), usage="<username>")
_declare(
    "replicator replicate",
    flag("full-sync", "f"),
    option("priority", "p"),
    _MASK,
    usage="[-f] [-p <priority>] <user mask>",
)
_declare("replicator status", _MASK, usage="[<user mask>]")
