"""Commands to the master process: `reload`."""

from __future__ import annotations

from fakedove.dovecot.registry import Call, command
from fakedove.dovecot.reply import Level, Log, Output, Scope
from fakedove.dovecot.status import Status


@command("reload")
def reload(call: Call) -> Output:
    """Ask the master to read its configuration again; the answer does not wait for it."""
    text = b"SIGHUP received - reloading configuration"
    yield Log(text, Level.WARNING, Scope.MASTER)
    return Status.OK
