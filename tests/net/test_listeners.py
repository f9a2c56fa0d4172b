"""Listeners on real addresses: what is refused and how, who connected, and what is left."""

import contextlib
import errno
import logging
import os
import socket
import stat
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio
import trio.testing

from fakedove.errors import ListenError
from fakedove.net.listeners import (
    Connections,
    Listener,
    is_loopback,
    serve,
    tcp_listener,
    unix_listener,
)
from fakedove.plan import Peer, Send, Session
from tests.net.scripted import Scripted, open_descriptors, read_all


@pytest.fixture
def running() -> Iterator[Callable[[Listener], Listener]]:
    """Close what a test has opened."""
    with contextlib.ExitStack() as stack:

        def opened(listener: Listener) -> Listener:
            stack.callback(listener.close)
            return listener

        yield opened


@asynccontextmanager
async def serving(
    listener: Listener,
    make_session: Callable[[], Session] = Scripted,
    crashed: list[Exception] | None = None,
) -> AsyncIterator[Connections]:
    connections, crashes = Connections(), crashed if crashed is not None else []
    async with trio.open_nursery() as nursery:

        async def run() -> None:
            await serve(listener, make_session, connections, crashed=crashes.append)

        nursery.start_soon(run)
        yield connections
        nursery.cancel_scope.cancel()
    assert len(connections) == 0
    listener.close()
    if crashed is None:
        assert crashes == []


async def connect(listener: Listener) -> trio.SocketStream:
    if listener.path is not None:
        return await trio.open_unix_socket(listener.path)
    assert listener.address is not None
    return await trio.open_tcp_stream(*listener.address)


# Opening


def refused(function: Callable[[], Listener]) -> str:
    with pytest.raises(ListenError) as error:
        function()
    message = str(error.value)
    assert "\n" not in message
    return message


@pytest.mark.parametrize("mode", [0o600, 0o666, 0o640])
def test_unix_socket_has_its_mode_whatever_the_umask(socket_path: Path, mode: int) -> None:
    listener = unix_listener(socket_path, mode)
    assert stat.S_IMODE(socket_path.stat().st_mode) == mode
    listener.close()
    assert not socket_path.exists()


def test_the_umask_is_left_alone(socket_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def umask(mask: int) -> int:
        raise AssertionError("a process has one umask, and it is not ours")

    monkeypatch.setattr(os, "umask", umask)
    unix_listener(socket_path, 0o600).close()


def test_the_socket_of_a_dead_server_is_replaced(socket_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(socket_path))
        dead.listen()
    listener = unix_listener(socket_path, 0o600)
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(socket_path))
    listener.close()


def test_a_live_server_is_not(socket_path: Path, running: Callable[[Listener], Listener]) -> None:
    running(unix_listener(socket_path, 0o600))
    message = refused(lambda: unix_listener(socket_path, 0o600))
    assert message == (f"{socket_path}: in use by a running server; stop it or use another path")
    assert socket_path.is_socket()


