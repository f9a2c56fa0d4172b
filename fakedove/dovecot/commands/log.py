"""`log errors`, `log find`, `log reopen` and `log test`."""

from __future__ import annotations

from fakedove.dovecot import sockets
from fakedove.dovecot.commands.master import signal_master
from fakedove.dovecot.daemons import LoggedError
from fakedove.dovecot.registry import Call, Kind, command, option, positional
from fakedove.dovecot.release import Release
from fakedove.dovecot.reply import Level, Log, Output, Row, Scope
from fakedove.dovecot.status import Status

#: The levels of `log test`: nothing panics.
_TESTED = tuple(level for level in Level if level is not Level.PANIC)


@command(
    "log errors",
    option("since", "s", Kind.NUMBER),
    columns=("timestamp", "prefix", "type", "text"),
    usage="[-s <min_timestamp>]",
)
def log_errors(call: Call) -> Output:
    """Print the last warnings and errors of all processes, oldest first."""
    sockets.connect(call, "log-errors")
    since = call.invocation.number("since") or 0
    for error in tuple(call.store.daemons.errors):
        if int(error.time.timestamp()) >= since:
            yield _row(error, call.release)
    return Status.OK


@command("log find", positional("log-dir", required=False), usage="[<dir>]")
def log_find(call: Call) -> Output:
    """Find the log files: the answer goes to the process's own output and is lost."""
    yield from ()
    return Status.OK


@command("log reopen")
def log_reopen(call: Call) -> Output:
    """Ask the master to open the log files again."""
    signal_master(call)
    yield from ()
    return Status.OK


@command("log test")
def log_test(call: Call) -> Output:
    """Write a line at each level to the log, past the process's own log channel."""
    now = int(call.store.clock.now().timestamp())
    for level in _TESTED:
        text = f"This is Dovecot's {level.name.lower()} log ({now})"
        yield Log(text.encode(), level, Scope.STDERR)
    return Status.OK


def _row(error: LoggedError, release: Release) -> Row:
    form = "%b %d %H:%M:%S"
    prefix = error.prefix
    if release.log_errors_in_full:
        form += ".%f"
    else:
        prefix = prefix.rstrip(b" ").removesuffix(b":")
    time = error.time.strftime(form).encode()
    return time, prefix, error.level.encode(), error.text
