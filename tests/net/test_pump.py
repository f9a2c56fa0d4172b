"""The pump on real sockets, with sessions whose plans stand in the test."""

import contextlib
import errno
import os
import socket
import ssl
import tracemalloc
from collections.abc import Callable

import pytest
import trio
import trio.testing

from fakedove.net.pump import pump
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
    Stall,
    StartTls,
    TlsFailed,
    TlsReady,
)
from tests.net.paired import client_layer
from tests.net.scripted import (
    Scripted,
    ended,
    open_descriptors,
    read_all,
    served,
    tcp_pair,
    unix_pair,
)

Pair = Callable[[], tuple[socket.socket, socket.socket]]
BOTH = pytest.mark.parametrize("pair", [tcp_pair, unix_pair], ids=["tcp", "unix"])


@pytest.fixture(autouse=True)
def _no_descriptor_is_left() -> object:
    before = open_descriptors()
    yield
    assert open_descriptors() <= before


@BOTH
async def test_echo(pair: Pair) -> None:
    session = Scripted(opening=(Send(b"hello\n"),))
    async with served(session, pair) as client:
        assert await client.receive_some() == b"hello\n"
        await client.send_all(b"one\n")
        assert await client.receive_some() == b"one\n"
        await client.send_eof()
        assert await read_all(client) == b""
    assert session.peer == Peer(address="127.0.0.1")
    assert session.received == [b"one\n", b""]
    assert session.ended == [0]


@BOTH
async def test_half_closed_client_gets_its_answer(pair: Pair) -> None:
    session = Scripted(answer=lambda data: SILENCE if data else (Send(b"+\n"), Close()))
    async with served(session, pair) as client:
        await client.send_all(b"command\n")
        await client.send_eof()
        assert await read_all(client) == b"+\n"


async def test_a_session_may_stay_open_after_eof() -> None:
    session = Scripted(answer=lambda data: SILENCE)
    async with served(session) as client:
        await client.send_eof()
        await trio.testing.wait_all_tasks_blocked(0.01)
        assert session.received == [b""]
        assert session.ended == []


async def test_no_more_is_read_than_there_is_room_for() -> None:
    session = Scripted(answer=lambda data: (Close(),) if data.endswith(b"!") else SILENCE)
    session.room = 4
    async with served(session) as client:
        await client.send_all(b"abcdefghij!")
        await ended(session)
    assert session.received == [b"abcd", b"efgh", b"ij!"]


async def test_closing_on_unread_bytes_resets() -> None:
    session = Scripted(answer=lambda data: (Close(),))
    session.room = 1
    async with served(session) as client:
        await client.send_all(b"too long")
        await ended(session)
        with pytest.raises(trio.BrokenResourceError) as broken:
            await client.receive_some()
    assert isinstance(broken.value.__cause__, ConnectionResetError)


async def test_reset_is_seen_as_connection_reset() -> None:
    session = Scripted(answer=lambda data: (Reset(),))
    async with served(session) as client:
        await client.send_all(b"x")
        with pytest.raises(trio.BrokenResourceError) as broken:
            await client.receive_some()
    cause = broken.value.__cause__
    assert isinstance(cause, OSError)
    assert cause.errno == errno.ECONNRESET
    assert session.ended == [0]


async def test_reset_on_a_unix_socket_closes() -> None:
    async with served(Scripted(opening=(Send(b"part"), Reset())), unix_pair) as client:
        assert await read_all(client) == b"part"


async def test_stall_reads_nothing_and_keeps_the_connection_open() -> None:
    session = Scripted(answer=lambda data: (Stall(),))
    async with served(session) as client:
        await client.send_all(b"1")
        await trio.testing.wait_all_tasks_blocked(0.01)
        await client.send_all(b"2")
        with trio.move_on_after(0.05) as silence:
            await client.receive_some()
        assert silence.cancelled_caught
        assert session.received == [b"1"]
        assert session.ended == []


@BOTH
async def test_a_stalled_connection_ends_when_the_peer_is_gone(pair: Pair) -> None:
    session = Scripted(answer=lambda data: (Send(b"unread"), Stall()))
    async with served(session, pair) as client:
        await client.send_all(b"1")
        await trio.testing.wait_all_tasks_blocked(0.01)
        # Unread bytes make TCP send a reset; of a UNIX socket the close is seen at once.
        await client.aclose()
        await ended(session)


async def test_no_room_is_a_stall() -> None:
    session = Scripted()
    session.room = 0
    async with served(session) as client:
        await client.send_all(b"1")
        await trio.testing.wait_all_tasks_blocked(0.01)
    assert session.received == []


@BOTH
async def test_a_large_plan_is_sent_in_parts(pair: Pair) -> None:
    data = os.urandom(1 << 20) * 8
    async with served(Scripted(opening=(Send(data), Send(b"."), Close())), pair) as client:
        assert await read_all(client) == data + b"."


