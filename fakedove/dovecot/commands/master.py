"""Commands that send the master process a signal: `reload` and `stop`."""

from __future__ import annotations

from fakedove.dovecot import sockets
from fakedove.dovecot.registry import Call, Gap, command
from fakedove.dovecot.reply import Fatal, Level, Log, Output, Scope
from fakedove.dovecot.status import Status


@command("reload", gaps=(Gap("the configuration is not read again"),))
def reload(call: Call) -> Output:
    """Ask the master to read its configuration again; the answer does not wait for it."""
    signal_master(call)
    call.store.daemons.reload(call.release.services)
    text = b"SIGHUP received - reloading configuration"
    yield Log(text, Level.WARNING, Scope.MASTER)
    return Status.OK


@command("stop", gaps=(Gap("the fake goes on, so that a test can look at it"),))
def stop(call: Call) -> Output:
    """Ask the master to end."""
    signal_master(call)
    text = b"Killed with signal 15 (by pid=%d uid=0 code=kill)" % _DOVEADM_PID
    yield Log(text, Level.WARNING, Scope.MASTER)
    return Status.OK


#: The process that kills, as the log has it.
_DOVEADM_PID = 4242


def signal_master(call: Call) -> None:
    """Raise Fatal where the process may not even read which one the master is."""
    if sockets.unprivileged(call):
        path = sockets.own_path(call, "master.pid")
        raise Fatal(b"open(%b) failed: Permission denied" % path, Scope.COMMAND)
