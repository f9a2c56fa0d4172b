"""The yardstick's echo by our pump, with a session that does nothing.

What a real session takes more than this is the session's own cost.
"""

from __future__ import annotations

from typing import Final

from fakedove.net.listeners import Connections, serve, unix_listener
from fakedove.plan import SILENCE, Close, Event, Peer, Plan, Send

_CLOSE: Final[Plan] = (Close(),)


class LineEcho:
    """Answer each line with itself."""

    room = 65536
    deadline = None
    take = None

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


async def pumped(path: str) -> None:
    """Echo lines on a UNIX socket, by the pump."""

    def crashed(error: Exception) -> None:
        raise error

    await serve(unix_listener(path, 0o600), LineEcho, Connections(), crashed=crashed)