async def test_continue_comes_when_the_rest_has_left() -> None:
    left = 50

    def woken(event: Event) -> Plan:
        nonlocal left
        left -= 1
        return (Send(bytes(65536)), Continue()) if left else (Send(b"end"), Close())

    session = Scripted(opening=(Continue(),), woken=woken)
    async with served(session) as client:
        assert await read_all(client) == bytes(65536) * 49 + b"end"
    assert session.events == [Continue()] * 50
    assert session.ended == [0]


async def test_a_long_reply_leaves_others_their_turn() -> None:
    turns = 0

    def woken(event: Event) -> Plan:
        # Nothing to send: the kernel never makes this session wait.
        assert len(session.events) < 1000, "the others never had a turn"
        return (Continue(),) if turns < 10 else (Close(),)

    session = Scripted(opening=(Continue(),), woken=woken)
    async with served(session) as client:
        for _ in range(10):
            await trio.lowlevel.checkpoint()
            turns += 1
        assert await read_all(client) == b""


async def test_a_slow_reader_keeps_memory_bounded() -> None:
    session = Scripted(
        opening=(Continue(),), woken=lambda event: (Send(os.urandom(65536)), Continue())
    )
    tracemalloc.start()
    try:
        async with served(session) as client:
            await trio.testing.wait_all_tasks_blocked(0.01)
            made = len(session.events)
            await client.receive_some(1000)
            await trio.testing.wait_all_tasks_blocked(0.01)
            # The kernel's buffers are full and the session is not asked for more.
            assert len(session.events) <= made + 1
            assert tracemalloc.get_traced_memory()[1] < 2_000_000
    finally:
        tracemalloc.stop()
    assert session.ended != [0]


async def test_what_never_left_is_counted() -> None:
    data = bytes(16 << 20)
    session = Scripted(answer=lambda _: (Send(data), Send(b"more"), Close()))
    async with served(session, unix_pair) as client:
        await client.send_all(b"x")
        with trio.fail_after(5):
            first = await client.receive_some(65536)
        await client.aclose()
        await ended(session)
    assert 4 < session.ended[0] <= len(data) + 4 - len(first)


