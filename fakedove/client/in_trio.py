"""The client for Trio, which is imported when a client is made."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, TypeVar

from fakedove.client.address import Address, AddressLike
from fakedove.client.conversation import Conversation, Reply, Steps, TlsMode, Want
from fakedove.client.link import READ_BYTES, Link, Trace

if TYPE_CHECKING:
    import trio

_T = TypeVar("_T")


class TrioClient:
    """The same for Trio; `open_trio_client` makes one."""

    def __init__(self, conversation: Conversation, link: Link, stream: trio.abc.Stream) -> None:
        self._conversation = conversation
        self._link = link
        self._stream = stream

    @property
    def server_minor(self) -> int:
        """The server's protocol minor; 0 if it did not tell."""
        return self._conversation.wire.server_minor or 0

    async def command(
        self,
        name: str,
        *,
        user: str = "",
        args: Sequence[str | bytes] = (),
        body: bytes | None = None,
        flags: str = "",
        extra: str | None = None,
    ) -> Reply:
        """Send one command and return its reply; see `Client.command`."""
        steps = self._conversation.command(name, user, args, body, flags, extra)
        return await self._carry_out(steps)

    async def aclose(self) -> None:
        """Close the connection."""
        await self._stream.aclose()

    async def _carry_out(self, steps: Steps[_T]) -> _T:
        import trio

        with self._link.worded(), trio.move_on_after(self._link.timeout):
            answer: bytes | None = None
            while True:
                try:
                    want = next(steps) if answer is None else steps.send(answer)
                except StopIteration as end:
                    result: _T = end.value
                    return result
                answer = await self._do(want)
        raise self._link.too_slow()

    async def _do(self, want: bytes | Want) -> bytes:
        import trio

        if want is Want.TLS:
            context, host = self._link.tls_context(), self._link.address.host
            tls = trio.SSLStream(self._stream, context, server_hostname=host, https_compatible=True)
            self._stream = tls
            try:
                await tls.do_handshake()
            except trio.BrokenResourceError as error:
                raise error.__cause__ or error from None
            return b""
        with suppress(trio.BrokenResourceError):
            if isinstance(want, bytes):
                self._link.tell("C", want)
                await self._stream.send_all(want)
            else:
                return self._link.tell("S", bytes(await self._stream.receive_some(READ_BYTES)))
        return b""


@asynccontextmanager
async def open_trio_client(
    address: AddressLike,
    *,
    password: str | None = None,
    tls: TlsMode = "no",
    ca: str | os.PathLike[str] | None = None,
    minor: int = 3,
    timeout: float = 5.0,
    trace: Trace | None = None,
) -> AsyncIterator[TrioClient]:
    """Connect, shake hands and authenticate as `Client.connect` does; close at the end."""
    link = Link(Address.of(address), ca, timeout, trace)
    conversation = Conversation(link.address, password, tls, minor)
    client = TrioClient(conversation, link, await _trio_connected(link))
    try:
        await client._carry_out(conversation.begin())
        yield client
    finally:
        await client.aclose()


async def _trio_connected(link: Link) -> trio.abc.Stream:
    import trio

    with link.worded(), trio.move_on_after(link.timeout):
        if link.address.path is None:
            return await trio.open_tcp_stream(link.address.host, link.address.port)
        return await trio.open_unix_socket(link.address.path)
    raise link.too_slow()
