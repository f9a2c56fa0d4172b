"""Listening sockets: opened with clear refusals, served, and closed without a trace.

Everything is bound first (`unix_listener`, `tcp_listener`) and accepted from later
(`serve`), so "ready" means that a client can connect. `Connections` knows who is connected,
over all listeners of a fake, and can drop them all while the listeners stay.
"""

from __future__ import annotations

import contextlib
import errno
import ipaddress
import logging
import os
import socket
import stat
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import trio

from fakedove.errors import ListenError
from fakedove.net.pump import pump
from fakedove.net.turns import Turns
from fakedove.plan import Peer, Session

if TYPE_CHECKING:
    import ssl

_LOG = logging.getLogger("fakedove.net")

#: Bytes of a path in `sockaddr_un` on Linux, less the final NUL.
UNIX_PATH_BYTES: Final = 107

#: As many as Linux allows by default (`net.core.somaxconn`).
_BACKLOG: Final = 4096

#: Connections taken in one turn, so that a storm of them leaves the others their turn.
_ACCEPT_AT_ONCE: Final = 32

#: Seconds without accepting when the system refuses, instead of a busy loop.
_PAUSE: Final = 0.1


@dataclass(frozen=True, slots=True)
class Listener:
    """A bound, listening, non-blocking socket."""

    sock: socket.socket
    #: Absolute path of a UNIX socket's file, None for TCP.
    path: Path | None = None
    #: (host, port) of TCP, None for a UNIX socket.
    address: tuple[str, int] | None = None
    #: Device and inode of the socket's file, as it was made.
    identity: tuple[int, int] | None = None

    def close(self) -> None:
        """Stop listening, and remove the socket's file if it is still this one's."""
        self.sock.close()
        if self.path is not None:
            with contextlib.suppress(FileNotFoundError):
                if _identity(self.path) == self.identity:
                    self.path.unlink()

    def peer(self, remote: object) -> Peer:
        """Describe a client just accepted; `remote` is its socket address.

        Dovecot looks at the socket file's mode at each accept, so a chmod counts at once. A
        file that is gone leaves no mode that says "pre-authenticated".
        """
        if self.path is None:
            return Peer(address=str(remote[0]) if isinstance(remote, tuple) else None)
        try:
            return Peer(mode=stat.S_IMODE(self.path.stat().st_mode))
        except OSError:
            return Peer(mode=0)


class Connections:
    """The connections of one fake, over all its listeners."""

    def __init__(self) -> None:
        self._scopes: dict[trio.CancelScope, socket.socket] = {}
        self._change = trio.Event()

    def __len__(self) -> int:
        return len(self._scopes)

    async def drop(self) -> None:
        """Abort all connections and wait until they are gone.

        When this returns there is none, and there will be none before the caller's next
        `await`: what is accepted later finds what the caller has changed by then.
        """
        await trio.lowlevel.checkpoint()
        while self._scopes:
            for scope in self._scopes:
                scope.cancel()
            await self._change.wait()

    def close_copies(self) -> None:
        """Close the sockets in a forked child, or no peer would see EOF while it lives."""
        for sock in self._scopes.values():
            sock.close()

    async def run(
        self,
        listener: Listener,
        make_session: Callable[[], Session],
        sock: socket.socket,
        remote: object,
        ended: Callable[[], None],
        *,
        tls_context: Callable[[], ssl.SSLContext] | None,
        crashed: Callable[[Exception], None],
    ) -> None:
        """Pump one accepted connection to its end; see `serve`."""
        with trio.CancelScope() as scope, sock:
            self._scopes[scope] = sock
            try:
                # Made here, not at accept: `drop` has to know of every session there is.
                await pump(sock, make_session(), listener.peer(remote), tls_context, ended)
            except Exception as error:
                crashed(error)
            finally:
                del self._scopes[scope]
                self._change.set()
                self._change = trio.Event()


def unix_listener(path: str | os.PathLike[str], mode: int) -> Listener:
    """Listen on a UNIX socket whose file has exactly the permission bits `mode`.

    The file of a dead server is replaced, that of a live one is not. Raises `ListenError`.
    """
    file = Path(path).absolute()
    length = len(os.fsencode(file))
    if length > UNIX_PATH_BYTES:
        raise ListenError(
            f"{file}: too long for a UNIX socket ({length} bytes, at most {UNIX_PATH_BYTES}); "
            "use a shorter base_dir"
        )
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        _bind_unix(sock, file)
        # Nobody can connect before listen(), so nobody meets the file with another mode.
        file.chmod(mode)
        sock.listen(_BACKLOG)
        sock.setblocking(False)
        return Listener(sock, path=file, identity=_identity(file))
    except OSError as error:
        sock.close()
        if isinstance(error, ListenError):
            raise
        raise ListenError(f"{file}: {_refusal(error)}") from error


