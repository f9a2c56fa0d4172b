"""What lies between a script service's client and what runs: the dot-stream and the journal."""

from __future__ import annotations

from fakedove.double.invocations import Invocation
from fakedove.plan import Plan, Send
from fakedove.wire.dotstream import DotReader, DotWriter


class ScriptStream:
    """Both directions of one invocation's connection."""

    def __init__(self, invocation: Invocation, *, dotstream: bool) -> None:
        """`dotstream`: stdin and stdout are dot-streams, as Dovecot's tcp driver has them."""
        self._invocation = invocation
        self._reader = DotReader() if dotstream else None
        self._writer = DotWriter() if dotstream else None

    def stdin(self, data: bytes) -> bytes:
        """Return what the client sent, b"" for EOF; look at `stdin_ended` afterwards."""
        if self.stdin_ended:
            return b""
        heard = data if self._reader is None else self._reader.feed(data)
        if heard:
            self._invocation.take_stdin(heard)
        if not data or (self._reader is not None and self._reader.ended):
            self._invocation.take_stdin(b"")
        return heard

    @property
    def stdin_ended(self) -> bool:
        """Whether there will be no more of stdin."""
        return self._invocation.stdin_eof

    def stdout(self, data: bytes) -> Plan:
        """Return the steps that print `data`."""
        self._invocation.take_stdout(data)
        return _sent(data if self._writer is None else self._writer.feed(data))

    def end(self) -> Plan:
        """Return the steps that end what is printed, before the result code; none later."""
        writer, self._writer = self._writer, None
        return () if writer is None else _sent(writer.end())


def _sent(data: bytes) -> Plan:
    return (Send(data),) if data else ()
