"""`indexer add`, `indexer list` and `indexer remove`: the queue of the indexer process.

Nothing waits in it for longer than a moment, so it is empty whenever someone looks.
"""

from __future__ import annotations

from fakedove.dovecot.registry import Call, Gap, command, flag, option, positional
from fakedove.dovecot.reply import Fatal, Output, Scope
from fakedove.dovecot.status import Status

_GAPS = (Gap("the queue is always empty"),)
_PANIC = (
    b"file doveadm-cmd-parse.c: line 108 (doveadm_cmd_param_int64): "
    b"assertion failed: (param->type == CMD_PARAM_INT64)"
)


@command(
    "indexer add",
    flag("head", "h"),
    option("max-recent", "n"),
    positional("user"),
    positional("mailbox"),
    usage="[-h] [-n <max recent>] <user> <mailbox>",
    gaps=_GAPS,
)
def indexer_add(call: Call) -> Output:
    """Put a mailbox into the queue; whether it exists comes out only later."""
    if call.invocation.flag("max-recent"):
        raise Fatal(_PANIC, Scope.COMMAND, crash=True)
    yield from ()
    return Status.OK


@command(
    "indexer list",
    positional("user-mask", required=False),
    columns=("username", "mailbox", "session_id", "max_recent", "type", "status"),
    usage="[<user mask>]",
    gaps=_GAPS,
)
def indexer_list(call: Call) -> Output:
    """Print the queue."""
    yield from ()
    return Status.OK


@command(
    "indexer remove",
    positional("user-mask"),
    positional("mailbox-mask", required=False),
    usage="<user mask> [<mailbox mask>]",
    gaps=_GAPS,
)
def indexer_remove(call: Call) -> Output:
    """Take what matches out of the queue."""
    yield from ()
    return Status.OK
