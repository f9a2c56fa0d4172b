"""What a command answers: rows, texts and log lines in the order they happen, then a status.

A command is a generator of `Item`s that returns its `Status`, so a long answer is made only
as fast as the client reads it. `Fatal` is the real server's `i_fatal`: the process is gone
and the client sees EOF without a status line.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Generator
from typing import TypeAlias

import msgspec

from fakedove.dovecot.status import Status


class Level(enum.IntEnum):
    """Log levels, by their byte on the log channel; the last two go to the server log only."""

    DEBUG = 1
    INFO = 2
    WARNING = 3
    ERROR = 4
    FATAL = 5
    PANIC = 6


class Scope(enum.Enum):
    """What the server was busy with, which decides the prefix of a log line."""

    #: The connection: handshake, TLS, authentication.
    CONNECTION = enum.auto()
    #: The command line, before a command runs.
    PROTOCOL = enum.auto()
    #: A command that is about no user.
    COMMAND = enum.auto()
    #: Looking up the user.
    LOOKUP = enum.auto()
    #: A conversation with the auth service about a user.
    USERDB = enum.auto()
    #: A command at work on a user's mail.
    MAIL = enum.auto()
    #: The mail library below such a command, which does not know the command's name.
    STORAGE = enum.auto()
    #: The process between two users: reading a body or a file of users.
    PROCESS = enum.auto()
    #: The master process: server log only.
    MASTER = enum.auto()
    #: The process's stderr, or its log file past the log process: server log only.
    STDERR = enum.auto()
    #: The stats process: server log only.
    STATS = enum.auto()
    #: A library below a command that is about no user, which does not know its name.
    LIBRARY = enum.auto()


class Log(msgspec.Struct, frozen=True, gc=False):
    """A line of the server log; the client gets it too where there is a log channel."""

    text: bytes
    level: Level = Level.ERROR
    scope: Scope = Scope.MAIL
    #: Whom it is about, if not the user of the command line.
    user: bytes | None = None


class Text(msgspec.Struct, frozen=True, gc=False):
    """Output that a command writes around the formatter: JSON."""

    data: bytes


class Streamed(msgspec.Struct, frozen=True, gc=False):
    """A value that is read from a stream and so goes out in blocks of 8 KiB."""

    data: bytes
    #: Bytes in the first block.
    first: int = 8192


class Pieced(msgspec.Struct, frozen=True, gc=False):
    """A value that is written in these pieces."""

    pieces: tuple[bytes, ...]


class Speaker(msgspec.Struct, frozen=True, gc=False):
    """From here on the process's own log lines are prefixed as those of `scope`."""

    scope: Scope


class Takeover(msgspec.Struct, frozen=True, gc=False):
    """The command speaks a protocol of its own from its status line on, to the end."""

    #: What it says first, in writes.
    greeting: tuple[bytes, ...]
    #: The log line for the end of a conversation in which the client said this.
    farewell: Callable[[bytes], Log]


Value: TypeAlias = bytes | Streamed | Pieced
Row: TypeAlias = tuple[Value, ...]
Item: TypeAlias = Row | Log | Text | Speaker | Takeover
Output: TypeAlias = Generator[Item, None, Status]


class Fatal(Exception):
    """The real process dies here, with this text in the server log."""

    def __init__(
        self,
        text: bytes,
        scope: Scope = Scope.PROCESS,
        *,
        level: Level = Level.FATAL,
        crash: bool = False,
        log: tuple[Log, ...] = (),
    ) -> None:
        super().__init__(text)
        #: What it says before.
        self.log = log
        self.text = text
        self.scope = scope
        self.level = level
        #: It is killed by a signal rather than by its own decision.
        self.crash = crash


class Declined(Exception):
    """The command is refused for its arguments, before any user is looked up."""

    def __init__(self, status: Status, *log: Log) -> None:
        super().__init__(status)
        self.status = status
        #: What is said of it.
        self.log = log


class Referral(Exception):
    """The user lives on another host: the reply is `-REFERRAL user@host`."""

    def __init__(self, destination: bytes) -> None:
        super().__init__(destination)
        self.destination = destination


def combine(first: Status, second: Status) -> Status:
    """Return the status of a command with several targets: the first error, but TEMPFAIL wins."""
    return second if first is Status.OK or second is Status.TEMPFAIL else first
