"""`penalty`: addresses that failed to log in, as anvil remembers them."""

from __future__ import annotations

from fakedove.dovecot import masks, sockets
from fakedove.dovecot.daemons import Penalty
from fakedove.dovecot.registry import Call, Invocation, command, option, positional
from fakedove.dovecot.release import Release
from fakedove.dovecot.reply import Log, Output, Row, Scope
from fakedove.dovecot.status import Status

_COLUMNS = ("IP", "penalty", "last_penalty", "last_update")


def _columns(invocation: Invocation, release: Release) -> tuple[str, ...]:
    return () if _bad_netmask(invocation) else _COLUMNS


@command(
    "penalty",
    option("socket-path", "a"),
    positional("netmask", required=False),
    columns=_columns,
    usage="[-a <anvil socket path>] [<ip/bits>]",
)
def penalty(call: Call) -> Output:
    """Print the penalties, those of one address or block if it is given."""
    netmask = call.invocation.text("netmask")
    if _bad_netmask(call.invocation):
        yield Log(b"Invalid netmask '%b' given" % (netmask or b""), scope=Scope.COMMAND)
        return Status.USAGE
    sockets.connect(call, "anvil")
    for one in tuple(call.store.daemons.penalties):
        if netmask is None or masks.address_matches(netmask.decode(), one.ip):
            yield _row(one)
    return Status.OK


def _bad_netmask(invocation: Invocation) -> bool:
    netmask = invocation.text("netmask")
    return netmask is not None and not masks.is_network(netmask.decode(errors="replace"))


def _row(one: Penalty) -> Row:
    return (
        one.ip.encode(),
        b"%d" % one.penalty,
        one.last_penalty.strftime("%Y-%m-%d %H:%M:%S").encode(),
        one.last_update.strftime("%H:%M:%S").encode(),
    )
