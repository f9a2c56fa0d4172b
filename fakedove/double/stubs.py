"""Stubs: answers that stand in for the store's, and cannot drift from the real server.

`on(...)` selects, `.reply`, `.fail` and `.raw` arm. Rows are mappings by column key, checked
against what the command prints in this release. The newest stub that matches wins; one that
is used up falls to the next, then to the store.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TypeAlias

from fakedove.double.journal import Exchange
from fakedove.double.selecting import NewestFirst, Selected, caller
from fakedove.dovecot import commands as _all_commands  # noqa: F401  # fills COMMANDS
from fakedove.dovecot import masks
from fakedove.dovecot.registry import COMMANDS, USERNAME_COLUMN, Command, Invocation
from fakedove.dovecot.release import Release
from fakedove.dovecot.reply import Level, Log, Output, Scope
from fakedove.dovecot.status import Status
from fakedove.errors import StubError, did_you_mean

Cell: TypeAlias = str | bytes | int | None
#: Printed for None: quota's "no limit".
_NOTHING = b"-"


class Answer:
    """What an armed stub answers."""

    __slots__ = ("log", "raw", "rows", "status", "suffix")

    def __init__(
        self,
        *,
        rows: Sequence[Mapping[str, Cell]] = (),
        status: Status = Status.OK,
        suffix: bytes = b"",
        raw: bytes | None = None,
        log: str | None = None,
    ) -> None:
        self.rows = rows
        self.status = status
        #: Text behind the status word, as `+ more text` or `-REFERRAL host` have it.
        self.suffix = suffix
        #: The whole reply instead of rows and status.
        self.raw = raw
        self.log = log

    def output(self, invocation: Invocation) -> Output:
        """Return the answer as a command's output.

        A username column is supplied where a row lacks it. Raises StubError for a row that
        lacks another column: for some commands they are known only now.
        """
        if self.log is not None:
            scope = Scope.MAIL if invocation.command.mail else Scope.COMMAND
            yield Log(self.log.encode(), Level.ERROR, scope)
        for row in self.rows:
            yield tuple([_printed(self._cell(row, key, invocation)) for key in invocation.columns])
        return self.status

    def _cell(self, row: Mapping[str, Cell], key: str, invocation: Invocation) -> Cell:
        if key in row:
            return row[key]
        if invocation.username_column and key == USERNAME_COLUMN:
            return invocation.username
        columns = ", ".join(invocation.columns)
        problem = f'"{invocation.command.name}" was asked for "{key}", which the stub lacks'
        raise StubError(f"{problem}; this call's columns are: {columns}")


class Stub(Selected):
    """One `on(...)`: what it answers to, and what it has answered."""

    def __init__(
        self,
        stubs: Stubs,
        command: str,
        *,
        user: str | None,
        args: Sequence[str] | None,
        listener: str | None,
        times: int | None,
        where: str,
    ) -> None:
        super().__init__(f"on({command!r})", times, where)
        self.command = command
        self.user = user
        self.args = None if args is None else tuple(args)
        self.listener = listener
        #: The exchanges it answered, oldest first.
        self.calls: list[Exchange] = []
        self.answer: Answer | None = None
        self._stubs = stubs

    def __repr__(self) -> str:
        user = "" if self.user is None else f", user={self.user!r}"
        return f"<Stub on({self.command!r}{user}) of {self.where}>"

    @property
    def armed(self) -> bool:
        """Whether it was told what to answer."""
        return self.answer is not None

    @property
    def used(self) -> int:
        """How often it has answered."""
        return len(self.calls)

    @property
    def complaint(self) -> str:
        """What is said of one that was never told what to answer."""
        return (
            f"{self.where}: on({self.command!r}) was never told what to answer; "
            "add .reply(...), .fail(...) or .raw(...)"
        )

    def reply(self, rows: Iterable[Mapping[str, Cell]] = (), *, log: str | None = None) -> Stub:
        """Answer with rows, each a mapping of every column key to its value, and `+`.

        None is printed as `-`. Raises StubError for a column that the command does not have
        in this release.
        """
        checked = [dict(row) for row in rows]
        with self._or_removed():
            for row in checked:
                self._stubs.check_row(self.command, row)
        return self._arm(Answer(rows=checked, log=log))

    def fail(self, status: str, detail: str = "", *, log: str | None = None) -> Stub:
        """Answer with a failure: "NOUSER", "TEMPFAIL", "NOTFOUND", ..., or "-" for a bare dash.

        `detail` stands behind the status, as the host of REFERRAL does; `log` is an error for
        the server log and the client's log channel. Raises StubError for a status that this
        release does not have.
        """
        suffix = f" {detail}".encode() if detail else b""
        with self._or_removed():
            code = self._stubs.status(status)
        return self._arm(Answer(status=code, suffix=suffix, log=log))

    def raw(self, reply: bytes, *, log: str | None = None) -> Stub:
        """Answer with exactly these bytes on the reply channel, status line included."""
        return self._arm(Answer(raw=reply, log=log))

    def remove(self) -> None:
        """Take the stub away."""
        self._stubs.remove(self)

    def matches(self, invocation: Invocation, listener: str) -> bool:
        """Whether this stub answers the command."""
        return (
            self.ready
            and (self.listener is None or self.listener == listener)
            and (self.user is None or self.user.encode() == invocation.username)
            and (self.args is None or self.args == _shown(invocation.fields))
            and masks.user_matches(self.command.encode(), invocation.command.name.encode())
        )

    @contextmanager
    def _or_removed(self) -> Iterator[None]:
        """Take the stub away if its answer is refused: that was told once already."""
        try:
            yield
        except StubError:
            self.remove()
            raise

    def _arm(self, answer: Answer) -> Stub:
        self.answer = answer
        return self


class Stubs(NewestFirst[Stub]):
    """The stubs for commands."""

    def __init__(self, release: Release) -> None:
        super().__init__()
        self._release = release

    def on(
        self,
        command: str,
        *,
        user: str | None = None,
        args: Sequence[str] | None = None,
        listener: str | None = None,
        times: int | None = None,
        where: str | None = None,
    ) -> Stub:
        """Select commands by name (`*` and `?` match), username field, fields and listener.

        `times` bounds how often the stub answers; `where` names the place in the test, by
        default the caller's line. Raises StubError for a command that the release does not
        know.
        """
        self._check_command(command)
        return self._add(
            Stub(
                self,
                command,
                user=user,
                args=args,
                listener=listener,
                times=times,
                where=caller() if where is None else where,
            )
        )

    def find(self, invocation: Invocation, listener: str) -> Stub | None:
        """Return the newest stub that answers the command."""
        for one in self._stubs:
            if one.matches(invocation, listener):
                return one
        return None

    def check_row(self, command: str, row: Mapping[str, Cell]) -> None:
        """Raise StubError unless `row` has just the columns that `command` prints."""
        for one in self._named(command):
            if callable(one.columns):
                continue
            wrong = [key for key in row if key not in one.columns]
            lacking = [key for key in one.columns if key not in row]
            if wrong or lacking:
                problem = f'no column "{wrong[0]}"' if wrong else f'a column "{lacking[0]}" more'
                columns = ", ".join(one.columns) or "none"
                raise StubError(f'"{one.name}" has {problem}; its columns are: {columns}')

    def status(self, name: str) -> Status:
        """Return the status called `name`; raise StubError if the release has no such."""
        known = self._known_statuses()
        if name not in known:
            text = f'unknown status "{name}"; Dovecot {self._release.number} has: '
            raise StubError(text + ", ".join(known))
        return known[name]

    def _known_statuses(self) -> dict[str, Status]:
        common = ("USAGE", "NOUSER", "NOPERM", "DATAERR", "NOTFOUND", "TEMPFAIL", "PROTOCOL")
        known = {name: Status[name] for name in (*common, "UNKNOWN")}
        known |= {status.name: status for status in self._release.extra_statuses}
        return known | {"-": Status.DASH}

    def _named(self, command: str) -> list[Command]:
        return [
            one
            for name, one in COMMANDS.items()
            if self._release.knows(name) and masks.user_matches(command.encode(), name.encode())
        ]

    def _check_command(self, command: str) -> None:
        if self._named(command):
            return
        known = sorted(name for name in COMMANDS if self._release.knows(name))
        near = did_you_mean(command, known)
        text = f'on(): no command "{command}" in Dovecot {self._release.number}{near}'
        raise StubError(f"{text} (there is: {', '.join(known)})")


def _printed(value: Cell) -> bytes:
    match value:
        case None:
            return _NOTHING
        case bytes():
            return value
        case _:
            return str(value).encode()


def _shown(fields: Sequence[bytes]) -> tuple[str, ...]:
    """Return the fields without what the doveadm program adds by itself: `-u user`, `--`."""
    shown = [field.decode(errors="replace") for field in fields if field != b"--"]
    if len(shown) >= 2 and shown[0] == "-u":
        shown = shown[2:]
    return tuple(shown)
