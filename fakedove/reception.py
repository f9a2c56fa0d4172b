"""The listeners of one fake by name: bound together, served, taken down and brought back.

Everything is bound before anything is served, and nothing of it is left at the end. What a
session raises ends its own connection only, and is kept for whoever ends the fake.
"""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import trio

from fakedove import config
from fakedove.errors import FakeDovecotError, UnknownNameError, did_you_mean
from fakedove.net.listeners import Connections, Listener, serve, tcp_listener, unix_listener
from fakedove.net.turns import Turns
from fakedove.plan import Session

if TYPE_CHECKING:
    import ssl


class Reception:
    """The listeners of one fake and who is connected to them."""

    def __init__(
        self,
        settings: Sequence[config.Listener],
        base_dir: Path,
        make_session: Callable[[str], Session],
        tls_context: Callable[[str], ssl.SSLContext],
        turns_of: Callable[[str], Turns | None],
    ) -> None:
        """Bind all listeners; raises ListenError, and then none is left.

        `make_session`, `tls_context` and `turns_of` are given the listener's name.
        """
        self.connections = Connections()
        #: What sessions raised, oldest first.
        self.crashes: list[Exception] = []
        self._services = {one.name: one.service for one in settings}
        self._modes = {one.name: one.mode for one in settings}
        self._make_session = make_session
        self._tls_context = tls_context
        self._turns_of = turns_of
        self._nursery: trio.Nursery | None = None
        self._accepting = trio.CancelScope()
        self._closed = trio.Event()
        self._is_down = False
        self._listeners: dict[str, Listener] = {}
        with ExitStack() as undo:
            undo.callback(self.close)
            for one in settings:
                self._listeners[one.name] = _bind(one, base_dir)
            undo.pop_all()

    def close(self) -> None:
        """Stop listening and remove the sockets' files."""
        for listener in self._listeners.values():
            listener.close()

    def close_copies(self) -> None:
        """Close the sockets in a forked child; files and connections are the parent's."""
        for listener in self._listeners.values():
            listener.sock.close()
        self.connections.close_copies()

    # Serving

    def serve_in(self, nursery: trio.Nursery) -> None:
        """Accept on all listeners in `nursery`, until that is cancelled."""
        self._nursery = nursery
        self._accepting, self._closed = trio.CancelScope(), trio.Event()
        nursery.start_soon(self._accept, self._accepting, self._closed)

    @asynccontextmanager
    async def down(self) -> AsyncIterator[None]:
        """Refuse and drop all connections inside; then listen on the same addresses again."""
        if self._nursery is None or self._is_down:
            raise FakeDovecotError("down(): the server is down already")
        with ExitStack() as reserved:
            self._accepting.cancel()
            with trio.CancelScope(shield=True):
                await self._closed.wait()
            for listener in self._listeners.values():
                # A UNIX socket's file stays: connecting to it is refused, too.
                listener.sock.close()
                reserved.enter_context(_reserve(listener))
            self._is_down = True
            try:
                yield
            finally:
                reserved.close()
                self._reopen()
                self.serve_in(self._nursery)
                self._is_down = False

    def _reopen(self) -> None:
        for name, old in self._listeners.items():
            if old.path is not None:
                self._listeners[name] = unix_listener(old.path, self._modes[name])
            elif old.address is not None:
                self._listeners[name] = tcp_listener(*old.address)

    async def _accept(self, scope: trio.CancelScope, closed: trio.Event) -> None:
        try:
            with scope:
                async with trio.open_nursery() as nursery:
                    for name, listener in self._listeners.items():
                        nursery.start_soon(self._serve, name, listener)
        finally:
            closed.set()

    async def _serve(self, name: str, listener: Listener) -> None:
        await serve(
            listener,
            partial(self._make_session, name),
            self.connections,
            tls_context=partial(self._tls_context, name),
            crashed=self.crashes.append,
            turns_now=partial(self._turns_of, name),
        )

    # Addresses

    def path(self, name: str) -> Path:
        """Return where a UNIX listener is; raises UnknownNameError."""
        path = self._listener(name).path
        if path is None:
            raise UnknownNameError(f'listener "{name}" is no UNIX socket; it has an address()')
        return path

    def address(self, name: str) -> tuple[str, int]:
        """Return host and port of a TCP listener; raises UnknownNameError."""
        address = self._listener(name).address
        if address is None:
            raise UnknownNameError(f'listener "{name}" is a UNIX socket; it has a path()')
        return address

    def describe(self) -> dict[str, dict[str, str | int]]:
        """Return service and place of each listener, fit for JSON."""
        described: dict[str, dict[str, str | int]] = {}
        for name, listener in self._listeners.items():
            described[name] = {"service": self._services[name]}
            if listener.address is not None:
                host, port = listener.address
                described[name] |= {"host": host, "port": port}
            else:
                described[name]["path"] = str(listener.path)
        return described

    def _listener(self, name: str) -> Listener:
        if name not in self._listeners:
            near = did_you_mean(name, self._listeners)
            known = ", ".join(self._listeners)
            raise UnknownNameError(f'there is no listener "{name}"{near} (there is: {known})')
        return self._listeners[name]


def _bind(setting: config.Listener, base_dir: Path) -> Listener:
    """Listen. The folder of a socket below base_dir is made: sieve-pipe/NAME needs one.

    So does 2.4.1; 2.3.19.1 does not start without it.
    """
    if setting.address is not None:
        return tcp_listener(*setting.address)
    assert setting.path is not None
    file = base_dir / setting.path
    if not Path(setting.path).is_absolute():
        # What is wrong with it is told when the socket is bound.
        with suppress(OSError):
            file.parent.mkdir(parents=True, exist_ok=True)
    return unix_listener(file, setting.mode)


@contextmanager
def _reserve(listener: Listener) -> Iterator[None]:
    """Keep the port of a closed listener, so that nobody takes it and nobody is answered.

    A socket that is bound and does not listen refuses connections; without it a client that
    tries again and again would one day get the port as its own and connect to itself.
    """
    if listener.address is None:
        yield
        return
    host, port = listener.address
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as placeholder:
        placeholder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        placeholder.bind((host, port))
        yield
