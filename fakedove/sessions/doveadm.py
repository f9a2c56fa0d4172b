"""The doveadm service: one client's conversation with doveadm-server.

Bytes become events in `wire.doveadm`, command lines become invocations in `dovecot.dispatch`,
stubs may answer instead, and what comes out is framed and put into plans near 64 kB each.
"""

from __future__ import annotations

import enum
from typing import TypeAlias

import msgspec

from fakedove.double.journal import Exchange
from fakedove.double.stubs import Answer
from fakedove.dovecot import dispatch
from fakedove.dovecot.daemons import LoggedError
from fakedove.dovecot.output import BLOCK, Formatter
from fakedove.dovecot.registry import Call, Invocation
from fakedove.dovecot.release import LogChannel
from fakedove.dovecot.reply import (
    Fatal,
    Level,
    Log,
    Output,
    Referral,
    Scope,
    Speaker,
    Takeover,
    Text,
)
from fakedove.dovecot.status import Status
from fakedove.errors import ProtocolError
from fakedove.plan import (
    PLAN_BYTES,
    SILENCE,
    Close,
    Continue,
    Event,
    Peer,
    Plan,
    Send,
    Stall,
    StartTls,
    Step,
    TlsFailed,
    TlsReady,
)
from fakedove.sessions import doveadm_texts as texts
from fakedove.sessions.command_line import (
    LOG_PASSTHROUGH,
    ClientFault,
    CommandLine,
    parse_command_line,
)
from fakedove.sessions.log_prefix import SERVER_ONLY, LogPrefix
from fakedove.sessions.server_log import LogRecord
from fakedove.sessions.world import ListenerSettings, World
from fakedove.wire import doveadm as wire
from fakedove.wire.doveadm_server import ServerConnection
from fakedove.wire.handshake import Fault, plain_password

_PREAUTHENTICATED_MODE = 0o600
_CLOSE: tuple[Step, ...] = (Close(),)
_Ending: TypeAlias = tuple[Step, ...]
_NOTHING_ELSE: _Ending = ()
#: Bytes that are kept of what is said to a command that has the connection for itself.
_OVERHEARD = 1024


class _Getopt(enum.Enum):
    """What a bad option left of getopt in releases before 2.2."""

    SOUND = enum.auto()
    FAILS = enum.auto()
    KILLS = enum.auto()


_SOUND = _Getopt.SOUND


class _Running(msgspec.Struct, frozen=True, gc=False):
    """A reply that is being made."""

    invocation: Invocation
    output: Output
    exchange: Exchange
    answer: Answer | None


