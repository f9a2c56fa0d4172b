"""The yardstick: a line echo as a Trio program without any of our code would write it.

`pumped` is the same by our pump, with a session that does nothing: what is left of the
difference between the two and a real session is the session's own cost.
"""

from __future__ import annotations

import socket
from typing import Final

import trio

from fakedove.net.listeners import Connections, serve, unix_listener
from fakedove.plan import SILENCE, Close, Event, Peer, Plan, Send

_CLOSE: Final[Plan] = (Close(),)


class LineEcho:
    """Answer each line with itself."""

    room = 65536
    deadline = None

    def __init__(self) -> None:
        self._rest = b""

    def open(self, peer: Peer) -> Plan:
        return SILENCE

    def receive(self, data: bytes) -> Plan:
        if not data:
            return _CLOSE
        lines, newline, self._rest = (self._rest + data).rpartition(b"\n")
        return (Send(lines + newline),) if newline else SILENCE

    def wake(self, event: Event) -> Plan:
        return SILENCE

    def end(self, unsent: int) -> None:
        pass


async def raw_trio(path: str) -> None:
    """Echo lines on a UNIX socket, with Trio's own streams."""

    async def handle(stream: trio.SocketStream) -> None:
        rest = b""
        async with stream:
            while data := await stream.receive_some(65536):
                lines, newline, rest = (rest + data).rpartition(b"\n")
                if newline:
                    await stream.send_all(lines + newline)

    sock = trio.socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    await sock.bind(path)
    sock.listen(4096)
    await trio.serve_listeners(handle, [trio.SocketListener(sock)])


async def pumped(path: str) -> None:
    """Echo lines on a UNIX socket, by the pump."""

    def crashed(error: Exception) -> None:
        raise error

    await serve(unix_listener(path, 0o600), LineEcho, Connections(), crashed=crashed)
