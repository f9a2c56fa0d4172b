"""What a session tells the pump to do, and what the pump tells a session.

A session never touches a socket: it returns a *plan*, a tuple of steps, and one loop
(`fakedove.net.pump`) carries the steps out in order. The loop knows the steps and the
`Session` protocol below, and no session by name.

Steps and events are made for every command, so they are frozen `msgspec.Struct`s that the
garbage collector need not track.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
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


class HalfClose(msgspec.Struct, frozen=True, gc=False):
    """Let the client read EOF, and go on reading what it sends."""


class Wait(msgspec.Struct, frozen=True, gc=False):
    """Read nothing and say nothing for some seconds, then `Waited`; may be infinite."""

    seconds: float


class Waited(msgspec.Struct, frozen=True, gc=False):
    """The seconds of a `Wait` are over, and the client is still there."""


class Call(msgspec.Struct, frozen=True, gc=False):
    """Await what a function returns, and report `Called`."""

    function: Callable[[], Awaitable[object]]


class Called(msgspec.Struct, frozen=True, gc=False):
    """What the function of a `Call` came to."""

    result: object


class Run(msgspec.Struct, frozen=True, gc=False):
    """Run a program whose stdin and stdout are the connection itself.

    The pump reports `ProgramSaid` for what it writes to stderr, `AlarmRang`, and at last
    `ProgramEnded` or `ProgramNotFound`. What the program leaves behind (other processes that
    hold the connection) may live as long as the connection's task.
    """

    #: Absolute path of the program, then its arguments.
    words: tuple[bytes, ...]
    #: The whole environment.
    environment: tuple[tuple[bytes, bytes], ...]
    #: The working directory.
    directory: str
    #: Seconds until `AlarmRang`; 0: never.
    alarm: int = 0
    #: There is no `AlarmRang`: the program begins with the alarm pending, and dies of it
    #: unless it handles SIGALRM.
    alarm_kills: bool = False
    #: Stdin and stdout are the connection; else they are /dev/null.
    connected: bool = True
    #: The connection is the program's alone: nothing is answered when it ends.
    alone: bool = False
    #: The program gets another connection: what it writes is reported as `ProgramWrote`, and
    #: what the client sends goes through `receive`, whose plans are `Feed` steps then.
    relayed: bool = False


class Feed(msgspec.Struct, frozen=True, gc=False):
    """Give bytes to a relayed program's stdin; b"" ends it."""

    data: bytes


class ProgramWrote(msgspec.Struct, frozen=True, gc=False):
    """Bytes that a relayed program wrote to its stdout; b"": nobody can write there any more."""

    data: bytes


class ProgramSaid(msgspec.Struct, frozen=True, gc=False):
    """Bytes that a program wrote to its stderr."""

    data: bytes


class AlarmRang(msgspec.Struct, frozen=True, gc=False):
    """The seconds of a `Run` are over, and the program goes on."""


class ProgramEnded(msgspec.Struct, frozen=True, gc=False):
    """A program ended: exit status, or the number of a signal as a negative number."""

    status: int
    pid: int


class ProgramNotFound(msgspec.Struct, frozen=True, gc=False):
    """A program could not be started, for `reason` in the system's words."""

    reason: str


class Continue(msgspec.Struct, frozen=True, gc=False):
    """As a step: wake me when everything before this has left. As an event: it has."""


class TlsReady(msgspec.Struct, frozen=True, gc=False):
    """The TLS handshake is done; all further bytes are inside TLS."""


class TlsFailed(msgspec.Struct, frozen=True, gc=False):
    """The TLS handshake failed, for `reason` in OpenSSL's words; nothing can be sent."""

    reason: str


class TimedOut(msgspec.Struct, frozen=True, gc=False):
    """The session's deadline is over; nothing can be answered any more."""


class Peer(msgspec.Struct, frozen=True, gc=False):
    """Who connected, as far as Dovecot looks at it."""

    #: IP address of a TCP client, None on a UNIX socket.
    address: str | None = None
    #: Permission bits of the UNIX socket's file at accept, None over TCP.
    mode: int | None = None


Step: TypeAlias = (
    Send | StartTls | HalfClose | Close | Reset | Stall | Wait | Call | Continue | Run | Feed
)
ProgramEvent: TypeAlias = ProgramWrote | ProgramSaid | AlarmRang | ProgramEnded | ProgramNotFound
Event: TypeAlias = Continue | TlsReady | TlsFailed | TimedOut | Waited | Called | ProgramEvent
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
    def take(self) -> Callable[[bytes], int] | None:
        """Tells how many of the bytes that have come are read now, if what follows is not ours.

        The rest stays in the kernel, for a program that gets the connection. None: all is read.
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
