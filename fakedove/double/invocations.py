"""What a script service was asked to run, and what became of it, in a bounded ring."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

import msgspec

from fakedove.double.conversation import said
from fakedove.wire.script import Header

#: Invocations kept; older ones fall out.
CAPACITY = 1_000
#: Bytes kept of what each said and heard.
KEPT = 1024 * 1024
#: Invocations that `describe` shows.
_SHOWN = 10


class Invocation(msgspec.Struct, gc=False):
    """One connection to a script service."""

    #: Number of the connection, counted from 1 since the fake began.
    connection: int
    #: Name of the listener it came in by.
    listener: str
    #: Name of the script service.
    script: str
    #: When it was accepted, by the fake's clock.
    started: datetime
    #: The bytes of the header as far as they came, its empty line included.
    raw_header: bytes = b""
    #: What the header says; None if it was refused, or never came to its end.
    header: Header | None = None
    #: The variables that were accepted.
    environment: dict[bytes, bytes] = msgspec.field(default_factory=dict)
    #: What the client sent behind the header, its first MiB; of a program only with `record`.
    stdin: bytes = b""
    #: How much that was altogether, in bytes.
    stdin_size: int = 0
    #: Whether the client said that it had sent all.
    stdin_eof: bool = False
    #: What was printed, its first MiB; of a program only with `record`.
    stdout: bytes = b""
    #: How the program ended: exit status, or the number of a signal as a negative number.
    status: int | None = None
    #: The result code that was sent: `+` LF, `-` LF, or None without one.
    result: bytes | None = None
    #: When the answer was given, by the fake's clock.
    ended: datetime | None = None

    @property
    def args(self) -> tuple[str, ...]:
        """The client's arguments as text."""
        arguments = () if self.header is None else self.header.arguments
        return tuple(one.decode(errors="replace") for one in arguments)

    @property
    def env(self) -> dict[str, str]:
        """The accepted variables as text."""
        return {
            name.decode(errors="replace"): value.decode(errors="replace")
            for name, value in self.environment.items()
        }

    @property
    def seconds(self) -> float | None:
        """How long it took until the answer, by the fake's clock."""
        return None if self.ended is None else (self.ended - self.started).total_seconds()

    def take_stdin(self, data: bytes) -> None:
        """Note what the client sent, b"" for its end."""
        self.stdin += data[: KEPT - len(self.stdin)]
        self.stdin_size += len(data)
        self.stdin_eof = not data

    def take_stdout(self, data: bytes) -> None:
        """Note what was printed."""
        self.stdout += data[: KEPT - len(self.stdout)]

    def describe(self) -> str:
        """Return the invocation as a short conversation, as far as it is kept."""
        lines = [f"connection {self.connection}: {self.listener}, script {self.script}"]
        lines += said("C", self.raw_header + self.stdin, short=True)
        lines += said("S", self.stdout + (self.result or b""), short=True)
        if self.status is not None:
            lines.append(f"   (status {self.status})")
        return "\n".join(lines)


class Invocations:
    """The invocations of one fake, oldest first."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._invocations: deque[Invocation] = deque(maxlen=capacity)
        #: Each is told of every invocation that is over.
        self.followers: list[Callable[[Invocation], None]] = []

    def __iter__(self) -> Iterator[Invocation]:
        return iter(tuple(self._invocations))

    def __len__(self) -> int:
        return len(self._invocations)

    def __getitem__(self, index: int) -> Invocation:
        return self._invocations[index]

    def append(self, invocation: Invocation) -> None:
        """Add an invocation, as soon as its client is there."""
        self._invocations.append(invocation)

    def finish(self, invocation: Invocation, ended: datetime) -> None:
        """Note that the answer is given, before the client can see it."""
        if invocation.ended is None:
            invocation.ended = ended
            for tell in self.followers:
                tell(invocation)

    def over(
        self, script: str | None = None, args: Sequence[str] | None = None
    ) -> list[Invocation]:
        """Return those that are over, of one script service or of all, with these arguments."""
        return [
            one
            for one in self
            if one.ended is not None
            and script in (None, one.script)
            and (args is None or tuple(args) == one.args)
        ]

    def describe(self) -> str:
        """Return the newest of them as conversations, with long texts cut, which is said."""
        newest = tuple(self)[-_SHOWN:]
        earlier = len(self) - len(newest)
        head = [f"({earlier:,} earlier invocations)"] if earlier else []
        told = [one.describe() for one in newest]
        return "\n".join([*head, *told]) or "(no script was run)"

    def clear(self) -> None:
        """Forget everything."""
        self._invocations.clear()