def test_a_live_server_with_a_full_queue_is_not_either(socket_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as busy, socket.socket(socket.AF_UNIX) as waiting:
        busy.bind(str(socket_path))
        busy.listen(0)
        waiting.connect(str(socket_path))
        assert "in use by a running server" in refused(lambda: unix_listener(socket_path, 0o600))


def test_a_file_is_not_replaced(socket_path: Path) -> None:
    socket_path.write_text("precious")
    message = refused(lambda: unix_listener(socket_path, 0o600))
    assert message == f"{socket_path}: exists and is no socket; remove it or use another path"
    assert socket_path.read_text() == "precious"


def test_a_path_too_long(tmp_path: Path) -> None:
    base = f"{tmp_path}/"
    fits = Path(base + "x" * (107 - len(base)))
    unix_listener(fits, 0o600).close()
    message = refused(lambda: unix_listener(f"{fits}x", 0o600))
    assert message == (
        f"{fits}x: too long for a UNIX socket (108 bytes, at most 107); use a shorter base_dir"
    )


def test_no_such_directory(tmp_path: Path) -> None:
    path = tmp_path / "missing" / "s"
    message = refused(lambda: unix_listener(path, 0o600))
    assert message == f"{path}: its directory does not exist; make it first"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_not_permitted(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    assert "not permitted; use another" in refused(lambda: unix_listener(tmp_path / "s", 0o600))


def test_a_foreign_socket_file_is_not_removed_at_close(socket_path: Path) -> None:
    listener = unix_listener(socket_path, 0o600)
    # Somebody else took the path over: a rename keeps the first inode from being reused.
    socket_path.rename(socket_path.with_name("old"))
    other = unix_listener(socket_path, 0o600)
    listener.close()
    assert socket_path.is_socket()
    other.close()
    assert not socket_path.exists()


def test_closing_twice_is_harmless(socket_path: Path) -> None:
    listener = unix_listener(socket_path, 0o600)
    listener.close()
    listener.close()


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_tcp_takes_a_free_port(host: str, running: Callable[[Listener], Listener]) -> None:
    first, second = running(tcp_listener(host, 0)), running(tcp_listener(host, 0))
    assert first.address is not None
    assert second.address is not None
    assert first.address[0] == host
    assert first.address[1] != second.address[1] != 0


@pytest.mark.parametrize(("host", "shown"), [("127.0.0.1", "127.0.0.1"), ("::1", "[::1]")])
def test_port_in_use(host: str, shown: str, running: Callable[[Listener], Listener]) -> None:
    address = running(tcp_listener(host, 0)).address
    assert address is not None
    message = refused(lambda: tcp_listener(host, address[1]))
    assert message == (
        f"{shown}:{address[1]}: the port is in use; use another one, or 0 for a free one"
    )


def test_no_such_address() -> None:
    assert refused(lambda: tcp_listener("192.0.2.1", 0)) == (
        "192.0.2.1:0: this machine has no such address; use 127.0.0.1 or [::1]"
    )
    assert refused(lambda: tcp_listener("not..a..host", 0)) == (
        "not..a..host:0: no such address; use one as 127.0.0.1:0 or [::1]:0"
    )


@pytest.mark.parametrize(
    ("number", "words"),
    [(errno.EACCES, "not permitted"), (errno.EIO, "cannot listen: Input/output error")],
)
def test_other_refusals_of_the_system(
    number: int, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Refusing(socket.socket):
        def bind(self, address: object) -> None:
            raise OSError(number, os.strerror(number))

    monkeypatch.setattr(socket, "socket", Refusing)
    assert refused(lambda: tcp_listener("127.0.0.1", 80)).startswith(f"127.0.0.1:80: {words}")


def test_loopback() -> None:
    assert all(map(is_loopback, ["127.0.0.1", "127.8.9.1", "::1", "localhost"]))
    assert not any(map(is_loopback, ["0.0.0.0", "::", "192.0.2.1", "mail.example"]))


# Serving


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_peer_over_tcp_has_its_address(host: str) -> None:
    sessions: list[Scripted] = []

    def make_session() -> Scripted:
        sessions.append(Scripted(opening=(Send(b"+\n"),)))
        return sessions[-1]

    listener = tcp_listener(host, 0)
    async with serving(listener, make_session), await connect(listener) as client:
        assert await client.receive_some() == b"+\n"
    assert sessions[0].peer == Peer(address=host)


async def test_peer_on_a_unix_socket_has_the_mode_of_the_moment(socket_path: Path) -> None:
    sessions: list[Scripted] = []

    def make_session() -> Scripted:
        sessions.append(Scripted(opening=(Send(b"+\n"),)))
        return sessions[-1]

    def change_mode(mode: int) -> None:
        socket_path.chmod(mode)

    listener = unix_listener(socket_path, 0o600)
    async with serving(listener, make_session):
        for mode in (0o600, 0o666):
            change_mode(mode)
            async with await connect(listener) as client:
                await client.receive_some()
    assert [session.peer for session in sessions] == [Peer(mode=0o600), Peer(mode=0o666)]


def test_a_socket_file_that_is_gone_means_no_mode_at_all(socket_path: Path) -> None:
    listener = unix_listener(socket_path, 0o600)
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(socket_path))
        socket_path.unlink()
        assert listener.peer("") == Peer(mode=0)
    listener.close()


async def test_dropping_ends_all_connections_and_the_listener_stays(socket_path: Path) -> None:
    sessions: list[Scripted] = []

    def make_session() -> Scripted:
        sessions.append(Scripted())
        return sessions[-1]

    listener = unix_listener(socket_path, 0o600)
    async with serving(listener, make_session) as connections:
        clients = [await connect(listener) for _ in range(20)]
        await trio.testing.wait_all_tasks_blocked(0.01)
        assert len(connections) == 20
        await connections.drop()
        assert len(connections) == 0
        assert [session.ended for session in sessions] == [[0]] * 20
        for client in clients:
            assert await read_all(client) == b""
            await client.aclose()
        async with await connect(listener) as client:
            await client.send_all(b"again\n")
            assert await client.receive_some() == b"again\n"


async def test_nobody_of_before_a_drop_is_there_after_it(socket_path: Path) -> None:
    world = "old"
    bound: list[tuple[str, Scripted]] = []

    def make_session() -> Scripted:
        bound.append((world, Scripted()))
        return bound[-1][1]

    listener = unix_listener(socket_path, 0o600)
    async with serving(listener, make_session) as connections:
        with contextlib.ExitStack() as clients:
            for _ in range(100):
                # In the listener's queue while the others are dropped.
                client = clients.enter_context(socket.socket(socket.AF_UNIX))
                client.connect(str(socket_path))
                await trio.lowlevel.checkpoint()
            await connections.drop()
            world = "new"
            await trio.testing.wait_all_tasks_blocked(0.01)
            assert len(bound) == 100
            assert {name for name, session in bound if not session.ended} <= {"new"}
            assert {name for name, session in bound if session.ended} == {"old"}


async def test_a_session_that_raises_ends_its_own_connection_only(socket_path: Path) -> None:
    def answer(data: bytes) -> tuple[Send, ...]:
        if data == b"crash":
            raise ZeroDivisionError("in a session")
        return (Send(data),)

    crashes: list[Exception] = []
    listener = unix_listener(socket_path, 0o600)
    async with (
        serving(listener, lambda: Scripted(answer=answer), crashes),
        await connect(listener) as bad,
        await connect(listener) as good,
    ):
        await bad.send_all(b"crash")
        assert await read_all(bad) == b""
        await good.send_all(b"fine")
        assert await good.receive_some() == b"fine"
    assert [str(crash) for crash in crashes] == ["in a session"]


async def test_a_session_that_cannot_be_made_closes_the_connection(socket_path: Path) -> None:
    def make_session() -> Scripted:
        raise ZeroDivisionError("no session")

    crashes: list[Exception] = []
    listener = unix_listener(socket_path, 0o600)
    async with serving(listener, make_session, crashes), await connect(listener) as client:
        assert await read_all(client) == b""
    assert [str(crash) for crash in crashes] == ["no session"]


class Exhausted(socket.socket):
    """A listening socket of a process that has no descriptor left, `failures` times."""

    failures = 3

    def accept(self) -> tuple[socket.socket, object]:
        if self.failures:
            self.failures -= 1
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        return super().accept()


async def test_without_descriptors_accepting_pauses_and_warns_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    sock = Exhausted()
    sock.bind(("127.0.0.1", 0))
    sock.listen()
    sock.setblocking(False)
    listener = Listener(sock, address=sock.getsockname())
    with caplog.at_level(logging.WARNING, "fakedove.net"):
        async with serving(listener), await connect(listener) as client:
            await client.send_all(b"at last")
            assert await client.receive_some() == b"at last"
    assert [record.getMessage() for record in caplog.records] == [
        "cannot accept connections: Too many open files; waiting"
    ]


async def test_nothing_is_left(socket_path: Path) -> None:
    before = open_descriptors()
    listener = unix_listener(socket_path, 0o600)
    async with serving(listener):
        clients = [await connect(listener) for _ in range(200)]
        async with await connect(listener) as client:
            await client.send_all(b"x")
            assert await client.receive_some() == b"x"
    for client in clients:
        await client.aclose()
    assert open_descriptors() == before
    assert list(socket_path.parent.iterdir()) == []
