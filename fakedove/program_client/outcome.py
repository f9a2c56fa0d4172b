"""What an execution came to, and the log that is kept of it on the way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fakedove.dovecot.program_client import Line, Verdict
from fakedove.dovecot.reply import Level
from fakedove.sessions.server_log import LogRecord

if TYPE_CHECKING:
    from fakedove.dovecot.program_client import ClientWords


@dataclass(frozen=True, slots=True)
class Execution:
    """What an execution came to."""

    verdict: Verdict
    #: What the program printed, as far as it came, without the result code.
    output: bytes = b""
    #: What Dovecot would have logged: the service's lines, if it is ours, then the client's.
    log: tuple[LogRecord, ...] = ()
    #: The program's environment; None: a service has run it that does not tell.
    environment: dict[str, str] | None = None
    #: Exit status, a signal as a negative number; None: nobody told.
    status: int | None = None
    #: The result code that came: `+` LF or `-` LF; None without one.
    result: bytes | None = None
    #: What the program wrote to stderr; empty if a service has run it that is not ours.
    stderr: bytes = b""

    @property
    def ok(self) -> bool:
        """Whether it succeeded."""
        return self.verdict is Verdict.SUCCESS


class ProgramLog:
    """The log of one execution, in the words of a release."""

    def __init__(self, words: ClientWords, label: bytes, name: bytes) -> None:
        """`label` is the program as a prefix has it, `name` as a line of old releases has it."""
        self.words = words
        self.label = label
        self.records: list[LogRecord] = []
        self._name = name

    def add(self, line: Line) -> None:
        """Add a line that is the same in all releases."""
        prefix = self.words.prefix % self.label if self.words.prefix else b""
        self.records.append(LogRecord(prefix, *line))

    def add_bare(self, line: Line) -> None:
        """Add a line of a process that knows nothing of the prefix."""
        self.records.append(LogRecord(b"", *line))

    def add_stream(self, text: bytes) -> None:
        """Add that a stream is at its end, where the release tells."""
        if self.words.tells_streams:
            self.add((Level.DEBUG, text))

    def add_timeout(self, seconds: float | None) -> None:
        """Add that the time is over."""
        self.add_worded(Level.ERROR, self.words.timed_out, msecs=round((seconds or 0) * 1000))

    def add_worded(self, level: Level, text: bytes, **values: bytes | int) -> None:
        """Add one of `words`, filled in."""
        known = {key.encode(): value for key, value in values.items()}
        self.add((level, text % (known | {b"name": self._name})))
