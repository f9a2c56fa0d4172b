"""What a script service writes to the server log, its programs' stderr included."""

from __future__ import annotations

from fakedove.dovecot import scripts
from fakedove.dovecot.reply import Level
from fakedove.sessions.server_log import LogRecord
from fakedove.sessions.world import World
from fakedove.wire.log_line import LogLine, parse_log_line
from fakedove.wire.script import Problem


class ScriptLog:
    """The log of one script service."""

    def __init__(self, world: World, service: str) -> None:
        self._world = world
        self._service = service
        self._prefix = scripts.log_prefix(service, world.release)

    def line(self, text: bytes, level: Level = Level.ERROR) -> None:
        """Write one line."""
        self._world.log.append(LogRecord(self._prefix, level, text))

    def refusal(self, problem: Problem) -> None:
        """Say why a header was refused; the real process dies of one that ends too early."""
        if problem is Problem.CRASH:
            pid = self._world.random.randrange(2, 32768)
            self._master(scripts.child_crash(self._service, pid))
        else:
            self.line(scripts.REFUSALS[problem], Level.FATAL)

    def child_end(self, pid: int, status: int) -> None:
        """Say how a program ended that nobody answers for."""
        self._master(scripts.child_end(self._service, pid, status))

    def _master(self, text: bytes) -> None:
        prefix = b"%b: " % self._service.encode()
        self._world.log.append(LogRecord(prefix, Level.FATAL, b"master: " + text))

    def stderr(self, data: bytes) -> None:
        """Write the whole lines of a program's stderr; the rest waits for the next one's."""
        kept = self._world.script_stderr.setdefault(self._service, bytearray())
        *lines, rest = (bytes(kept) + data).split(b"\n")
        kept[:] = rest
        for line in lines:
            self._said(parse_log_line(line))

    def _said(self, line: LogLine) -> None:
        """Write what the log process makes of a line."""
        if line.broken is not None:
            pid = self._world.random.randrange(2, 32768)
            warning = LogRecord(b"log(%d): " % pid, Level.WARNING, scripts.broken_line(line.broken))
            self._world.log.append(warning)
        prefix = self._prefix if line.prefix is None else line.prefix
        self._world.log.append(LogRecord(prefix, Level(line.level), line.text))
