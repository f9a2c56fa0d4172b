"""What a script service answers in a program's place, and what a function may find for it."""

from __future__ import annotations

import enum
import math
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from fakedove.double.invocations import Invocation
from fakedove.errors import StubError

#: Bytes to write at once, and seconds to wait between them.
Output: TypeAlias = bytes | Sequence[bytes | float]

_MOST_EXIT, _MOST_SIGNAL = 255, 64


class ScriptEnd(enum.StrEnum):
    """How a reply ends behind what is printed."""

    #: With a result code, as `exit` has it, and EOF.
    RESULT = "result"
    #: Without a result code: the service's process is gone.
    CLOSE = "close"
    #: As CLOSE; over TCP with a reset.
    RESET = "reset"
    #: Not at all, until the client goes away.
    HANG = "hang"


@dataclass(frozen=True, slots=True)
class ScriptReply:
    """What a script service answers. Raises StubError for what no program could do."""

    #: What the program prints: bytes, or a sequence of bytes and of pauses in seconds.
    stdout: Output = b""
    #: Exit status, 0 to 255; -9 means killed by signal 9.
    exit: int = 0
    #: What it writes to stderr: lines for the server log.
    stderr: bytes = b""
    #: Seconds before it begins.
    delay: float = 0.0
    #: The result code in place of what `exit` makes of it, any bytes; b"": none.
    result: bytes | None = None
    #: Read what the client still sends before closing. A client whose input is not read gets
    #: an error instead of EOF, and takes that for a failure.
    drain: bool = True
    end: ScriptEnd = ScriptEnd.RESULT

    def __post_init__(self) -> None:
        """Refuse what cannot be sent."""
        for name in ("stderr", "result"):
            value = getattr(self, name)
            if value is not None and not isinstance(value, bytes):
                raise StubError(f"{name} must be bytes, not {value!r}")
        for piece in self.pieces:
            if not isinstance(piece, bytes) and not _is_pause(piece):
                raise StubError(
                    f"stdout must be bytes, or a sequence of bytes and seconds, not {piece!r}"
                )
        if not _is_pause(self.delay):
            raise StubError(f"delay must be a number of seconds, 0 or more, not {self.delay!r}")
        if not _is_exit(self.exit):
            raise StubError(f"exit must be 0 to 255, or a signal as -9, not {self.exit!r}")

    @property
    def pieces(self) -> tuple[bytes | float, ...]:
        """What is printed, and the pauses between."""
        return (self.stdout,) if isinstance(self.stdout, bytes | str) else tuple(self.stdout)


#: What a handler may return: bytes are what is printed, None is nothing.
Handled: TypeAlias = ScriptReply | bytes | None
Handler: TypeAlias = Callable[[Invocation], Handled | Awaitable[Handled]]


@dataclass(frozen=True, slots=True)
class Handling:
    """An answer that a function of the test finds."""

    function: Handler
    #: The function is called when all of stdin is there; else when the header is.
    read_stdin: bool


Answer: TypeAlias = ScriptReply | Handling


def replied(value: object) -> ScriptReply:
    """Return what a handler's result means; raises StubError for anything else."""
    match value:
        case ScriptReply():
            return value
        case bytes():
            return ScriptReply(value)
        case None:
            return ScriptReply()
    raise StubError(f"a handler must return bytes, None or a ScriptReply, not {value!r}")


def _is_pause(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return value >= 0 and not math.isnan(value)


def _is_exit(value: object) -> bool:
    return isinstance(value, int) and -_MOST_SIGNAL <= value <= _MOST_EXIT
