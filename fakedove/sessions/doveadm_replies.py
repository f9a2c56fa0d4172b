"""The replies of one doveadm connection: a command runs, its output is cut, framed and kept.

A stub may answer instead of the command. Output is pulled only as far as one plan takes it.
"""

from __future__ import annotations

from dataclasses import dataclass

from msgspec.structs import replace

from fakedove.double import handling
from fakedove.double.answers import Answer
from fakedove.double.exchange import BODY_KEPT, Exchange, Outcome
from fakedove.double.request import Request
from fakedove.dovecot.registry import Call, Invocation
from fakedove.dovecot.reply import (
    Fatal,
    Item,
    Log,
    Output,
    Referral,
    Scope,
    Speaker,
    Takeover,
    Text,
)
from fakedove.dovecot.running import run
from fakedove.dovecot.status import Status
from fakedove.plan import PLAN_BYTES, Wait
from fakedove.plan import Call as Await
from fakedove.sessions.doveadm_handshake import Handshake
from fakedove.sessions.doveadm_log import DoveadmLog
from fakedove.sessions.doveadm_process import DoveadmProcess
from fakedove.sessions.outbox import CLOSE, GO_ON, Ending, Outbox
from fakedove.sessions.world import World
from fakedove.wire.doveadm_server import ServerConnection

#: Looking up a member of an enum takes longer than what is done with these for each command.
_NOUSER, _LOOKUP, _PROCESS = Status.NOUSER, Scope.LOOKUP, Scope.PROCESS
_CONNECTION = Scope.CONNECTION


@dataclass(frozen=True, slots=True)
class Said:
    """What a client sent that is answered without a command being run."""

    username: bytes
    #: The command's name and its arguments.
    fields: tuple[bytes, ...]
    line: bytes
    body: bytes = b""


