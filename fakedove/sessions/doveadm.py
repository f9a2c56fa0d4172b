"""The doveadm service: one client's conversation with doveadm-server.

Bytes become events in `wire.doveadm_server`; command lines become invocations in
`dovecot.dispatch`, and those become replies in `doveadm_replies`. What all of them say is
gathered into plans near 64 kB each.
"""

from __future__ import annotations

from fakedove.dovecot import dispatch
from fakedove.dovecot.getopt_memory import GetoptMemory
from fakedove.dovecot.registry import Invocation
from fakedove.dovecot.reply import Fatal, Log, Scope
from fakedove.dovecot.status import Status
from fakedove.errors import ProtocolError
from fakedove.plan import (
    SILENCE,
    Called,
    Continue,
    Event,
    Peer,
    Plan,
    TlsFailed,
    TlsReady,
    Waited,
)
from fakedove.sessions import doveadm_texts as texts
from fakedove.sessions.command_line import (
    LOG_PASSTHROUGH,
    ClientFault,
    CommandLine,
    parse_command_line,
)
from fakedove.sessions.doveadm_handshake import Handshake
from fakedove.sessions.doveadm_log import DoveadmLog
from fakedove.sessions.doveadm_replies import Replies, Said
from fakedove.sessions.outbox import CLOSE, GO_ON, Ending, Outbox
from fakedove.sessions.world import ListenerSettings, World
from fakedove.wire import doveadm as wire
from fakedove.wire.doveadm_server import ServerConnection
from fakedove.wire.handshake import Fault

_PREAUTHENTICATED_MODE = 0o600
#: Bytes that are kept of what is said to a command that has the connection for itself.
_OVERHEARD = 1024


_CRASH = Fatal(b"killed with signal 11", crash=True)


