"""What a session tells the pump to do, and what the pump tells a session.

A session never touches a socket: it returns a *plan*, a tuple of steps, and one loop
(`fakedove.net.pump`) carries the steps out in order. The loop knows the steps and the
`Session` protocol below, and no session by name.

Steps and events are made for every command, so they are frozen `msgspec.Struct`s that the
garbage collector need not track.
"""

from __future__ import annotations

from typing import Protocol, TypeAlias

import msgspec

#: A plan stays near this many bytes; what is left is asked for with `Continue`. One value
#: that Dovecot does not cut may be longer.
PLAN_BYTES = 65536


class Send(msgspec.Struct, frozen=True, gc=False):
    """Write these bytes: one call to the transport, so one segment if it is small."""

    data: bytes


class StartTls(msgspec.Struct, frozen=True, gc=False):
    """Become the server side of TLS; `leftover` bytes already read are TLS input.

    The pump answers with `TlsReady` or `TlsFailed`. On a connection that already speaks
    TLS this is TLS inside TLS.
    """

    leftover: bytes


class Close(msgspec.Struct, frozen=True, gc=False):
    """Close the connection in order: everything sent before it arrives, then EOF."""


class Reset(msgspec.Struct, frozen=True, gc=False):
    """Close the connection with a TCP reset (on a UNIX socket: close at once)."""


class Stall(msgspec.Struct, frozen=True, gc=False):
    """Read nothing and say nothing any more, but keep the connection open."""


class Continue(msgspec.Struct, frozen=True, gc=False):
    """As a step: wake me when everything before this has left. As an event: it has."""


class TlsReady(msgspec.Struct, frozen=True, gc=False):
    """The TLS handshake is done; all further bytes are inside TLS."""


class TlsFailed(msgspec.Struct, frozen=True, gc=False):
    """The TLS handshake failed, for `reason` in OpenSSL's words; nothing can be sent."""

    reason: str


class Peer(msgspec.Struct, frozen=True, gc=False):
    """Who connected, as far as Dovecot looks at it."""

    #: IP address of a TCP client, None on a UNIX socket.
    address: str | None = None
    #: Permission bits of the UNIX socket's file at accept, None over TCP.
    mode: int | None = None


Step: TypeAlias = Send | StartTls | Close | Reset | Stall | Continue
Event: TypeAlias = Continue | TlsReady | TlsFailed
Plan: TypeAlias = tuple[Step, ...]

#: The plan that does nothing: go on reading.
SILENCE: Plan = ()


class Session(Protocol):
    """One connection's conversation, without the connection."""

    @property
    def room(self) -> int:
        """How many bytes `receive` takes now; the pump reads no more than that.

        What does not fit stays in the kernel, as it does with the real server: closing on
        it is what turns an over-long line into a reset.
        """

    @property
    def deadline(self) -> float | None:
        """Seconds after which the pump gives up on the client, or None to wait for ever."""

    def open(self, peer: Peer) -> Plan:
        """Begin: `peer` was accepted. Some services and releases speak first."""

    def receive(self, data: bytes) -> Plan:
        """Take bytes from the client; b"" is EOF (it may still read)."""

    def wake(self, event: Event) -> Plan:
        """Take what the pump reports of an earlier step."""

    def end(self, unsent: int) -> None:
        """Learn that the connection is over and `unsent` bytes of the plans never left."""
