"""What the real server of a release could answer: its commands, their columns, its statuses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from fakedove.double.answers import Answer, Cell, checked_rows
from fakedove.double.patterns import Pattern, exactly
from fakedove.double.spelling import is_command
from fakedove.dovecot.commands import COMMANDS
from fakedove.dovecot.release import Release
from fakedove.dovecot.status import Status
from fakedove.errors import StubError, did_you_mean


class Checks:
    """Makes the answers that a release's server could give, and refuses all others."""

    def __init__(self, release: Release) -> None:
        self._release = release

    def reply(
        self,
        command: Pattern,
        rows: Iterable[Mapping[str, object]],
        *,
        delay: float = 0.0,
        log: str | None = None,
    ) -> Answer:
        """Return an answer of rows; raises StubError unless each has the command's columns."""
        checked = checked_rows("reply()", rows)
        for row in checked:
            self._check_row(command, row)
        return Answer(checked, delay=delay, log=log)

    def failure(
        self, status: str, detail: str = "", *, delay: float = 0.0, log: str | None = None
    ) -> Answer:
        """Return the answer of a failure; raises StubError if the release has no such status."""
        suffix = f" {detail}".encode() if detail else b""
        return Answer(status=self._status(status), suffix=suffix, delay=delay, log=log)

    def handled(self, command: str, result: object) -> Answer:
        """Return what a handler's result means; raises StubError for anything else."""
        match result:
            case Answer():
                return result
            case None:
                return Answer(passes=True)
            case list() | tuple() if all(isinstance(row, Mapping) for row in result):
                return self.reply(exactly(command), result)
        raise StubError(
            "a handler must return rows, None, or what the request's reply(), fail(), raw() or "
            f"passthrough() makes, not {result!r}"
        )

    def check_command(self, command: Pattern) -> None:
        """Raise StubError for what matches no command of the release."""
        if any(self._names(command)):
            return
        name, number = command.literal, self._release.number
        if name is None:
            raise StubError(f"no command matches {command!r} in Dovecot {number}{self._known()}")
        text = f'no command "{name}" in Dovecot {number}'
        if is_command(name):
            raise StubError(f"{text}; other releases have it")
        near = did_you_mean(name, filter(self._release.knows, COMMANDS))
        raise StubError(f"{text}{near or self._known()}")

    def _known(self) -> str:
        return f" (there is: {', '.join(sorted(filter(self._release.knows, COMMANDS)))})"

    def _check_row(self, command: Pattern, row: Mapping[str, Cell]) -> None:
        for name in self._names(command):
            one = COMMANDS[name]
            if callable(one.columns):
                continue
            wrong = [key for key in row if key not in one.columns]
            lacking = [key for key in one.columns if key not in row]
            if wrong or lacking:
                problem = f'no column "{wrong[0]}"' if wrong else f'a column "{lacking[0]}" more'
                columns = ", ".join(one.columns) or "none"
                raise StubError(f'"{one.name}" has {problem}; its columns are: {columns}')

    def _status(self, name: str) -> Status:
        common = ("USAGE", "NOUSER", "NOPERM", "DATAERR", "NOTFOUND", "TEMPFAIL", "PROTOCOL")
        known = {word: Status[word] for word in (*common, "UNKNOWN")}
        known |= {status.name: status for status in self._release.extra_statuses}
        known["-"] = Status.DASH
        if name not in known:
            text = f'unknown status "{name}"; Dovecot {self._release.number} has: '
            raise StubError(text + ", ".join(known))
        return known[name]

    def _names(self, command: Pattern) -> Iterator[str]:
        """Yield the names of the release's commands that are meant."""
        return (name for name in COMMANDS if self._release.knows(name) and command.matches(name))