@pytest.mark.parametrize("size", [1000, 16 << 20])
async def test_what_left_before_a_cancel_and_what_did_not_is_all(size: int) -> None:
    plan = (Send(bytes(size)),) * ((16 << 20) // size)
    session = Scripted(opening=plan)
    server, client = unix_pair()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(pump, server, session, Peer(), None)
        await trio.testing.wait_all_tasks_blocked(0.01)
        nursery.cancel_scope.cancel()
    async with trio.SocketStream(trio.socket.from_stdlib_socket(client)) as stream:
        left = len(await read_all(stream))
    assert 0 < left < session.ended[0]
    assert left + session.ended[0] == size * len(plan)


@BOTH
async def test_a_client_that_is_gone_ends_it_quietly(pair: Pair) -> None:
    session = Scripted()
    async with served(session, pair) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        await client.aclose()
        await ended(session)
    assert session.ended == [0]


async def test_deadline_closes() -> None:
    session = Scripted(deadline=0.05, answer=lambda data: SILENCE)
    async with served(session) as client:
        with trio.fail_after(5):
            assert await read_all(client) == b""


async def test_dripping_bytes_does_not_move_the_deadline() -> None:
    session = Scripted(deadline=0.1, answer=lambda data: SILENCE)
    async with served(session) as client:
        with trio.fail_after(5), contextlib.suppress(trio.BrokenResourceError):
            while not session.ended:
                await client.send_all(b"x")
                await trio.sleep(0.01)
    assert b"".join(session.received).strip(b"x") == b""


def primed_pair() -> tuple[socket.socket, socket.socket]:
    """Return a pair on which the client has already sent, in time for any deadline."""
    server, client = tcp_pair()
    client.send(b"busy")
    return server, client


async def test_without_deadline_again_there_is_none() -> None:
    session = Scripted(deadline=0.05)

    def answer(data: bytes) -> Plan:
        session.deadline = None
        return (Send(data),)

    session.answer = answer
    async with served(session, primed_pair) as client:
        assert await client.receive_some() == b"busy"
        await trio.sleep(0.1)
        await client.send_all(b"later")
        assert await client.receive_some() == b"later"


async def test_a_deadline_named_again_counts_anew() -> None:
    session = Scripted(deadline=0.2)

    def answer(data: bytes) -> Plan:
        session.deadline = None if data == b"busy" else 0.2
        return (Send(data),)

    session.answer = answer
    async with served(session, primed_pair) as client:
        assert await client.receive_some() == b"busy"
        await trio.sleep(0.2)
        began = trio.current_time()
        await client.send_all(b"idle")
        assert await read_all(client) == b"idle"
        assert trio.current_time() - began > 0.19


async def test_an_exception_of_the_session_is_raised_after_cleaning_up() -> None:
    session = Scripted(opening=(Send(b"x"), Close(), Send(b"never")))
    server, client = tcp_pair()
    with client, pytest.raises(TypeError, match="can only end with Close"):
        await pump(server, session, Peer(), None)
    assert session.ended == [5]
    assert server.fileno() == -1


async def test_the_session_knows_of_the_end_before_the_peer() -> None:
    server, client = tcp_pair()
    still_open = []

    class Witness(Scripted):
        def end(self, unsent: int) -> None:
            still_open.append(server.fileno() != -1)

    with client:
        await pump(server, Witness(opening=(Close(),)), Peer(), None)
    assert still_open == [True]


async def test_start_tls_without_a_context_is_a_bug_of_the_session() -> None:
    server, client = tcp_pair()
    with client, pytest.raises(RuntimeError, match="has to look first"):
        await pump(server, Scripted(opening=(StartTls(b""),)), Peer(), None)


async def test_tcp_does_not_wait_to_fill_packets() -> None:
    server, client = tcp_pair()
    with client:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(pump, server, Scripted(), Peer(), None)
            await trio.testing.wait_all_tasks_blocked()
            assert server.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            nursery.cancel_scope.cancel()


async def test_200_silent_connections_disturb_nobody() -> None:
    sessions = [Scripted() for _ in range(200)]
    async with trio.open_nursery() as nursery:
        clients = []
        for session in sessions:
            server, client = unix_pair()
            clients.append(client)
            nursery.start_soon(pump, server, session, Peer(), None)
        async with served(Scripted()) as client_stream:
            for number in range(100):
                await client_stream.send_all(b"%d" % number)
                assert await client_stream.receive_some() == b"%d" % number
        for client in clients:
            client.close()
    assert all(session.ended == [0] for session in sessions)


# TLS


class TlsClient:
    """A client over TLS that sends and reads like a person: one thing at a time."""

    def __init__(
        self, stream: trio.SocketStream, context: ssl.SSLContext, below: TlsLayer | None = None
    ) -> None:
        self.stream, self.layer = stream, client_layer(context, below=below)

    async def handshake(self) -> None:
        while not self.layer.handshake():
            await self.stream.send_all(self.layer.outgoing())
            self.layer.feed(await self.stream.receive_some())
        await self.stream.send_all(self.layer.outgoing())

    async def send(self, data: bytes) -> None:
        self.layer.write(data)
        await self.stream.send_all(self.layer.outgoing())

    async def read(self) -> bytes:
        """Return plaintext, or b"" at close_notify: no end of TLS may come without it."""
        while (data := self.layer.read(65536)) is None:
            ciphertext = await self.stream.receive_some()
            assert ciphertext
            self.layer.feed(ciphertext)
        return data


def on_tls_ready(plan: Plan) -> Callable[[Event], Plan]:
    return lambda event: plan if isinstance(event, TlsReady) else SILENCE


async def test_tls_from_the_first_byte(
    server_tls: ssl.SSLContext, client_tls: ssl.SSLContext
) -> None:
    session = Scripted(opening=(StartTls(b""),), woken=on_tls_ready((Send(b"ready\n"),)))
    async with served(session, context=server_tls) as stream:
        client = TlsClient(stream, client_tls)
        await client.handshake()
        assert await client.read() == b"ready\n"
        await client.send(b"one\n")
        assert await client.read() == b"one\n"
    assert session.events == [TlsReady()]


async def test_leftover_bytes_are_the_beginning_of_the_handshake(
    server_tls: ssl.SSLContext, client_tls: ssl.SSLContext
) -> None:
    session = Scripted()
    session.answer = lambda data: (StartTls(data.removeprefix(b"STARTTLS\n")),)
    async with served(session, context=server_tls) as stream:
        client = TlsClient(stream, client_tls)
        client.layer.handshake()
        await stream.send_all(b"STARTTLS\n" + client.layer.outgoing())
        client.layer.feed(await stream.receive_some())
        await client.handshake()
        session.answer = lambda data: (Send(data),)
        await client.send(b"inside")
        assert await client.read() == b"inside"


async def test_plaintext_after_starttls_is_closed_without_a_byte(
    server_tls: ssl.SSLContext,
) -> None:
    session = Scripted(
        opening=(StartTls(b"PLAIN\tx\n"),), woken=lambda event: (Send(b"-\n"), Close())
    )
    async with served(session, context=server_tls) as stream:
        assert await read_all(stream) == b""
    assert session.events == [
        TlsFailed("SSL_accept() failed: error:0A00010B:SSL routines::wrong version number")
    ]
    assert session.ended == [2]


async def test_the_alert_of_a_failed_handshake_leaves(
    server_tls: ssl.SSLContext, client_tls: ssl.SSLContext
) -> None:
    client_tls.maximum_version = ssl.TLSVersion.TLSv1_2
    client_tls.set_ciphers("ECDHE-RSA-AES128-GCM-SHA256")
    session = Scripted(opening=(StartTls(b""),))
    async with served(session, context=server_tls) as stream:
        with pytest.raises(TlsError, match="sslv3 alert handshake failure"):
            await TlsClient(stream, client_tls).handshake()
        assert await stream.receive_some() == b""


async def test_eof_in_the_handshake(server_tls: ssl.SSLContext) -> None:
    session = Scripted(opening=(StartTls(b""),))
    async with served(session, context=server_tls) as stream:
        await stream.send_eof()
        assert await read_all(stream) == b""
    assert session.events == [TlsFailed("Connection closed")]


async def test_close_says_close_notify_first(
    server_tls: ssl.SSLContext, client_tls: ssl.SSLContext
) -> None:
    session = Scripted(opening=(StartTls(b""),), woken=on_tls_ready((Send(b"-\n"), Close())))
    async with served(session, context=server_tls) as stream:
        client = TlsClient(stream, client_tls)
        await client.handshake()
        assert await client.read() == b"-\n"
        assert await client.read() == b""
        assert await stream.receive_some() == b""


async def test_plaintext_in_a_running_tls_connection_closes_it(
    server_tls: ssl.SSLContext, client_tls: ssl.SSLContext
) -> None:
    session = Scripted(
        opening=(StartTls(b""),), answer=lambda data: () if data else (Send(b"bye"), Close())
    )
    async with served(session, context=server_tls) as stream:
        client = TlsClient(stream, client_tls)
        await client.handshake()
        await stream.send_all(b"\ttss\tmailbox list\n")
        with pytest.raises(TlsError, match="alert"):
            await client.read()
    assert session.received == [b""]
    assert session.ended == [3]


async def test_large_replies_and_small_room_over_tls(
    server_tls: ssl.SSLContext, client_tls: ssl.SSLContext
) -> None:
    session = Scripted(opening=(StartTls(b""),))
    session.room = 1000
    data = os.urandom(50_000)
    async with served(session, context=server_tls) as stream:
        client = TlsClient(stream, client_tls)
        await client.handshake()
        await client.send(data)
        echoed = b""
        while len(echoed) < len(data):
            echoed += await client.read()
        assert echoed == data
    assert max(map(len, session.received)) == 1000


async def test_what_never_left_over_tls_is_counted(
    server_tls: ssl.SSLContext, client_tls: ssl.SSLContext
) -> None:
    size = 16 << 20
    session = Scripted(opening=(StartTls(b""),), woken=on_tls_ready((Send(bytes(size)),)))
    async with served(session, context=server_tls) as stream:
        await TlsClient(stream, client_tls).handshake()
        await trio.testing.wait_all_tasks_blocked(0.01)
    assert 0 < session.ended[0] < size
    assert session.ended[0] % 16384 == 0


async def test_deadline_over_tls_says_close_notify(
    server_tls: ssl.SSLContext, client_tls: ssl.SSLContext
) -> None:
    def woken(event: Event) -> Plan:
        session.deadline = 0.05
        return SILENCE

    session = Scripted(opening=(StartTls(b""),), woken=woken)
    async with served(session, context=server_tls) as stream:
        client = TlsClient(stream, client_tls)
        await client.handshake()
        with trio.fail_after(5):
            assert await client.read() == b""


async def test_deadline_ends_a_send_that_nobody_reads() -> None:
    session = Scripted(opening=(Send(bytes(16 << 20)),), deadline=0.05)
    async with served(session):
        await ended(session)
    assert session.ended[0] > 0


async def test_starttls_twice_is_tls_inside_tls(
    server_tls: ssl.SSLContext, client_tls: ssl.SSLContext
) -> None:
    session = Scripted(opening=(StartTls(b""),))
    session.answer = lambda data: (
        (StartTls(data.removeprefix(b"STARTTLS\n")),)
        if data.startswith(b"STARTTLS\n")
        else (Send(data), Close())
    )
    async with served(session, context=server_tls) as stream:
        outer = TlsClient(stream, client_tls)
        await outer.handshake()
        await outer.send(b"STARTTLS\n")
        inner = TlsClient(stream, client_tls, below=outer.layer)
        await inner.handshake()
        await inner.send(b"twice\n")
        assert await inner.read() == b"twice\n"
        assert await inner.read() == b""
    assert session.events == [TlsReady(), TlsReady()]
