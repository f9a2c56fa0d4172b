"""The beginning of a doveadm connection: greeting, TLS, password, and how each fails."""

from __future__ import annotations

from msgspec.structs import replace

from fakedove.double.connections import Authentication, Connection
from fakedove.errors import ProtocolError
from fakedove.plan import Peer, Stall, StartTls
from fakedove.sessions import doveadm_texts as texts
from fakedove.sessions.doveadm_log import DoveadmLog
from fakedove.sessions.doveadm_process import DoveadmProcess
from fakedove.sessions.outbox import CLOSE, GO_ON, Ending, Outbox
from fakedove.sessions.world import ListenerSettings, World
from fakedove.wire.doveadm import Authenticate, State
from fakedove.wire.doveadm_server import ServerConnection
from fakedove.wire.handshake import Fault, plain_password


class Handshake:
    """Decides who may send commands; what it says goes into the outbox."""

    __slots__ = (
        "_connection",
        "_log",
        "_outbox",
        "_process",
        "_release",
        "_settings",
        "_tells_of_tls",
        "_world",
        "client",
    )

    def __init__(
        self,
        world: World,
        settings: ListenerSettings,
        process: DoveadmProcess,
        connection: ServerConnection,
        log: DoveadmLog,
        outbox: Outbox,
    ) -> None:
        """Lead the handshake of `connection` as the listener's settings have it."""
        #: What there is to know of the client, from `begin` on.
        self.client: Connection
        self._world = world
        self._release = world.release
        self._settings = settings
        self._process = process
        self._connection = connection
        self._log = log
        self._outbox = outbox
        #: Whether a failure of TLS is logged.
        self._tells_of_tls = False

    def begin(self, peer: Peer) -> Ending:
        """Begin; releases up to 2.2.33 greet first, inside TLS on a TLS listener."""
        world = self._world
        accepted = world.store.clock.nanoseconds()
        self.client = Connection(
            *(next(world.connections), self._settings.name, peer.address),
            *(self._release.number, accepted),
        )
        world.journal.connect(self.client)
        if self._settings.ssl == "yes":
            self._tells_of_tls = True
            return (StartTls(b""),)
        self._outbox.put(self._connection.greet())
        return GO_ON

    def answer_hello(self) -> Ending:
        """Answer the VERSION line."""
        trusted = Authentication.PREAUTHENTICATED if self._connection.preauthenticated else None
        self._note(client_minor=self._connection.client_minor, authentication=trusted)
        self._outbox.put(self._connection.answer_hello())
        return GO_ON

    def authenticate(self, event: Authenticate) -> Ending:
        """Answer what a client says that is not authenticated yet."""
        if self._release.no_auth:
            return CLOSE
        if event.is_plain:
            # Unless it proves to be the right one.
            self._note(authentication=Authentication.REFUSED)
        if not self._settings.password:
            return self._refuse(texts.NO_PASSWORD_SET)
        if event.starttls and self._release.dialect.starttls:
            return self._start_tls()
        try:
            password = plain_password(event.line, self._release.dialect)
        except ProtocolError as error:
            text = texts.auth_fault(Fault(error.fault), event.line, self._release)
            return self._refuse(text)
        if password != self._settings.password:
            return self._refuse(texts.WRONG_PASSWORD)
        self._note(authentication=Authentication.PASSWORD)
        self._outbox.put(self._connection.accept())
        return GO_ON

    def tls_ready(self) -> None:
        """Go on inside TLS."""
        self._note(tls=True)
        if self._connection.state is State.TLS:
            self._connection.tls_up()
        else:
            self._outbox.put(self._connection.greet())

    def tls_failed(self, reason: str) -> Ending:
        """End; `reason` is in OpenSSL's words."""
        if self._tells_of_tls:
            self._log.write_of_connection(texts.tls_failed(reason))
        return CLOSE

    def fault(self, fault: Fault) -> Ending:
        """End a conversation in which the client broke the protocol."""
        state = self._connection.state
        self._outbox.put(self._connection.close())
        if fault is Fault.LINE_TOO_LONG and self._release.dialect.spins_on_long_line:
            self._process.lives = False
            return (Stall(),)
        if state is State.VERSION:
            tls = self._settings.ssl == "yes" and self._release.log_tls_closed
            self._log.write_of_connection(texts.handshake_fault(fault, over_tls=tls))
        elif state is State.AUTH:
            self._outbox.put(b"-\n" if self._release.dialect.answers_auth else b"")
        return CLOSE

    def eof(self) -> Ending:
        """End since no password comes any more."""
        self._outbox.put(self._connection.refuse())
        return CLOSE

    def _note(self, **facts: object) -> None:
        """Have the journal know of the client what it is, and what is new."""
        self.client = replace(self.client, **facts)
        self._world.journal.connect(self.client)

    def _start_tls(self) -> Ending:
        problem = texts.tls_unavailable(self._release, self._settings)
        if problem is not None:
            return self._refuse(problem)
        leftover = self._connection.start_tls()
        # Only a failure in the same breath is logged (auth.starttls-then-plaintext).
        self._tells_of_tls = bool(leftover)
        return (StartTls(leftover),)

    def _refuse(self, text: bytes) -> Ending:
        self._log.write_of_connection(text)
        self._outbox.put(self._connection.refuse())
        return CLOSE
