"""One connection to a script service.

    accept ─▶ header (10 s, read to its end and no further) ─▶ Run or a stub ─▶ result code

A program gets the connection with whatever stands behind the header: that is its stdin.
"""

from __future__ import annotations

from collections.abc import Callable

from fakedove.double.invocations import Invocation
from fakedove.double.script_reply import Answer, ScriptReply
from fakedove.dovecot import scripts
from fakedove.dovecot.reply import Level
from fakedove.dovecot.scripts import ScriptService
from fakedove.plan import (
    SILENCE,
    AlarmRang,
    Close,
    Event,
    Feed,
    Peer,
    Plan,
    ProgramEnded,
    ProgramNotFound,
    ProgramSaid,
    ProgramWrote,
    Run,
    TimedOut,
)
from fakedove.sessions.script_ending import ScriptEnding
from fakedove.sessions.script_log import ScriptLog
from fakedove.sessions.script_stream import ScriptStream
from fakedove.sessions.scripted import Scripted
from fakedove.sessions.world import World
from fakedove.wire.script import (
    Header,
    HeaderError,
    header_length,
    parse_header,
    refuses_already,
)

_ROOM = 65536
_NOTHING = ScriptReply()


class ScriptSession:
    """Reads the header, has the program run or a stub answer, and says how that ended."""

    def __init__(self, world: World, service: ScriptService, listener: str) -> None:
        self._world = world
        self._service = service
        self._dialect = world.release.script.dialect
        self._log = ScriptLog(world, service.name)
        self._received = bytearray()
        self._header: Header | None = None
        #: What stands in for the program.
        self._scripted: Scripted | None = None
        #: A program runs whose bytes pass through here.
        self._relays = False
        #: Nobody can write to the client any more, as far as that is seen here.
        self._silent = True
        self.invocation = Invocation(
            next(world.connections), listener, service.name, started=world.store.clock.now()
        )
        self._ending = ScriptEnding(world, self.invocation, self._log)
        self._stream = ScriptStream(self.invocation, dotstream=service.dotstream)

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
        answer = self._world.script_stubs.answer_at_once(self.invocation)
        if answer is not None:
            self._header = Header(option=None)
            return self._stand_in(answer)
        if self._service.passthrough:
            self._header = Header(option=None)
            return self._begin(self._header)
        return SILENCE

    def receive(self, data: bytes) -> Plan:
        """Take a part of the header, or of what follows it; b"" for EOF."""
        if self._scripted is not None:
            return self._scripted.receive(data)
        if self._relays:
            return self._feed(data)
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
        return self._begin(self._header)

    def wake(self, event: Event) -> Plan:
        """Hear of the program or its stub, or that the time for the header is over."""
        if self._scripted is not None:
            return self._scripted.wake(event)
        match event:
            case TimedOut():
                self._log.line(scripts.TIMED_OUT, Level.FATAL)
            case ProgramSaid(data):
                self._log.stderr(data)
            case ProgramNotFound(reason):
                return self._not_found(reason)
            case ProgramWrote(data):
                return self._stream.stdout(data) if data else self._fall_silent()
            case ProgramEnded(status, pid):
                return self._answered(self._ending.result(status, pid=pid))
            case AlarmRang():
                return self._answered(self._ending.interrupted())
        return SILENCE

    def end(self, unsent: int) -> None:
        """Learn that the connection is over."""
        if unsent or (self._scripted is not None and self._scripted.owes_result):
            self._log.line(scripts.RESULT_LOST)
        self._ending.finish()

    def _take(self, peeked: bytes) -> int:
        """Return how many bytes belong to the header."""
        start = max(len(self._received) - 1, 0)
        tail = bytes(self._received[start:])
        length = header_length(tail + peeked)
        return len(peeked) if length is None else length - len(tail)

    def _refused(self) -> Plan:
        self._header = Header(option=None)
        return self._ending.over(Close())

    def _begin(self, header: Header) -> Plan:
        service, invocation = self._service, self.invocation
        invocation.header = None if service.passthrough else header
        invocation.environment = service.environment(header)
        silent = header.noreply or service.passthrough or self._dialect.oneway
        self._ending.answers = not silent
        answer = self._world.script_stubs.answer(invocation)
        if answer is None and service.program:
            return self._run(header)
        # Nothing and nobody: as a program that does nothing.
        return self._stand_in(_NOTHING if answer is None else answer)

    def _stand_in(self, answer: Answer) -> Plan:
        alarm = 0 if self._header is None else self._header.alarm
        self._scripted = Scripted(answer, self.invocation, self._stream, self._ending, alarm)
        return self._scripted.begin()

    def _run(self, header: Header) -> Plan:
        self._relays = self._service.relayed
        self._silent = not self._relays
        return (
            Run(
                self._service.words(header),
                tuple(self.invocation.environment.items()),
                self._world.base_dir,
                alarm=header.alarm,
                alarm_kills=not self._ending.answers,
                connected=not self._dialect.oneway,
                alone=not self._ending.answers,
                relayed=self._relays,
            ),
        )

    def _feed(self, data: bytes) -> Plan:
        """Hand on a part of stdin, b"" for EOF."""
        had_ended = self._stream.stdin_ended
        heard = self._stream.stdin(data)
        fed: Plan = (Feed(heard),) if heard else ()
        return (*fed, Feed(b"")) if self._stream.stdin_ended and not had_ended else fed

    def _fall_silent(self) -> Plan:
        """Close when the last process is gone that could write, if the client has its answer."""
        self._silent = True
        return SILENCE if self.invocation.ended is None else (Close(),)

    def _answered(self, result: Plan) -> Plan:
        """Answer; what the program left behind may go on writing where that is relayed."""
        answer = self._ending.over(*self._stream.end(), *result)
        return (*answer, Close()) if self._silent else answer

    def _not_found(self, reason: str) -> Plan:
        assert self._header is not None
        program = self._service.words(self._header)[0]
        self._log.line(scripts.exec_failure(program, reason), Level.FATAL)
        self._silent = True
        return self._answered(self._ending.result(scripts.EXEC_FAILED))
