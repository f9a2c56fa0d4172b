"""The one loop that waits: it carries out the plans of a session on a socket.

Everything a session wants is a step (`fakedove.plan`); everything that needs the event loop
is here, and in `fakedove.net.link`, which moves the bytes.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final, NoReturn

import trio

from fakedove.net.link import READ_BYTES, Link, OverError
from fakedove.plan import (
    Call,
    Called,
    Continue,
    Feed,
    HalfClose,
    Peer,
    Plan,
    Reset,
    Run,
    Send,
    Session,
    Stall,
    StartTls,
    Step,
    TlsFailed,
    TlsReady,
    Wait,
    Waited,
)

if TYPE_CHECKING:
    import ssl

    from fakedove.net.process import Process
    from fakedove.net.tls import TlsLayer

#: Plaintext encrypted at a time, in bytes: one TLS record, so `unsent` is as exact.
_RECORD_BYTES: Final = 16384


async def pump(
    sock: socket.socket,
    session: Session,
    peer: Peer,
    tls_context: Callable[[], ssl.SSLContext] | None,
    ended: Callable[[], None] = lambda: None,
) -> None:
    """Serve one connection to its end, and close `sock`, which must be non-blocking.

    `session.end` and `ended` are called exactly once, before the peer can see the end; what a
    program leaves behind lives on. A peer that goes away ends it quietly; an exception of the
    session is raised.
    """
    connection = _Connection(sock, session, tls_context)
    try:
        try:
            connection.send_without_delay()
            await connection.converse(peer)
        except OverError:
            pass
        finally:
            try:
                session.end(connection.unsent)
            finally:
                ended()
                sock.close()
        if connection.process is not None:
            await connection.process.linger(session.wake)
    finally:
        if connection.process is not None:
            connection.process.close()


class _Connection(Link):
    """One socket, its session, and the TLS between them."""

    __slots__ = ("_tls", "_tls_context", "process")

    def __init__(
        self,
        sock: socket.socket,
        session: Session,
        tls_context: Callable[[], ssl.SSLContext] | None,
    ) -> None:
        super().__init__(sock, session)
        self._tls_context = tls_context
        self._tls: TlsLayer | None = None
        self.process: Process | None = None

    async def converse(self, peer: Peer) -> NoReturn:
        """Read and carry out until `OverError`."""
        session = self._session
        plan = session.open(peer)
        while True:
            # Nearly every plan is one small reply, and each coroutine on the way counts.
            if len(plan) == 1 and type(plan[0]) is Send and self._tls is None:
                if rest := self._send_at_once(plan[0].data):
                    await self._send(rest)
            elif plan:
                await self._carry_out(plan)
            data = await self._read()
            plan = session.receive(data)
            if not data:
                break
        await self._carry_out(plan)
        await self._hold()

    # Reading

    def _read(self) -> Awaitable[bytes]:
        """Read what the session has room for; b"" is EOF. Over TLS this is plaintext."""
        room = self._session.room
        if room <= 0:
            return self._hold()
        if self._tls is None:
            size = room if room < READ_BYTES else READ_BYTES
            take = self._session.take
            return self._receive(size) if take is None else self._peek(size, take)
        return self._read_tls(self._tls, room)

    async def _read_tls(self, tls: TlsLayer, room: int) -> bytes:
        from fakedove.net.tls import TlsError

        while True:
            try:
                data = tls.read(min(room, READ_BYTES))
                await self._flush(tls)
                if data is not None:
                    return data
                tls.feed(await self._receive(READ_BYTES))
            except TlsError:
                # As Dovecot does: broken TLS is the end of input. Nothing more can be sent,
                # so the session's last words will count as unsent.
                await self._flush(tls)
                return b""

    # Carrying out

    async def _carry_out(self, plan: Plan) -> None:
        while plan:
            plan = await self._carry_out_once(plan)

    async def _carry_out_once(self, plan: Plan) -> Plan:
        """Carry out one plan; return the next one if its last step asked for it."""
        done = 0
        try:
            for step in plan:
                done += 1
                if type(step) is Send:
                    await self._send(step.data)
                elif type(step) is HalfClose:
                    self._half_close()
                elif done != len(plan):
                    raise TypeError(f"a plan can only end with {step!r}: {plan!r}")
                elif type(step) is Continue:
                    # A reader as fast as we are would let nobody else have a turn.
                    await trio.lowlevel.checkpoint()
                    return self._session.wake(step)
                elif type(step) is StartTls:
                    return await self._start_tls(step.leftover)
                elif type(step) is Run:
                    return await self._run(step)
                elif type(step) is Wait:
                    return await self._wait(step)
                elif type(step) is Call:
                    return self._session.wake(Called(await step.function()))
                else:
                    await self._finish(step)
        except BaseException:
            self.unsent += _bytes_in(plan[done:])
            raise
        return ()

    async def _wait(self, step: Wait) -> Plan:
        """Wait for the time, or for the peer to be gone; return what the session says then."""
        with trio.move_on_after(step.seconds):
            await self._hold()
        return self._session.wake(Waited())

    async def _finish(self, step: Step) -> NoReturn:
        """Carry out a step after which there is none."""
        match step:
            case Reset():
                self._reset()
            case Stall():
                await self._hold()
            case _:
                self._give_up()
        raise OverError

    async def _run(self, step: Run) -> Plan:
        """Give the connection to a program, and carry out what the session says to its end."""
        from fakedove.net.process import Process

        process = self.process = Process(step, self._sock)
        if step.relayed:
            await self._relay(process)
            raise OverError
        self._flags = socket.MSG_DONTWAIT
        if step.alone:
            self._sock.close()
        await self._follow(process)
        raise OverError

    async def _follow(self, process: Process) -> None:
        """Carry out what the session says to what a program does."""
        while (event := await process.next_event()) is not None:
            await self._carry_out(self._session.wake(event))

    async def _relay(self, process: Process) -> None:
        """Follow a program, and feed it meanwhile."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._feed, process)
            with contextlib.suppress(OverError):
                await self._follow(process)
            nursery.cancel_scope.cancel()

    async def _feed(self, process: Process) -> None:
        """Give a relayed program what the session makes of the client's bytes."""
        data = b"?"
        while data:
            try:
                data = await self._receive(READ_BYTES)
            except OverError:
                data = b""
            for step in self._session.receive(data):
                assert type(step) is Feed
                await process.feed(step.data)

    async def _send(self, data: bytes) -> None:
        """Send all of `data`, or count what of it never left."""
        if self._tls is not None:
            await self._send_tls(self._tls, data)
            return
        self._sent = 0
        try:
            await self._transmit(data)
        except BaseException:
            self.unsent += len(data) - self._sent
            raise

    async def _send_tls(self, tls: TlsLayer, data: bytes) -> None:
        from fakedove.net.tls import TlsError

        for start in range(0, len(data), _RECORD_BYTES):
            try:
                tls.write(data[start : start + _RECORD_BYTES])
                await self._flush(tls)
            except TlsError:
                self.unsent += len(data) - start
                raise OverError from None
            except BaseException:
                self.unsent += len(data) - start
                raise

    async def _flush(self, tls: TlsLayer) -> None:
        if ciphertext := tls.outgoing():
            await self._transmit(ciphertext)

    # TLS

    async def _start_tls(self, leftover: bytes) -> Plan:
        """Put a TLS layer on top and shake hands; return what the session says to that."""
        from fakedove.net.tls import TlsError, TlsLayer

        if self._tls_context is None:
            raise RuntimeError("StartTls without a TLS context: the session has to look first")
        tls = TlsLayer(self._tls_context(), below=self._tls)
        try:
            if leftover:
                tls.feed_here(leftover)
            while not tls.handshake():
                await self._flush(tls)
                tls.feed(await self._receive(READ_BYTES))
            await self._flush(tls)
        except TlsError as error:
            await self._flush(tls)
            self.unsent += _bytes_in(self._session.wake(TlsFailed(error.reason)))
            self._give_up()
            raise OverError from None
        self._tls = tls
        return self._session.wake(TlsReady())

    def _give_up(self) -> None:
        """End TLS properly if the kernel takes the few bytes at once, as Dovecot does."""
        if self._tls is None:
            return
        self._tls.close()
        with contextlib.suppress(OSError):
            self._sock.send(self._tls.outgoing())


def _bytes_in(plan: Plan) -> int:
    return sum(len(step.data) for step in plan if type(step) is Send)