class DoveadmSession:
    """One connection to a doveadm listener, from accept to close."""

    deadline: float | None = None

    def __init__(self, world: World, settings: ListenerSettings) -> None:
        self._world = world
        self._release = world.release
        self._settings = settings
        self._outbox = Outbox()
        self._connection = connection = ServerConnection(
            world.release.dialect, in_tls=settings.ssl == "yes"
        )
        self._process = process = world.process_of(settings)
        self._log = DoveadmLog(world, process, connection, self._outbox)
        parts = connection, self._log, self._outbox
        self._handshake = Handshake(world, settings, process, *parts)
        self._replies = Replies(world, process, self._handshake, *parts)
        #: The command whose mail is awaited and its line, and what has come of that.
        self._pending: tuple[Invocation, bytes] | None = None
        self._body = bytearray()
        self._had_option = False
        #: Nothing is under way: the next bytes begin a command.
        self._idle = False
        # With a list of allowed commands the answer also depends on the listener.
        restricted = settings.allowed_commands is not None
        self._lines: dict[bytes, Invocation] = {} if restricted else world.lines

    # The session contract ------------------------------------------------------------

    #: All that comes is ours.
    take = None

    @property
    def room(self) -> int:
        """Bytes that still fit before a line is too long."""
        return self._release.dialect.line_limit if self._idle else self._connection.room

    def open(self, peer: Peer) -> Plan:
        """Begin: nobody but root and Dovecot can reach a UNIX socket of mode 0600."""
        self._connection.preauthenticated = peer.mode == _PREAUTHENTICATED_MODE
        self._process.prefix.connect(peer.address, self._world.new_session_id())
        return self._outbox.plan(self._handshake.begin(peer))

    def receive(self, data: bytes) -> Plan:
        """Take bytes of the client, b"" for EOF."""
        # Nearly always this is one command that was seen before, which needs no events.
        invocation = self._lines.get(data) if self._idle else None
        if invocation is None:
            self._idle = False
            self._connection.receive(data)
            return self._go_on()
        ending = self._invoke(invocation, data)
        self._idle = self._rests()
        return self._outbox.plan(ending) if ending or self._idle else self._go_on()

    def wake(self, event: Event) -> Plan:
        """Go on after a full plan or a TLS handshake."""
        match event:
            case TlsReady():
                self._handshake.tls_ready()
                return self._go_on()
            case TlsFailed():
                return self._outbox.plan(self._handshake.tls_failed(event.reason))
            case Continue() | Waited():
                return self._go_on()
            case Called(result):
                ending = self._replies.found(result)
                return self._outbox.plan(ending) if ending else self._go_on()
            case _:
                return SILENCE

    def end(self, unsent: int) -> None:
        """Note that the connection is over: what is still running was not heard to its end."""
        self._replies.cut_short(unsent)
        if not self._replies.under_way:
            self._world.release_process(self._process, self._settings)

    # Events --------------------------------------------------------------------------

    def _go_on(self) -> Plan:
        """Answer what has been received until input or the plan's size runs out."""
        while not self._outbox.full:
            if self._log.floods:
                self._log.flood()
                continue
            if self._replies.under_way:
                ending = self._replies.go_on()
            else:
                try:
                    event = self._connection.next_event()
                except ProtocolError as error:
                    ending = self._handshake.fault(Fault(error.fault))
                else:
                    if event is wire.NEED_DATA:
                        self._idle = self._rests()
                        return self._outbox.plan(GO_ON)
                    ending = self._answer(event)
            if ending:
                return self._outbox.plan(ending)
        return self._outbox.plan((Continue(),))

    def _rests(self) -> bool:
        """Whether there is nothing to be said or read, so that the next bytes are a command."""
        if self._replies.under_way or self._log.floods or self._process.getopt is not None:
            return False
        return self._connection.idle

    def _answer(self, event: wire.Event) -> Ending:
        match event:
            case wire.Line():
                return self._line(event.line)
            case wire.Body():
                return self._take_body(event)
            case wire.Hello():
                return self._handshake.answer_hello()
            case wire.Authenticate():
                return self._handshake.authenticate(event)
            case _:
                return self._eof()

    def _eof(self) -> Ending:
        state = self._connection.state
        if state is wire.State.AUTH:
            return self._handshake.eof()
        if state is not wire.State.BODY:
            self._outbox.put(self._connection.close())
            return CLOSE
        if self._replies.takeover is not None:
            return self._replies.give_back(bytes(self._body))
        return self._body_cut_off(texts.BODY_CUT_OFF)

    # Command lines -------------------------------------------------------------------

    def _line(self, line: bytes) -> Ending:
        invocation = self._lines.get(line + b"\n") if self._process.getopt is None else None
        if invocation is not None:
            return self._invoke(invocation, line)
        # What is said of the line itself is not about the command before it.
        self._log.outcome = None
        try:
            parsed = parse_command_line(
                line, self._release, self._settings.allowed_commands, first=self._is_first
            )
            if self._release.option and parsed.is_option:
                return self._option(parsed)
            return self._prepare(line, parsed)
        except ClientFault as fault:
            self._log.write(Log(fault.text, scope=Scope.PROTOCOL), b"", b"")
            self._outbox.put(self._connection.close())
            return CLOSE
        except Fatal as fatal:
            return self._replies.die(fatal, b"", b"")

    @property
    def _is_first(self) -> bool:
        """Whether nothing came before this command line, not even authentication."""
        came_before = self._replies.begun or self._had_option
        return self._connection.preauthenticated and not came_before

    def _option(self, parsed: CommandLine) -> Ending:
        self._had_option = True
        self._process.verbose = parsed.verbose
        if LOG_PASSTHROUGH in parsed.fields[1:]:
            if not self._connection.logs:
                return self._replies.die(_CRASH, b"OPTION", b"")
            self._log.pass_through()
        return GO_ON

    def _prepare(self, line: bytes, parsed: CommandLine) -> Ending:
        name = parsed.fields[0]
        letters = b"" if self._process.getopt is None else self._process.getopt.letters(line)
        try:
            prepared = dispatch.prepare(
                self._release,
                parsed.username,
                parsed.fields,
                verbose=parsed.verbose,
                debug=parsed.debug,
                letters=letters,
                log=parsed.log,
            )
        except dispatch.UnbuiltCommand:
            prepared = dispatch.Refusal(Status.DASH, texts.not_built(name))
        if isinstance(prepared, dispatch.Refusal):
            return self._refuse(prepared, parsed, line)
        if self._process.getopt is not None and self._process.getopt.wounded:
            return self._replies.die(_CRASH, name, parsed.username)
        # Long lines are rare.
        if len(line) < 512 and not letters and self._settings.allowed_commands is None:
            self._world.keep_line(line, prepared)
        return self._invoke(prepared, line)

    def _refuse(self, refusal: dispatch.Refusal, parsed: CommandLine, line: bytes) -> Ending:
        if refusal.pointer is not None:
            memory = self._process.getopt or GetoptMemory()
            self._process.getopt = memory.after(line, refusal.pointer, wounds=refusal.wounds)
        self._process.verbose = parsed.verbose
        mail = refusal.command is not None and refusal.command.mail
        said = Said(parsed.username, parsed.fields, line)
        return self._replies.fail(said, refusal.status, refusal.log, mail=mail)

    def _invoke(self, invocation: Invocation, line: bytes) -> Ending:
        if invocation.pointer is not None:
            memory = self._process.getopt or GetoptMemory()
            self._process.getopt = memory.after(line.removesuffix(b"\n"), invocation.pointer)
        if invocation.takes_body:
            self._connection.expect_body()
            self._pending = invocation, line
            return GO_ON
        return self._replies.start(invocation, line, b"")

    # Mails behind command lines ------------------------------------------------------

    def _take_body(self, event: wire.Body) -> Ending:
        if self._replies.takeover is not None:
            return self._overhear(event)
        assert self._pending is not None
        if len(self._body) + len(event.data) > self._world.mail_limit:
            return self._body_cut_off(texts.body_too_long(self._world.mail_limit))
        self._body += event.data
        if event.last:
            (invocation, line), body = self._pending, bytes(self._body)
            self._pending = None
            self._body.clear()
            return self._replies.start(invocation, line, body)
        return GO_ON

    def _overhear(self, event: wire.Body) -> Ending:
        """Keep the beginning of what is said to a command that has the connection for itself."""
        self._body += event.data[: _OVERHEARD - len(self._body)]
        if event.last:
            self._connection.expect_body()
        return GO_ON

    def _body_cut_off(self, log: tuple[Log, ...]) -> Ending:
        assert self._pending is not None
        invocation, line = self._pending
        fields = (invocation.command.name.encode(), *invocation.fields)
        said = Said(invocation.username, fields, line, bytes(self._body))
        self._replies.fail(said, Status.TEMPFAIL, log, mail=True)
        return CLOSE