class DoveadmSession:
    """One connection to a doveadm listener, from accept to close."""

    deadline: float | None = None

    def __init__(self, world: World, settings: ListenerSettings) -> None:
        self._world = world
        self._release = world.release
        self._settings = settings
        self._number = next(world.connections)
        self._peer = Peer()
        self._connection = ServerConnection(world.release.dialect)
        self._formatter = Formatter(world.release, world.escaped)
        self._prefix = LogPrefix(world.release, None, b"")
        #: A log line that this release's process now repeats until it is killed.
        self._flood: tuple[int, bytes] | None = None
        self._option_passthrough = False
        self._tells_of_tls = False
        self._running: _Running | None = None
        self._exchange: Exchange | None = None
        self._body: bytearray | None = None
        #: What a command said that has the connection for itself now.
        self._takeover: Takeover | None = None
        self._pending: Invocation | None = None
        self._broken = _SOUND
        #: Whose mail the process has opened.
        self._opened: bytes | None = None
        #: Nothing is under way: the next bytes begin a command.
        self._idle = False
        # With a list of allowed commands the answer also depends on the listener.
        restricted = settings.allowed_commands is not None
        self._lines: dict[bytes, Invocation] = {} if restricted else world.lines
        #: How many writes of the exchange are in plans already.
        self._framed = 0
        self._out: list[bytes] = []
        self._size = 0

    # The session contract ------------------------------------------------------------

    @property
    def room(self) -> int:
        """Bytes that still fit before a line is too long."""
        return self._release.dialect.line_limit if self._idle else self._connection.room

    def open(self, peer: Peer) -> Plan:
        """Begin; releases up to 2.2.33 greet first, inside TLS on a TLS listener."""
        self._peer = peer
        preauthenticated = peer.mode == _PREAUTHENTICATED_MODE
        over_tls = self._settings.ssl == "yes"
        self._connection = ServerConnection(
            self._release.dialect,
            preauthenticated=preauthenticated,
            in_tls=over_tls,
        )
        self._prefix = LogPrefix(self._release, peer.address, self._world.new_session_id())
        if over_tls:
            self._tells_of_tls = True
            return (StartTls(b""),)
        return self._greet()

    def receive(self, data: bytes) -> Plan:
        """Take bytes of the client, b"" for EOF."""
        # Nearly always this is one command that was seen before. It goes without the events
        # that all the others take.
        invocation = self._lines.get(data) if self._idle else None
        self._idle = False
        if invocation is None:
            self._connection.receive(data)
            return self._go_on()
        self._invoke(invocation)
        if self._running is not None:
            ending = self._produce(self._running)
            if self._running is None:
                self._idle = not invocation.breaks_next and self._takeover is None
                return self._plan(ending)
        return self._go_on()

    def wake(self, event: Event) -> Plan:
        """Go on after a full plan or a TLS handshake."""
        if isinstance(event, TlsReady):
            if self._connection.state is wire.State.TLS:
                self._connection.tls_up()
                return self._go_on()
            return self._greet()
        if isinstance(event, TlsFailed):
            if self._tells_of_tls:
                self._log_connection(texts.tls_failed(event.reason))
            return _CLOSE
        return self._go_on()

    def end(self, unsent: int) -> None:
        """Note that the connection is over: what is still running was not heard to its end."""
        if self._exchange is not None and (unsent or self._running is not None):
            self._exchange.cut_short = True

    # Events --------------------------------------------------------------------------

    def _greet(self) -> Plan:
        greeting = self._connection.greet()
        return (Send(greeting),) if greeting else SILENCE

    def _go_on(self) -> Plan:
        """Answer what has been received until input or the plan's size runs out."""
        while True:
            if self._size >= PLAN_BYTES:
                return self._plan((Continue(),))
            if self._flood is not None:
                self._send(self._connection.flood(*self._flood, size=BLOCK))
                continue
            if self._running is not None:
                ending = self._produce(self._running)
            else:
                try:
                    event = self._connection.next_event()
                except ProtocolError as error:
                    ending = self._client_fault(error.fault)
                else:
                    if event is wire.NEED_DATA:
                        self._idle = self._connection.idle and self._broken is _SOUND
                        return self._plan(_NOTHING_ELSE)
                    ending = self._answer(event)
            if ending:
                return self._plan(ending)

    def _plan(self, ending: _Ending) -> Plan:
        if not self._out:
            return ending
        send = Send(b"".join(self._out))
        self._out.clear()
        self._size = 0
        return (send, *ending) if ending else (send,)

    def _send(self, data: bytes) -> None:
        if data:
            self._out.append(data)
            self._size += len(data)

    def _answer(self, event: wire.Event) -> _Ending:
        match event:
            case wire.Line():
                return self._line(event.line)
            case wire.Body():
                return self._take_body(event)
            case wire.Hello():
                self._send(self._connection.answer_hello())
                return _NOTHING_ELSE
            case wire.Authenticate():
                return self._authenticate(event)
            case _:
                return self._eof()

    def _client_fault(self, fault: object) -> _Ending:
        state = self._connection.state
        self._send(self._connection.close())
        if fault is Fault.LINE_TOO_LONG and self._release.dialect.spins_on_long_line:
            return (Stall(),)
        if state is wire.State.VERSION:
            tls = self._settings.ssl == "yes" and self._release.log_tls_closed
            self._log_connection(texts.handshake_fault(Fault(fault), over_tls=tls))
        elif state is wire.State.AUTH:
            self._send(b"-\n" if self._release.dialect.answers_auth else b"")
        return _CLOSE

    def _eof(self) -> _Ending:
        state = self._connection.state
        if state is wire.State.AUTH:
            self._send(self._connection.refuse())
            return _CLOSE
        if state is wire.State.BODY and self._takeover is not None:
            assert self._exchange is not None
            farewell = self._takeover.farewell(bytes(self._body or b""))
            self._log(farewell, self._exchange.command.encode(), self._exchange.username)
            return _CLOSE
        if state is wire.State.BODY:
            return self._body_cut_off(texts.BODY_CUT_OFF)
        self._send(self._connection.close())
        return _CLOSE

    def _authenticate(self, event: wire.Authenticate) -> _Ending:
        if self._release.no_auth:
            return _CLOSE
        if not self._settings.password:
            return self._refuse(texts.NO_PASSWORD_SET)
        if event.starttls and self._release.dialect.starttls:
            problem = texts.tls_unavailable(self._release, self._settings)
            if problem is None:
                leftover = self._connection.start_tls()
                # Only a failure in the same breath is logged (auth.starttls-then-plaintext).
                self._tells_of_tls = bool(leftover)
                return (StartTls(leftover),)
            return self._refuse(problem)
        try:
            password = plain_password(event.line, self._release.dialect)
        except ProtocolError as error:
            text = texts.auth_fault(Fault(error.fault), event.line, self._release)
            return self._refuse(text)
        if password != self._settings.password:
            return self._refuse(texts.WRONG_PASSWORD)
        self._send(self._connection.accept())
        return _NOTHING_ELSE

    def _refuse(self, text: bytes) -> _Ending:
        self._log_connection(text)
        self._send(self._connection.refuse())
        return _CLOSE

    # Commands ------------------------------------------------------------------------

    def _line(self, line: bytes) -> _Ending:
        if self._broken is not _SOUND:
            return self._broken_getopt()
        invocation = self._lines.get(line + b"\n")
        if invocation is not None:
            return self._invoke(invocation)
        try:
            parsed = parse_command_line(line, self._release, self._settings.allowed_commands)
            if self._release.option and parsed.is_option:
                return self._option(parsed)
            return self._prepare(line, parsed)
        except ClientFault as fault:
            self._log(Log(fault.text, scope=Scope.PROTOCOL), b"", b"")
            self._send(self._connection.close())
            return _CLOSE
        except Fatal as fatal:
            return self._die(fatal, b"", b"")

    def _option(self, parsed: CommandLine) -> _Ending:
        if LOG_PASSTHROUGH in parsed.fields[1:]:
            if not self._connection.logs:
                return self._die(Fatal(b"killed with signal 11", crash=True), b"OPTION", b"")
            self._option_passthrough = True
        return _NOTHING_ELSE

    def _prepare(self, line: bytes, parsed: CommandLine) -> _Ending:
        name = parsed.fields[0]
        for entry in parsed.log:
            self._log(entry, name, parsed.username)
        try:
            prepared = dispatch.prepare(
                self._release, parsed.username, parsed.fields, verbose=parsed.verbose
            )
        except dispatch.UnbuiltCommand:
            prepared = dispatch.Refusal(Status.DASH, texts.not_built(name))
        if isinstance(prepared, dispatch.Refusal):
            return self._refusal(prepared, parsed)
        # Long lines are rare, and lines that log something are not alike each time.
        if len(line) < 512 and not parsed.log and self._settings.allowed_commands is None:
            self._world.keep_line(line, prepared)
        return self._invoke(prepared)

    def _refusal(self, refusal: dispatch.Refusal, parsed: CommandLine) -> _Ending:
        name = parsed.fields[0]
        exchange = self._new_exchange(_text(name), parsed.username, parsed.fields[1:])
        for entry in refusal.log:
            self._log(entry, name, parsed.username)
        if refusal.breaks_next or refusal.kills_next:
            self._broken = _Getopt.KILLS if refusal.kills_next else _Getopt.FAILS
        mail = refusal.command is not None and refusal.command.mail
        return self._end_reply(exchange, refusal.status, mail=mail, flushes=False)

    def _broken_getopt(self) -> _Ending:
        broken, self._broken = self._broken, _Getopt.SOUND
        if broken is _Getopt.KILLS:
            return self._die(Fatal(b"killed with signal 11", crash=True), b"", b"")
        exchange = self._new_exchange("", b"", ())
        return self._end_reply(exchange, Status.DASH, mail=True, flushes=False)

    def _invoke(self, invocation: Invocation) -> _Ending:
        if invocation.breaks_next:
            self._broken = _Getopt.FAILS
        if invocation.takes_body:
            self._connection.expect_body()
            self._pending = invocation
            self._body = bytearray()
            return _NOTHING_ELSE
        self._start(invocation, b"")
        return _NOTHING_ELSE

    def _take_body(self, event: wire.Body) -> _Ending:
        assert self._body is not None
        if self._takeover is not None:
            return self._overhear(event)
        assert self._pending is not None
        if len(self._body) + len(event.data) > self._world.mail_limit:
            return self._body_cut_off(texts.body_too_long(self._world.mail_limit))
        self._body += event.data
        if event.last:
            invocation, body = self._pending, bytes(self._body)
            self._pending = self._body = None
            self._start(invocation, body)
        return _NOTHING_ELSE

    def _overhear(self, event: wire.Body) -> _Ending:
        """Keep the beginning of what is said to a command that has the connection for itself."""
        assert self._body is not None
        self._body += event.data[: _OVERHEARD - len(self._body)]
        if event.last:
            self._connection.expect_body()
        return _NOTHING_ELSE

    def _body_cut_off(self, log: tuple[Log, ...]) -> _Ending:
        assert self._pending is not None
        invocation = self._pending
        name = invocation.command.name
        exchange = self._new_exchange(name, invocation.username, invocation.fields)
        for entry in log:
            self._log(entry, name.encode(), invocation.username)
        self._end_reply(exchange, Status.TEMPFAIL, mail=True, flushes=False)
        return _CLOSE

    def _start(self, invocation: Invocation, body: bytes) -> None:
        world = self._world
        exchange = self._new_exchange(
            invocation.command.name, invocation.username, invocation.fields
        )
        self._formatter.register(len(invocation.columns))
        stub = world.stubs.find(invocation, self._settings.name)
        if stub is not None and stub.answer is not None:
            stub.calls.append(exchange)
            output = stub.answer.output(invocation)
            self._running = _Running(invocation, output, exchange, stub.answer)
            return
        call = Call(
            self._release,
            world.store,
            invocation,
            world.read_file,
            body,
            world.doveadm_port,
            base_dir=world.base_dir,
            opened=self._opened,
            directory=world.directory,
        )
        self._running = _Running(invocation, dispatch.run(call), exchange, None)

    def _produce(self, running: _Running) -> _Ending:
        """Take items of the running reply until it ends or the plan is full."""
        invocation, writes = running.invocation, running.exchange.writes
        formatter, output = self._formatter, running.output
        try:
            while True:
                if writes:
                    self._frame(writes)
                if self._size >= PLAN_BYTES:
                    return _NOTHING_ELSE
                item = next(output)
                if isinstance(item, tuple):
                    formatter.row(item, writes)
                elif isinstance(item, Text):
                    formatter.text(item.data, writes)
                elif isinstance(item, Speaker):
                    self._prefix.settle(item.scope, invocation.username)
                elif isinstance(item, Takeover):
                    self._takeover = item
                else:
                    self._log(item, invocation.command.name.encode(), invocation.username)
                    if self._flood is not None:
                        return _NOTHING_ELSE
        except StopIteration as end:
            status: Status = end.value
        except Referral as referral:
            self._running = None
            return self._end_reply(
                running.exchange,
                Status.REFERRAL,
                mail=True,
                flushes=False,
                suffix=b" " + referral.destination,
            )
        except Fatal as fatal:
            return self._die(fatal, invocation.command.name.encode(), invocation.username)
        self._running = None
        return self._finish(running, status)

    def _finish(self, running: _Running, status: Status) -> _Ending:
        command, answer = running.invocation.command, running.answer
        if command.mail:
            self._leave_mail(running.invocation.username, status)
        if answer is not None and answer.raw is not None:
            running.exchange.writes.append(answer.raw)
            self._send(self._connection.data(answer.raw))
            return self._after_reply()
        flushes = command.flushes != "" and bool(getattr(self._release, command.flushes))
        suffix = b"" if answer is None else answer.suffix
        return self._end_reply(
            running.exchange, status, mail=command.mail, flushes=flushes, suffix=suffix
        )

    def _leave_mail(self, username: bytes, status: Status) -> None:
        """Note what a mail command leaves in the process: its log prefix and its rights."""
        if status is Status.NOUSER:
            self._prefix.settle(Scope.LOOKUP, username)
        else:
            self._prefix.settle(Scope.PROCESS, username)
            self._opened = username

    def _end_reply(
        self,
        exchange: Exchange,
        status: Status,
        *,
        mail: bool,
        flushes: bool,
        suffix: bytes = b"",
    ) -> _Ending:
        exchange.status = status
        writes = exchange.writes
        self._formatter.end(status, writes, mail=mail, flushes=flushes, suffix=suffix)
        if self._takeover is not None:
            first, *rest = self._takeover.greeting
            writes[-1] += first
            writes += rest
            self._connection.expect_body()
            self._body = bytearray()
        self._send(self._connection.data(*writes[self._framed :]))
        return self._after_reply()

    def _after_reply(self) -> _Ending:
        return _CLOSE if self._release.one_command else _NOTHING_ELSE

    def _frame(self, writes: list[bytes]) -> None:
        """Put what was written, and is not there yet, into the plan until that is full."""
        while self._framed < len(writes) and self._size < PLAN_BYTES:
            self._send(self._connection.data(writes[self._framed]))
            self._framed += 1

    def _new_exchange(self, name: str, username: bytes, fields: tuple[bytes, ...]) -> Exchange:
        exchange = Exchange(self._number, self._settings.name, name, username, fields, [])
        self._exchange = exchange
        self._framed = 0
        self._world.journal.append(exchange)
        return exchange

    # Log -----------------------------------------------------------------------------

    def _log_connection(self, text: bytes) -> None:
        self._record(Log(text, scope=Scope.CONNECTION), b"", b"")

    def _log(self, entry: Log, command: bytes, username: bytes) -> None:
        """Write a line to the server log, and to the client if it gets such lines."""
        record = self._record(entry, command, username)
        if self._tells_client() and entry.scope not in SERVER_ONLY:
            prefix = record.prefix if self._release.log_prefix else b""
            lines = record.text.split(b"\n")
            if len(lines) > 1 and not self._release.dialect.splits_log_lines:
                self._flood = (entry.level, lines[1])
                self._send(self._connection.flood(entry.level, lines[0]))
                return
            self._send(self._connection.log(entry.level, [prefix + line for line in lines]))

    def _record(self, entry: Log, command: bytes, username: bytes) -> LogRecord:
        told = self._tells_client()
        prefix, text = self._prefix.of(entry, command, username, told=told)
        record = LogRecord(prefix, entry.level, text)
        self._world.log.append(record)
        if entry.level >= Level.WARNING:
            self._remember(record)
        return record

    def _remember(self, record: LogRecord) -> None:
        """Tell the log process, for `log errors`."""
        store = self._world.store
        level = record.level.name.capitalize()
        now = store.clock.now()
        for line in record.text.split(b"\n"):
            store.daemons.errors.append(LoggedError(now, record.prefix, level, line))

    def _tells_client(self) -> bool:
        if not self._connection.logs:
            return False
        match self._release.log_channel:
            case LogChannel.NONE:
                return False
            case LogChannel.MULTIPLEXED:
                return True
            case LogChannel.OPTION:
                return self._connection.client_minor < 3 or self._option_passthrough

    def _die(self, fatal: Fatal, command: bytes, username: bytes) -> _Ending:
        """End as the real process does when it dies: EOF, no status line."""
        self._running = None
        for entry in fatal.log:
            self._log(entry, command, username)
        text = fatal.text
        if fatal.crash:
            text += b" (the real server crashes here)"
        self._record(Log(text, Level.FATAL, fatal.scope), command, username)
        self._formatter.abandon()
        return _CLOSE


def _text(name: bytes) -> str:
    return name.decode(errors="replace")