class Replies:
    """Makes replies, one at a time; what they say goes into the outbox."""

    __slots__ = (
        "_answer",
        "_body",
        "_call",
        "_connection",
        "_exchange",
        "_formatter",
        "_framed",
        "_handshake",
        "_invocation",
        "_log",
        "_outbox",
        "_outcome",
        "_output",
        "_process",
        "_tells_events",
        "_world",
        "takeover",
        "under_way",
    )

    def __init__(
        self,
        world: World,
        process: DoveadmProcess,
        handshake: Handshake,
        connection: ServerConnection,
        log: DoveadmLog,
        outbox: Outbox,
    ) -> None:
        """Answer as `process` on `connection`; `handshake` knows who the client is."""
        self._world = world
        self._handshake = handshake
        self._connection = connection
        self._log = log
        self._outbox = outbox
        self._process = process
        self._formatter = process.formatter
        #: What a command said that has the connection for itself now.
        self.takeover: Takeover | None = None
        #: Whether a reply has begun and not ended: then `go_on` is to be called.
        self.under_way = False
        # The newest reply.
        self._output: Output | None = None
        self._invocation: Invocation | None = None
        self._call: Call | None = None
        self._body = b""
        self._answer: Answer | None = None
        self._tells_events = False
        #: The newest exchange, what becomes of it, and how many of its writes are in plans already.
        self._exchange: Exchange | None = None
        self._outcome = Outcome([])
        self._framed = 0

    @property
    def begun(self) -> bool:
        """Whether there was any command yet."""
        return self._exchange is not None

    def cut_short(self, unsent: int) -> None:
        """Note that nobody hears the rest, and how many bytes before it never left."""
        if unsent or self.under_way:
            sent = self._outbox.total - unsent
            self._world.journal.hang_up(self._handshake.client.number, sent)

    def start(self, invocation: Invocation, line: bytes, body: bytes) -> Ending:
        """Begin the reply to a command line; `body` is the mail that followed it."""
        self._invocation = invocation
        self._body = body
        exchange = self._new_exchange(
            invocation.command.name, invocation.username, invocation.fields, line, body
        )
        # The column of user names is registered even where there are no others.
        self._formatter.register(len(invocation.columns) or int(invocation.username_column))
        self.under_way = True
        self._tells_events = self._process.verbose and self._world.release.tells_events_late
        self._process.verbose = invocation.verbose
        self._answer = self._call = None
        answer = self._world.stubs.answer(exchange)
        if answer is not None:
            self._outcome.stub = answer.where
            return self._answer_with(answer)
        self._output = self._of_store()
        return self.go_on()

    def found(self, result: object) -> Ending:
        """Take what a handler has found that was awaited."""
        assert self._invocation is not None
        return self._delayed(self._handled(result))

    def go_on(self) -> Ending:
        """Take items of the output until it ends or fills the plan."""
        invocation, output = self._invocation, self._output
        assert invocation is not None
        assert output is not None
        formatter, writes = self._formatter, self._outcome.writes
        try:
            while formatter.written < PLAN_BYTES:
                item = next(output)
                if isinstance(item, tuple):
                    formatter.row(item, writes)
                else:
                    self._take(item, invocation, writes)
                    if self._log.floods:
                        return GO_ON
        except StopIteration as end:
            return self._finish(invocation, end.value)
        except Referral as referral:
            return self._end(Status.REFERRAL, mail=True, suffix=b" " + referral.destination)
        except Fatal as fatal:
            return self.die(fatal, invocation.command.name.encode(), invocation.username)
        self._fill_plan(writes)
        return GO_ON

    def fail(self, said: Said, status: Status, log: tuple[Log, ...], *, mail: bool) -> Ending:
        """Reply to a command that does not run."""
        name, *arguments = said.fields
        self._new_exchange(
            name.decode(errors="replace"), said.username, tuple(arguments), said.line, said.body
        )
        for entry in log:
            self._log.write(entry, name, said.username)
        return self._end(status, mail=mail)

    def die(self, fatal: Fatal, command: bytes, username: bytes) -> Ending:
        """End as the real process does when it dies: EOF, no status line."""
        self._frame(self._outcome.writes)
        if self.under_way:
            self._outcome.ended = self._world.store.clock.nanoseconds()
            self._outcome.end = self._outbox.total
            self._tell()
        self.under_way = False
        for entry in fatal.log:
            self._log.write(entry, command, username)
        text = fatal.text
        if fatal.crash:
            text += b" (the real server crashes here)"
        self._log.write_here(Log(text, fatal.level, fatal.scope), command, username)
        self._process.lives = False
        return CLOSE

    def give_back(self, said: bytes) -> Ending:
        """End the connection of a command that had it for itself; the client said this."""
        assert self.takeover is not None
        assert self._exchange is not None
        farewell = self.takeover.farewell(said)
        self._log.write(farewell, self._exchange.command.encode(), self._exchange.username)
        return CLOSE

    def _answer_with(self, answer: Answer) -> Ending:
        """Begin what a stub answers; nothing else happens on the connection until then."""
        if answer.handler is None:
            return self._delayed(answer)
        assert self._exchange is not None
        request = Request(self._exchange, self._world.stubs.checks)
        found, awaited = handling.find(answer.handler, request)
        return self._delayed(self._handled(found)) if awaited is None else (Await(awaited),)

    def _handled(self, result: object) -> Answer:
        assert self._invocation is not None
        return self._world.stubs.checks.handled(self._invocation.command.name, result)

    def _delayed(self, answer: Answer) -> Ending:
        assert self._invocation is not None
        self._answer = answer
        self._output = answer.output(self._invocation, self._of_store)
        return (Wait(answer.delay),) if answer.delay else self.go_on()

    def _of_store(self) -> Output:
        world, invocation = self._world, self._invocation
        assert invocation is not None
        self._call = Call(
            world.release,
            world.store,
            invocation,
            world.read_file,
            self._body,
            world.doveadm_port,
            world.base_dir,
            world.directory,
            world.hostname,
            self._process.opened,
            self._process.opened is not None and not self._process.bound,
            self._process.prefix.settled,
            self._tells_events,
        )
        return run(self._call)

    def _take(self, item: Item, invocation: Invocation, writes: list[bytes]) -> None:
        """Take what is no row."""
        match item:
            case Text():
                self._formatter.text(item.data, writes)
            case Speaker():
                self._process.prefix.settle(item.scope, invocation.username)
            case Takeover():
                self.takeover = item
            case Log():
                self._take_log(item, invocation, writes)

    def _take_log(self, item: Log, invocation: Invocation, writes: list[bytes]) -> None:
        """Write a log line; with it leaves what waits, behind it if it is the line's turn.

        A multiplexed connection lets the channel go first that has been silent for longer.
        """
        name, told = invocation.command.name.encode(), self._log.tells(item)
        self._frame(writes)
        if told and self._log.spoke_last:
            self._formatter.flush_waiting(writes)
            self._frame(writes)
        self._log.write(item, name, invocation.username)
        if told:
            self._formatter.flush_waiting(writes)
            self._frame(writes)

    def _finish(self, invocation: Invocation, status: Status) -> Ending:
        mail, answer, suffix = invocation.command.mail, self._answer, b""
        process = self._process
        if mail:
            # What it leaves in the process: the log prefix and its rights.
            if status is _NOUSER:
                process.prefix.settle(_LOOKUP, invocation.username)
            else:
                scope = _CONNECTION if self._clears_log_pid(invocation) else _PROCESS
                process.prefix.settle(scope, invocation.username)
                process.bound = process.bound or invocation.old
            if self._call is not None:
                process.opened, self._call = self._call.opened, None
        if answer is not None:
            if answer.raw is not None:
                return self._end_raw(answer.raw)
            suffix = answer.suffix
        return self._end(
            status, mail=mail, flushes=invocation.flushes, suffix=suffix, old=invocation.old
        )

    def _clears_log_pid(self, invocation: Invocation) -> bool:
        """Whether a command leaves the process without its id in log lines."""
        cleared = self._world.release.iteration_clears_log_pid and invocation.flag("all-users")
        return cleared or invocation.flag("user-file")

    def _end(
        self,
        status: Status,
        *,
        mail: bool,
        flushes: bool = False,
        suffix: bytes = b"",
        old: bool = False,
    ) -> Ending:
        self._outcome.status = status
        writes = self._outcome.writes
        self._formatter.end(status, writes, mail=mail, flushes=flushes, suffix=suffix, old=old)
        if self.takeover is not None:
            first, *rest = self.takeover.greeting
            writes[-1] += first
            writes += rest
            self._connection.expect_body()
        return self._leave(writes)

    def _end_raw(self, raw: bytes) -> Ending:
        self._outcome.writes.append(raw)
        return self._leave(self._outcome.writes)

    def _leave(self, writes: list[bytes]) -> Ending:
        self.under_way = False
        self._frame(writes)
        outcome = self._outcome
        outcome.ended = self._world.store.clock.nanoseconds()
        outcome.end = self._outbox.total
        self._tell()
        return CLOSE if self._world.release.one_command else GO_ON

    def _tell(self) -> None:
        """Have those who wait for it know that the answer is complete."""
        journal, exchange = self._world.journal, self._exchange
        if journal.watchers and exchange is not None:
            journal.tell(exchange)

    def _frame(self, writes: list[bytes]) -> None:
        """Put what was written, and is not there yet, into the plan."""
        if len(writes) > self._framed:
            self._log.spoke_last = False
            self._outbox.put(self._connection.data(*writes[self._framed :]))
            self._framed = len(writes)
        self._formatter.written = 0

    def _fill_plan(self, writes: list[bytes]) -> None:
        """Put what was written, and is not there yet, into the plan as far as one takes it."""
        start = end = self._framed
        size = 0
        while end < len(writes) and size < PLAN_BYTES:
            size += len(writes[end])
            end += 1
        self._log.spoke_last = False
        self._outbox.put(self._connection.data(*writes[start:end]))
        self._framed = end
        self._formatter.written -= size

    def _new_exchange(
        self, name: str, username: bytes, fields: tuple[bytes, ...], line: bytes, body: bytes
    ) -> Exchange:
        world, client = self._world, self._handshake.client
        self._outcome = self._log.outcome = outcome = Outcome([], self._outbox.total)
        began = world.store.clock.nanoseconds()
        exchange = Exchange(client, name, username, fields, line, began, outcome)
        if body:
            exchange = replace(exchange, body=body[:BODY_KEPT], body_size=len(body))
        self._exchange = exchange
        self._framed = 0
        world.journal.append(exchange)
        return exchange