def tcp_listener(host: str, port: int) -> Listener:
    """Listen on an IPv4 or IPv6 address; port 0 takes a free one. Raises `ListenError`."""
    shown = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except (socket.gaierror, UnicodeError, OverflowError) as error:
        raise ListenError(f"{shown}: no such address; use one as 127.0.0.1:0 or [::1]:0") from error
    sock = socket.socket(family, kind, protocol)
    try:
        # A port whose last connections are still in TIME_WAIT is free for a new server.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind(address)
        sock.listen(_BACKLOG)
        sock.setblocking(False)
        bound = sock.getsockname()
        return Listener(sock, address=(bound[0], bound[1]))
    except OSError as error:
        sock.close()
        raise ListenError(f"{shown}: {_refusal(error)}") from error


def is_loopback(host: str) -> bool:
    """Tell whether only this machine can reach `host`."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


async def serve(
    listener: Listener,
    make_session: Callable[[], Session],
    connections: Connections,
    *,
    tls_context: Callable[[], ssl.SSLContext] | None = None,
    crashed: Callable[[Exception], None],
    turns_now: Callable[[], Turns | None] = lambda: None,
) -> None:
    """Accept until cancelled, one session and one task per connection.

    `tls_context` is asked when a session starts TLS. A session that raises ends its own
    connection only; `crashed` is told. With turns nobody is accepted before it is his.
    """
    warned = False
    async with trio.open_nursery() as nursery:
        run = partial(
            connections.run, listener, make_session, tls_context=tls_context, crashed=crashed
        )
        while True:
            await trio.lowlevel.wait_readable(listener.sock)
            turns = turns_now()
            ended = _nothing if turns is None else turns.give_back
            if turns is not None:
                await turns.take()
            try:
                for _ in range(_ACCEPT_AT_ONCE if turns is None else 1):
                    sock, remote = listener.sock.accept()
                    sock.setblocking(False)
                    nursery.start_soon(run, sock, remote, ended)
            except BlockingIOError:
                ended()
                warned = False
            except OSError as error:
                ended()
                # Out of descriptors, as a rule: the client still waits, so no hurry either.
                if not warned:
                    _LOG.warning("cannot accept connections: %s; waiting", error.strerror)
                    warned = True
                await trio.sleep(_PAUSE)


def _nothing() -> None:
    pass


def _bind_unix(sock: socket.socket, file: Path) -> None:
    """Bind to `file`, in place of a dead server's socket if there is one."""
    try:
        sock.bind(os.fspath(file))
        return
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
    if not file.is_socket():
        raise ListenError(f"{file}: exists and is no socket; remove it or use another path")
    if _is_alive(file):
        raise ListenError(f"{file}: in use by a running server; stop it or use another path")
    file.unlink(missing_ok=True)
    sock.bind(os.fspath(file))


def _is_alive(file: Path) -> bool:
    """Tell whether somebody listens; only a refused connection proves that nobody does."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.setblocking(False)
        try:
            probe.connect(os.fspath(file))
        except (ConnectionRefusedError, FileNotFoundError):
            return False
        except OSError as error:
            if error.errno != errno.EAGAIN:
                raise
        return True


def _refusal(error: OSError) -> str:
    """Say what stands in the way of an address, and the way out."""
    match error.errno:
        case errno.EADDRINUSE:
            return "the port is in use; use another one, or 0 for a free one"
        case errno.EACCES | errno.EPERM | errno.EROFS:
            return "not permitted; use another address"
        case errno.EADDRNOTAVAIL | errno.EAFNOSUPPORT:
            return "this machine has no such address; use 127.0.0.1 or [::1]"
        case errno.ENOENT | errno.ENOTDIR:
            return "its directory does not exist; make it first"
        case _:
            return f"cannot listen: {error.strerror or error}"


def _identity(file: Path) -> tuple[int, int]:
    found = file.lstat()
    return found.st_dev, found.st_ino
