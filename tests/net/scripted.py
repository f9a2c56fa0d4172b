"""A small session whose plans a test writes down, and sockets to talk to it."""

import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import trio

from fakedove.net.pump import pump
from fakedove.plan import SILENCE, Close, Event, Peer, Plan, Send


class Scripted:
    """Echo what comes and close at EOF, unless the test replaces one of the answers."""

    room = 65536

    def __init__(
        self,
        opening: Plan = SILENCE,
        answer: Callable[[bytes], Plan] = lambda data: (Send(data),) if data else (Close(),),
        woken: Callable[[Event], Plan] = lambda event: SILENCE,
        deadline: float | None = None,
    ) -> None:
        self.opening, self.answer, self.woken = opening, answer, woken
        self.deadline = deadline
        self.take: Callable[[bytes], int] | None = None
        self.peer: Peer | None = None
        self.received: list[bytes] = []
        self.events: list[Event] = []
        self.ended: list[int] = []

    def open(self, peer: Peer) -> Plan:
        self.peer = peer
        return self.opening

    def receive(self, data: bytes) -> Plan:
        self.received.append(data)
        return self.answer(data)

    def wake(self, event: Event) -> Plan:
        self.events.append(event)
        return self.woken(event)

    def end(self, unsent: int) -> None:
        self.ended.append(unsent)


def tcp_pair() -> tuple[socket.socket, socket.socket]:
    """Return a connected TCP pair: the server's socket, non-blocking, and the client's."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        client = socket.create_connection(listening.getsockname())
        server, _ = listening.accept()
    server.setblocking(False)
    return server, client


def unix_pair() -> tuple[socket.socket, socket.socket]:
    server, client = socket.socketpair()
    server.setblocking(False)
    return server, client


@asynccontextmanager
async def served(
    session: Scripted,
    pair: Callable[[], tuple[socket.socket, socket.socket]] = tcp_pair,
    context: ssl.SSLContext | None = None,
) -> AsyncIterator[trio.SocketStream]:
    """Pump `session` on one end of a pair, give the other; cancel what is left over.

    However it ends, the session is told exactly once and the socket is closed.
    """
    server, client = pair()
    tls_context = None if context is None else lambda: context
    async with trio.open_nursery() as nursery:
        stream = trio.SocketStream(trio.socket.from_stdlib_socket(client))
        nursery.start_soon(pump, server, session, Peer(address="127.0.0.1"), tls_context)
        async with stream:
            yield stream
        nursery.cancel_scope.cancel()
    assert len(session.ended) == 1
    assert server.fileno() == -1


def open_descriptors() -> set[str]:
    """Return the numbers of this process's open file descriptors."""
    return {path.name for path in Path("/dev/fd").iterdir()}


async def read_all(stream: trio.SocketStream) -> bytes:
    """Read to EOF."""
    data = b""
    async for piece in stream:
        data += piece
    return data


async def ended(session: Scripted) -> None:
    """Wait until the pump has told the session that it is over."""
    with trio.fail_after(5):
        while not session.ended:
            await trio.testing.wait_all_tasks_blocked(0.001)
