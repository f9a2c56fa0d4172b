"""One connection to a script service that runs a real program.

    accept ─▶ header (10 s, read to its end and no further) ─▶ Run ─▶ result code

The program gets the connection with whatever stands behind the header: that is its stdin.
"""

from __future__ import annotations

from collections.abc import Callable

from fakedove.double.invocations import Invocation
from fakedove.dovecot import scripts
from fakedove.dovecot.reply import Level
from fakedove.dovecot.scripts import ScriptService
from fakedove.plan import (
    SILENCE,
    AlarmRang,
    Close,
    Event,
    Peer,
    Plan,
    ProgramEnded,
    ProgramNotFound,
    ProgramSaid,
    Run,
    Send,
    Step,
    TimedOut,
)
from fakedove.sessions.script_log import ScriptLog
from fakedove.sessions.world import World
from fakedove.wire.script import (
    Header,
    HeaderError,
    header_length,
    parse_header,
    refuses_already,
)

_ROOM = 65536


class ScriptSession:
    """Reads the header, has the program run, and answers for it."""

    def __init__(self, world: World, service: ScriptService, listener: str) -> None:
        self._world = world
        self._service = service
        self._dialect = world.release.script.dialect
        self._log = ScriptLog(world, service.name)
        self._received = bytearray()
        self._header: Header | None = None
        #: Somebody waits for the program, to answer or to log how it ended.
        self._waits = False
        self._answers = False
        self.invocation = Invocation(
            next(world.connections), listener, service.name, started=world.store.clock.now()
        )

    @property
    def room(self) -> int:
        """How many bytes are looked at at once."""
        return _ROOM

    @property
    def take(self) -> Callable[[bytes], int] | None:
        """The header is ours; what follows it belongs to the program."""
        return self._take if self._header is None else None

    @property
    def deadline(self) -> float | None:
        """Seconds for the whole header."""
        return scripts.HEADER_SECONDS if self._header is None else None

    def open(self, peer: Peer) -> Plan:
        """Begin: a service with -p runs its program at once."""
        self._world.invocations.append(self.invocation)
        if self._service.passthrough:
            self._header = Header(option=None)
            return self._run(self._header)
        return SILENCE

    def receive(self, data: bytes) -> Plan:
        """Take a part of the header, b"" for EOF before its end."""
        self._received += data
        self.invocation.raw_header = bytes(self._received)
        if data and header_length(bytes(self._received)) is None:
            return SILENCE
        try:
            if not data and not refuses_already(bytes(self._received), self._dialect):
                self._log.line(scripts.DISCONNECTED, Level.FATAL)
                return self._refused()
            self._header = parse_header(bytes(self._received), self._dialect)
        except HeaderError as error:
            self._log.refusal(error.problem)
            return self._refused()
        return self._run(self._header)

    def wake(self, event: Event) -> Plan:
        """Hear of the program, or that the time for the header is over."""
        match event:
            case TimedOut():
                self._log.line(scripts.TIMED_OUT, Level.FATAL)
            case ProgramSaid(data):
                self._log.stderr(data)
            case ProgramNotFound(reason):
                return self._not_found(reason)
            case ProgramEnded(status, pid) if self._waits:
                return self._ended(status, pid)
            case AlarmRang():
                self._log.line(scripts.WAIT_INTERRUPTED)
                return self._answered(scripts.FAILURE)
        return SILENCE

    def end(self, unsent: int) -> None:
        """Learn that the connection is over."""
        if unsent:
            self._log.line(scripts.RESULT_LOST)
        self._finish()

    def _take(self, peeked: bytes) -> int:
        """Return how many bytes belong to the header."""
        start = max(len(self._received) - 1, 0)
        tail = bytes(self._received[start:])
        length = header_length(tail + peeked)
        return len(peeked) if length is None else length - len(tail)

    def _run(self, header: Header) -> Plan:
        service, invocation = self._service, self.invocation
        invocation.header = None if service.passthrough else header
        invocation.environment = service.environment(header)
        self._waits = True
        self._answers = not (header.noreply or service.passthrough or self._dialect.oneway)
        return (
            Run(
                service.words(header),
                tuple(invocation.environment.items()),
                self._world.base_dir,
                alarm=header.alarm,
                alarm_kills=not self._answers,
                connected=not self._dialect.oneway,
                alone=not self._answers,
            ),
        )

    def _refused(self) -> Plan:
        self._header = Header(option=None)
        return self._over(Close())

    def _not_found(self, reason: str) -> Plan:
        assert self._header is not None
        program = self._service.words(self._header)[0]
        self._log.line(scripts.exec_failure(program, reason), Level.FATAL)
        return self._ended(scripts.EXEC_FAILED, self._world.random.randrange(2, 32768))

    def _ended(self, status: int, pid: int) -> Plan:
        self.invocation.status = status
        if not self._answers:
            if status:
                self._log.child_end(pid, status)
            return self._over(Close())
        if status:
            self._log.line(scripts.abnormal_end(status))
        return self._answered(scripts.FAILURE if status else scripts.SUCCESS)

    def _answered(self, result: bytes) -> Plan:
        self.invocation.result = result
        return self._over(Send(result), Close())

    def _over(self, *steps: Step) -> Plan:
        """End the connection, with the journal complete before the client can see it."""
        self._waits = False
        self._finish()
        return steps

    def _finish(self) -> None:
        self._world.invocations.finish(self.invocation, self._world.store.clock.now())
