"""The blocking client."""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from contextlib import suppress
from time import monotonic
from typing import Self, TypeVar

from fakedove.client.address import Address, AddressLike
from fakedove.client.conversation import Conversation, Reply, Steps, TlsMode, Want
from fakedove.client.link import READ_BYTES, Link, Trace

_T = TypeVar("_T")


class Client:
    """A blocking client; `connect` makes one. It is its own context manager."""

    def __init__(self, conversation: Conversation, link: Link, sock: socket.socket) -> None:
        self._conversation = conversation
        self._link = link
        self._sock = sock

    @classmethod
    def connect(
        cls,
        address: AddressLike,
        *,
        password: str | None = None,
        tls: TlsMode = "no",
        ca: str | os.PathLike[str] | None = None,
        minor: int = 3,
        timeout: float = 5.0,
        trace: Trace | None = None,
    ) -> Self:
        """Connect, shake hands and authenticate, each call within `timeout` seconds.

        `ca` is the PEM file of the authority to trust, by default the system's. Raises
        ClientError, one line that says what is wrong.
        """
        link = Link(Address.of(address), ca, timeout, trace)
        conversation = Conversation(link.address, password, tls, minor)
        with link.worded():
            client = cls(conversation, link, _connected(link.address, timeout))
        try:
            client._carry_out(conversation.begin())
        except BaseException:
            client.close()
            raise
        return client

    @property
    def server_minor(self) -> int:
        """The server's protocol minor; 0 if it did not tell."""
        return self._conversation.wire.server_minor or 0

    def command(
        self,
        name: str,
        *,
        user: str = "",
        args: Sequence[str | bytes] = (),
        body: bytes | None = None,
        flags: str = "",
        extra: str | None = None,
    ) -> Reply:
        """Send one command and return its reply; `body` is the mail for `save`.

        `extra` is the field that an `x` in `flags` announces. Raises ClientError.
        """
        return self._carry_out(self._conversation.command(name, user, args, body, flags, extra))

    def close(self) -> None:
        """Close the connection."""
        self._sock.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _carry_out(self, steps: Steps[_T]) -> _T:
        expiry = monotonic() + self._link.timeout
        answer: bytes | None = None
        with self._link.worded():
            while True:
                try:
                    want = next(steps) if answer is None else steps.send(answer)
                except StopIteration as end:
                    result: _T = end.value
                    return result
                self._sock.settimeout(max(expiry - monotonic(), 0.001))
                answer = self._do(want)

    def _do(self, want: bytes | Want) -> bytes:
        if want is Want.TLS:
            context, host = self._link.tls_context(), self._link.address.host
            self._sock = context.wrap_socket(self._sock, server_hostname=host)
            return b""
        # What a server said before it hung up counts: a broken pipe is left to reading.
        with suppress(BrokenPipeError, ConnectionResetError):
            if isinstance(want, bytes):
                self._link.tell("C", want)
                self._sock.sendall(want)
            else:
                return self._link.tell("S", self._sock.recv(READ_BYTES))
        return b""


def _connected(address: Address, timeout: float) -> socket.socket:
    if address.path is None:
        sock = socket.create_connection((address.host, address.port), timeout)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return sock
    sock = socket.socket(socket.AF_UNIX)
    try:
        sock.settimeout(timeout)
        sock.connect(address.path)
    except BaseException:
        sock.close()
        raise
    return sock
