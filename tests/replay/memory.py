"""Play conversations against sessions without a socket: the pump's work, done in memory.

TLS runs through the in-memory layer on both sides, so silence is an empty plan and no test
waits for anything.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping

from fakedove.net.tls import TlsError, TlsLayer
from fakedove.plan import (
    SILENCE,
    Close,
    Continue,
    Event,
    Peer,
    Plan,
    Reset,
    Send,
    Session,
    Stall,
    StartTls,
    TlsFailed,
    TlsReady,
)
from tests.replay import transcripts
from tests.replay.compare import Heard, substitute
from tests.replay.transcripts import Conversation, End, Turn

#: A server that would say more without end is heard no longer, in bytes.
_MOST_HEARD = 16 * 1024 * 1024
#: Read from a TLS layer at once, in bytes.
_READ = 65536


class MemoryServer:
    """A session with its plans carried out: bytes in, bytes out."""

    def __init__(self, session: Session, peer: Peer, context: Callable[[], ssl.SSLContext]) -> None:
        self._session = session
        self._context = context
        self._tls: TlsLayer | None = None
        self._outgoing = bytearray()
        self.end: End | None = None
        self.stalled = False
        self._carry_out(session.open(peer))

    def receive(self, data: bytes) -> None:
        """Take bytes of the client, b"" for EOF, in pieces that the session has room for."""
        while not self.end and not self.stalled:
            if self._tls is not None:
                self._receive_tls(data)
                return
            piece = data[: self._session.room]
            data = data[len(piece) :]
            self._carry_out(self._session.receive(piece))
            if self.end and data:
                # What the kernel still holds when a socket is closed makes it a reset.
                self.end = End.RESET
            if not data:
                return

    def take(self) -> bytes:
        """Return what the server has sent since the last time."""
        if self._tls is not None:
            self._outgoing += self._tls.outgoing()
        data = bytes(self._outgoing)
        self._outgoing.clear()
        return data

    def _receive_tls(self, data: bytes) -> None:
        assert self._tls is not None
        self._tls.feed(data)
        self._go_on_tls()

    def _go_on_tls(self) -> None:
        layer = self._tls
        assert layer is not None
        if not layer.ready:
            try:
                done = layer.handshake()
            except TlsError as error:
                self._wake(TlsFailed(error.reason))
                return
            if not done:
                return
            self._wake(TlsReady())
        while self._tls is layer and not self.end and (data := layer.read(_READ)) is not None:
            self._carry_out(self._session.receive(data))
            if not data:
                return

    def _wake(self, event: Event) -> None:
        self._carry_out(self._session.wake(event))

    def _carry_out(self, plan: Plan) -> None:
        while plan:
            self._carry_out_once(plan)
            again = isinstance(plan[-1], Continue) and len(self._outgoing) < _MOST_HEARD
            plan = self._session.wake(Continue()) if again else SILENCE

    def _carry_out_once(self, plan: Plan) -> None:
        for step in plan:
            match step:
                case Send(data) if self._tls is None:
                    self._outgoing += data
                case Send(data):
                    self._tls.write(data)  # type: ignore[union-attr]  # not None: case above
                case StartTls(leftover):
                    self._start_tls(leftover)
                case Close():
                    if self._tls is not None:
                        self._tls.close()
                    self.end = End.EOF
                case Reset():
                    self.end = End.RESET
                case Stall():
                    self.stalled = True

    def _start_tls(self, leftover: bytes) -> None:
        if self._tls is not None:
            self._outgoing += self._tls.outgoing()
        self._tls = TlsLayer(self._context(), below=self._tls)
        if leftover:
            self._tls.feed_here(leftover)
            self._go_on_tls()


class MemoryClient:
    """The recorder's side: plain bytes, or TLS once asked for."""

    def __init__(self, server: MemoryServer) -> None:
        self._server = server
        self._tls: TlsLayer | None = None
        self.failed = False

    def send(self, data: bytes) -> None:
        """Send bytes, or nothing."""
        if not data:
            return
        if self._tls is not None:
            self._tls.write(data)
            data = self._tls.outgoing()
        self._server.receive(data)

    def shut_down(self) -> None:
        """Say that no more will be sent."""
        self._server.receive(b"")

    def take(self) -> bytes:
        """Return what the server has sent, decrypted."""
        if self._tls is None:
            return self._server.take()
        data = self._server.take()
        if data:
            self._tls.feed(data)
        plain = bytearray()
        while piece := self._tls.read(_READ):
            plain += piece
        return bytes(plain)

    def start_tls(self) -> None:
        """Do a TLS handshake."""
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        layer = TlsLayer(context, server_side=False, below=self._tls)
        while not layer.handshake():
            self._server.receive(layer.outgoing())
            data = self._server.take()
            if not data:
                self.failed = True
                return
            layer.feed(data)
        self._tls = layer
        self._server.receive(layer.outgoing())


def play(
    conversation: Conversation,
    session: Session,
    peer: Peer,
    context: Callable[[], ssl.SSLContext],
    values: Mapping[str, str],
) -> list[Heard]:
    """Play a conversation and return what was heard in each turn."""
    server = MemoryServer(session, peer, context)
    client = MemoryClient(server)
    heard: list[Heard] = []
    for turn in conversation.turns:
        data = _act(client, turn, values)
        end = End.TLS_FAILED if client.failed else server.end
        heard.append(Heard(data, end))
        if end:
            break
    if not server.end:
        client.shut_down()
    session.end(0)
    return heard


def _act(client: MemoryClient, turn: Turn, values: Mapping[str, str]) -> bytes:
    data = b""
    for action in turn.actions:
        match action:
            case transcripts.Send(data=sent, one_byte_at_a_time=drip):
                sent = substitute(sent, values)
                pieces = [sent[at : at + 1] for at in range(len(sent))] if drip else [sent]
                for piece in pieces:
                    client.send(piece)
            case transcripts.ShutdownWrite():
                client.shut_down()
            case transcripts.StartTls():
                client.start_tls()
                if client.failed:
                    return data
    return data + client.take()
