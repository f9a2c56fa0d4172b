"""The log lines of one doveadm connection: to the server log, and to a client that gets them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest

from fakedove.double.exchange import LogLine, Outcome
from fakedove.dovecot.daemons import LoggedError
from fakedove.dovecot.output import BLOCK
from fakedove.dovecot.reply import Level, Log, Scope
from fakedove.dovecot.rules import LogChannel
from fakedove.sessions.doveadm_process import DoveadmProcess
from fakedove.sessions.log_lines import overlapping_lines
from fakedove.sessions.log_prefix import SERVER_ONLY
from fakedove.sessions.outbox import Outbox
from fakedove.sessions.server_log import LogRecord
from fakedove.sessions.world import World
from fakedove.wire.doveadm_server import ServerConnection

#: Who speaks in what follows an LF in a log text, where that is not repeated.
_PREFIX = b"doveadm: "


class DoveadmLog:
    """Writes what the connection's process logs."""

    __slots__ = (
        "_connection",
        "_flooding",
        "_outbox",
        "_passes_through",
        "_process",
        "_world",
        "floods",
        "outcome",
        "spoke_last",
    )

    def __init__(
        self,
        world: World,
        process: DoveadmProcess,
        connection: ServerConnection,
        outbox: Outbox,
    ) -> None:
        """Log for `process` to `world`, and through `connection` into `outbox`."""
        #: What becomes of the command that the lines are about; None: they are about none.
        self.outcome: Outcome | None = None
        #: Whether a line was the last thing that the client got.
        self.spoke_last = False
        self._world = world
        self._process = process
        self._connection = connection
        self._outbox = outbox
        self._passes_through = False
        #: Whether the process says nothing any more but one line, without end.
        self.floods = False
        self._flooding = 0, b""

    def pass_through(self) -> None:
        """Let the client have the lines: it asked for them with OPTION."""
        self._passes_through = True

    def flood(self) -> None:
        """Say the line that has no end as often as fills a block."""
        self._outbox.put(self._connection.flood(*self._flooding, BLOCK))

    def tells(self, entry: Log) -> bool:
        """Whether the client gets this line."""
        return self._tells_client() and entry.scope not in SERVER_ONLY

    def write(self, entry: Log, command: bytes, username: bytes) -> None:
        """Write a line to the server log, and to the client if it gets such lines."""
        record = self._record_of(entry, command, username)
        if not self.tells(entry):
            self._write(record, ())
            return
        prefix = record.prefix if self._world.release.log_prefix else b""
        lines, endless = record.text.split(b"\n"), None
        if len(lines) > 1 and not self._world.release.dialect.splits_log_lines:
            lines, endless = overlapping_lines(record.text)
        if endless is not None:
            # The process never gets as far as the server log.
            self.floods, self._flooding = True, (entry.level, endless)
            self._process.lives = False
            self._note(entry.level, None, lines[0])
            self._outbox.put(self._connection.flood(*self._flooding, BLOCK, lines))
            return
        self.spoke_last = True
        told = [prefix + line for line in lines]
        self._write(record, told)
        self._outbox.put(self._connection.log(entry.level, told))

    def write_here(self, entry: Log, command: bytes, username: bytes) -> None:
        """Write a line to the server log alone."""
        self._write(self._record_of(entry, command, username), ())

    def write_of_connection(self, text: bytes) -> None:
        """Write an error of handshake, TLS or authentication to the server log."""
        self.write_here(Log(text, scope=Scope.CONNECTION), b"", b"")

    def _record_of(self, entry: Log, command: bytes, username: bytes) -> LogRecord:
        told = self._tells_client()
        prefix, text = self._process.prefix.of(entry, command, username, told=told)
        return LogRecord(prefix, entry.level, text)

    def _write(self, record: LogRecord, told: Sequence[bytes]) -> None:
        """Write each line of the text as a record of its own; the client is told of `told`."""
        prefix = record.prefix
        for text, channel in zip_longest(record.text.split(b"\n"), told):
            line = LogRecord(prefix, record.level, text)
            self._note(line.level, line.line, channel)
            self._write_line(line)
            prefix = record.prefix if self._world.release.log_repeats_prefix else _PREFIX

    def _note(self, level: Level, line: bytes | None, channel: bytes | None) -> None:
        outcome = self.outcome
        if outcome is not None:
            outcome.log += (LogLine(level, line, channel, len(outcome.writes)),)

    def _write_line(self, record: LogRecord) -> None:
        self._world.log.append(record)
        if record.level >= Level.WARNING:
            self._remember(record)

    def _remember(self, record: LogRecord) -> None:
        """Tell the log process, for `log errors`."""
        store = self._world.store
        level = record.level.name.capitalize()
        now = store.clock.now()
        store.daemons.errors.append(LoggedError(now, record.prefix, level, record.text))

    def _tells_client(self) -> bool:
        if not self._connection.logs:
            return False
        match self._world.release.log_channel:
            case LogChannel.NONE:
                return False
            case LogChannel.MULTIPLEXED:
                return True
            case LogChannel.OPTION:
                return self._connection.client_minor < 3 or self._passes_through
