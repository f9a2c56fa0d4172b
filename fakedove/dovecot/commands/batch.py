"""`batch`: several commands about mail, one after another, up to the first that fails."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from fakedove.dovecot import texts
from fakedove.dovecot.registry import MAIL_USAGE, Call, Gap, Invocation, Kind, command, positional
from fakedove.dovecot.release import Release
from fakedove.dovecot.reply import Fatal, Log, Output, Row, Scope
from fakedove.dovecot.status import Status

_USAGE = "<sep> <cmd1> [<sep> <cmd2> [..]]"

#: What a command says that has no mail to read.
_WITHOUT_BODY = b"open((error)) failed: Input stream missing (provide with file parameter)"
#: What asks, before any of the commands runs, who sent the line: nobody has.
_PREPARED = ("backup", "sync")
#: What asks when its turn has come.
_DIE_AT_WORK = ("dsync-server", "import")


def _invocations(invocation: Invocation, release: Release) -> list[Invocation]:
    # The dispatcher knows all commands, this one too, so it cannot be there first.
    from fakedove.dovecot import batched

    return batched.invocations(invocation, release)


def _check(invocation: Invocation, release: Release) -> None:
    if release.batch_crashes:
        raise Fatal(b"killed with signal 11", crash=True)
    if not invocation.texts("args") and release.old_commands:
        raise texts.printed_usage(f"batch {MAIL_USAGE}  {_USAGE}")
    if not invocation.texts("args"):
        raise texts.misused(release, f"batch {_USAGE}", Scope.COMMAND)
    _invocations(invocation, release)


def _columns(invocation: Invocation, release: Release) -> tuple[str, ...]:
    return tuple(key for one in _invocations(invocation, release) for key in one.columns)


@command(
    "batch",
    positional("separator", required=False),
    positional("args", Kind.TEXTS, required=False),
    mail=True,
    columns=_columns,
    usage=_USAGE,
    options_first=True,
    check=_check,
    old_while="old_commands",
    gaps=(Gap("with `-D` it tells nothing of the mail storage", when="old_commands"),),
)
def batch(call: Call) -> Output:
    """Run the commands; what they print is one list of columns."""
    rows = _Rows(len(call.invocation.columns) - 1 if call.invocation.username_column else 0)
    status = Status.OK
    invocations = _invocations(call.invocation, call.release)
    asks = () if call.release.old_commands else _PREPARED
    for invocation in invocations:
        if invocation.command.name in asks:
            return (yield from _prepared(call, invocation))
    for invocation in invocations:
        output = _run(call, invocation)
        try:
            while True:
                item = next(output)
                if isinstance(item, tuple):
                    yield from rows.add(item)
                else:
                    yield item
        except StopIteration as end:
            status = end.value
        if status is not Status.OK:
            break
    yield from rows.rest()
    return status


def _run(call: Call, invocation: Invocation) -> Output:
    if invocation.takes_body:
        yield Log(_WITHOUT_BODY)
        return Status.TEMPFAIL
    if invocation.command.name in _DIE_AT_WORK and not call.release.old_commands:
        raise Fatal(b"killed with signal 11", crash=True)
    inner = msgspec.structs.replace(call, invocation=invocation, query=None)
    return (yield from invocation.command.function(inner))


def _prepared(call: Call, invocation: Invocation) -> Output:
    """Find where to synchronize with; only a replica can be asked for without a sender."""
    if not invocation.flag("default-destination"):
        raise Fatal(b"killed with signal 11", crash=True)
    yield from _run(call, invocation)
    return Status.TEMPFAIL


class _Rows:
    """Rows of all commands as rows of the batch, which begins each with the user's name."""

    def __init__(self, width: int) -> None:
        #: Columns of the batch without the name; 0: rows stay as they are.
        self._width = width
        self._values: Row = ()

    def add(self, row: Row) -> Iterator[Row]:
        """Take a row and yield those that are complete."""
        self._values += row
        width = self._width or len(row)
        while len(self._values) >= width:
            yield self._values[:width]
            self._values = self._values[width:]

    def rest(self) -> Iterator[Row]:
        """Yield what is no complete row."""
        if self._values:
            yield self._values
