"""What a stub answers to a command, in the place of the store or with its help."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from fakedove.dovecot.registry import USERNAME_COLUMN, Invocation
from fakedove.dovecot.reply import Level, Log, Output, Pieced, Row, Scope, Streamed, Value
from fakedove.dovecot.status import Status
from fakedove.errors import StubError

#: What can stand in a row; None is printed as `-`.
Cell: TypeAlias = str | bytes | int | None
Rows: TypeAlias = Sequence[Mapping[str, Cell]]
#: Changes the store's rows, whose values are texts; may return others.
Edit: TypeAlias = Callable[[list[dict[str, str]]], Rows | None]

#: Printed for None: quota's "no limit".
_NOTHING = b"-"


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer; made by the methods of `Stub` and `Request`, which check it."""

    rows: Rows = ()
    status: Status = Status.OK
    #: Text behind the status word, as `+ more text` or `-REFERRAL host` have it.
    suffix: bytes = b""
    #: The whole reply instead of rows and status.
    raw: bytes | None = None
    #: An error for the server log and the client's log channel, before anything else.
    log: str | None = None
    #: Seconds before it begins.
    delay: float = 0.0
    #: The store answers.
    passes: bool = False
    #: What is done to the store's rows.
    edit: Edit | None = None
    #: Finds the answer; it is given a `Request`.
    handler: Callable[..., object] | None = None
    #: File and line of the stub that was armed with it.
    where: str | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be sent, or waited for."""
        if self.raw is not None and not isinstance(self.raw, bytes):
            raise StubError(f"raw() takes bytes, not {self.raw!r}")
        if self.log is not None and not isinstance(self.log, str):
            raise StubError(f"log must be a text, not {self.log!r}")
        delay: object = self.delay
        is_number = isinstance(delay, int | float) and not isinstance(delay, bool)
        if not is_number or not 0 <= self.delay < math.inf:
            raise StubError(f"delay must be a number of seconds, 0 or more, not {delay!r}")

    def output(self, invocation: Invocation, store: Callable[[], Output]) -> Output:
        """Return the answer as a command's output; `store` begins that of the store.

        A username column is supplied where a row lacks it. Raises StubError for a row that
        lacks another column: for some commands they are known only now.
        """
        if self.log is not None:
            scope = Scope.MAIL if invocation.command.mail else Scope.COMMAND
            yield Log(self.log.encode(), Level.ERROR, scope)
        if self.edit is not None:
            return (yield from self._edited(invocation, store(), self.edit))
        if self.passes:
            return (yield from store())
        yield from _printed_rows(self.rows, invocation)
        return self.status

    def _edited(self, invocation: Invocation, output: Output, edit: Edit) -> Output:
        values: list[str] = []
        try:
            while True:
                item = next(output)
                if isinstance(item, tuple):
                    values += map(_text, item)
                else:
                    yield item
        except StopIteration as end:
            status: Status = end.value
        columns = invocation.columns
        starts = range(0, len(values), len(columns) or 1)
        rows = [dict(zip(columns, values[start:], strict=False)) for start in starts]
        changed = edit(rows)
        rows_left = checked_rows("edit()", rows if changed is None else changed)
        for row in rows_left:
            if unknown := [key for key in row if key not in columns]:
                known = ", ".join(columns)
                text = f'edit(): "{invocation.command.name}" was not asked for "{unknown[0]}"'
                raise StubError(f"{text}; this call's columns are: {known}")
        yield from _printed_rows(rows_left, invocation)
        return status


def checked_rows(taker: str, rows: object) -> list[dict[str, Cell]]:
    """Return copies of rows; raises StubError for what is none, in the name of its taker."""
    if isinstance(rows, Mapping | str | bytes) or not isinstance(rows, Iterable):
        raise StubError(f"{taker} takes a list of rows, each a mapping, not {rows!r}")
    copied = []
    for row in rows:
        if not isinstance(row, Mapping):
            raise StubError(f"{taker}: a row is a mapping from column keys to values, not {row!r}")
        copied.append({key: _checked_cell(key, value) for key, value in row.items()})
    return copied


def _checked_cell(key: str, value: object) -> Cell:
    if isinstance(value, Cell) and not isinstance(value, bool):
        return value
    raise StubError(f'column "{key}" is a text, bytes, a whole number or None, not {value!r}')


def _printed_rows(rows: Rows, invocation: Invocation) -> Iterator[Row]:
    for row in rows:
        yield tuple([_printed(_cell(row, key, invocation)) for key in invocation.columns])


def _cell(row: Mapping[str, Cell], key: str, invocation: Invocation) -> Cell:
    if key in row:
        return row[key]
    if invocation.username_column and key == USERNAME_COLUMN:
        return invocation.username
    columns = ", ".join(invocation.columns)
    problem = f'"{invocation.command.name}" was asked for "{key}", which the stub lacks'
    raise StubError(f"{problem}; this call's columns are: {columns}")


def _printed(value: Cell) -> bytes:
    match value:
        case None:
            return _NOTHING
        case bytes():
            return value
        case _:
            return str(value).encode(errors="surrogateescape")


def _text(value: Value) -> str:
    match value:
        case Streamed():
            data = value.data
        case Pieced():
            data = b"".join(value.pieces)
        case _:
            data = value
    return data.decode(errors="surrogateescape")
