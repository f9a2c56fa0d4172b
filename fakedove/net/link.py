"""One socket: bytes in and out, as far as the session's patience goes.

It works on the plain non-blocking socket with Trio's `wait_readable`: a reply that fits the
socket's buffer is one `send` without a detour through the scheduler, and a read costs one wait
and one `recv`. That is what keeps a round trip cheaper than a stream's.
"""

from __future__ import annotations

import contextlib
import select
import socket
import struct
import sys
from collections.abc import Awaitable, Callable
from typing import Final, NoReturn, TypeAlias

import trio
from trio.lowlevel import wait_readable, wait_writable

from fakedove.plan import Session, TimedOut

#: At most this many bytes are read at once.
READ_BYTES: Final = 65536

#: `struct linger`, on with 0 seconds: closing drops what is buffered and resets.
_LINGER_RESET: Final = struct.pack("ii", 1, 0)

#: `trio.lowlevel.wait_readable` or `wait_writable`.
_Wait: TypeAlias = Callable[[socket.socket | int], Awaitable[None]]


class OverError(Exception):
    """The connection is over: closed by a step, by its deadline or by the peer."""


class Link:
    """A socket whose bytes are counted and whose waiting has an end."""

    __slots__ = ("_deadline", "_expiry", "_flags", "_hasty", "_sent", "_session", "_sock", "unsent")

    def __init__(self, sock: socket.socket, session: Session) -> None:
        """Speak over `sock`; `session.deadline` says how long a wait may last."""
        self._sock = sock
        self._session = session
        self._deadline: float | None = None
        self._expiry = 0.0
        self._sent = 0
        #: A program that shares the socket wants it blocking; we do not.
        self._flags = 0
        #: Bytes, or EOF, have most likely come already: the next read looks before it waits.
        self._hasty = session.take is not None
        #: Bytes of plans that never left; counted when sending ends early.
        self.unsent = 0

    def send_without_delay(self) -> None:
        """Keep TCP from collecting small packets."""
        if self._sock.family != socket.AF_UNIX:
            # A peer that has already reset the connection makes this fail on some systems.
            with contextlib.suppress(OSError):
                self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    async def _peek(self, size: int, take: Callable[[bytes], int]) -> bytes:
        """Read as much of what has come as the session takes."""
        peeked = await self._receive(size, socket.MSG_PEEK)
        return self._sock.recv(take(peeked)) if peeked else b""

    async def _receive(self, size: int, flags: int = 0) -> bytes:
        """Read from the socket itself."""
        sock = self._sock
        while True:
            if self._hasty:
                self._hasty = False
            elif self._session.deadline is None:
                self._deadline = None
                await wait_readable(sock)
            else:
                await self._until_deadline(wait_readable, sock)
            try:
                return sock.recv(size, flags)
            except BlockingIOError:
                continue
            except OSError:
                raise OverError from None

    async def _until_deadline(self, wait: _Wait, target: socket.socket | int) -> None:
        """Wait for `target`, or end the connection when the session's patience ends.

        The seconds count from the first wait for which the session names them, until it names
        others or None: a client that drips bytes gains no time.
        """
        seconds = self._session.deadline
        if seconds is None:
            await wait(target)
            return
        if seconds != self._deadline:
            self._deadline, self._expiry = seconds, trio.current_time() + seconds
        with trio.CancelScope(deadline=self._expiry):
            await wait(target)
            return
        self._session.wake(TimedOut())
        self._give_up()
        raise OverError

    def _give_up(self) -> None:
        """Say goodbye to a peer that nobody waits for any longer."""

    async def _hold(self) -> NoReturn:
        """Neither read nor write until the peer is gone altogether, or we are cancelled."""
        if sys.platform != "linux":
            await trio.sleep_forever()
        # Trio waits for "readable", which unread bytes are, too. An epoll that is told of no
        # event is readable when the connection breaks or hangs up, and then only.
        with select.epoll() as hangup:
            hangup.register(self._sock, 0)
            await self._until_deadline(wait_readable, hangup.fileno())
        raise OverError

    def _half_close(self) -> None:
        self._hasty = True
        try:
            self._sock.shutdown(socket.SHUT_WR)
        except OSError:
            raise OverError from None

    def _reset(self) -> None:
        """Make closing a reset."""
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_RESET)

    def _send_at_once(self, data: bytes) -> bytes:
        """Send what the kernel takes now; return the rest."""
        try:
            sent = self._sock.send(data, self._flags)
        except BlockingIOError:
            return data
        except OSError:
            self.unsent += len(data)
            raise OverError from None
        return data[sent:]

    async def _transmit(self, data: bytes) -> None:
        """Hand `data` to the kernel; `_sent` says how far it came."""
        try:
            self._sent = self._sock.send(data, self._flags)
        except BlockingIOError:
            self._sent = 0
        except OSError:
            raise OverError from None
        if self._sent == len(data):
            return
        rest = memoryview(data)
        while self._sent < len(data):
            await self._until_deadline(wait_writable, self._sock)
            try:
                self._sent += self._sock.send(rest[self._sent :], self._flags)
            except BlockingIOError:
                continue
            except OSError:
                raise OverError from None
