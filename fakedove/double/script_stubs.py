"""Stubs for script services: answers that stand in for a program's.

`fake.script("hello")` selects, `.reply`, `.handle`, `.hang`, `.close` and `.reset` arm. What
they answer with is a `ScriptReply`: what a program would print, and how it would end.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from fakedove.double.invocations import Invocation
from fakedove.double.selecting import NewestFirst, Selected, caller
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


class ScriptStub(Selected[Answer]):
    """One `script(...)`: what it answers to, and what it has answered."""

    def __init__(
        self,
        stubs: ScriptStubs,
        script: str,
        args: Sequence[str] | None,
        times: int | None,
        where: str,
    ) -> None:
        super().__init__(f"script({script!r})", times, where)
        self.script = script
        self.args = None if args is None else tuple(args)
        #: The invocations it answered, oldest first.
        self.calls: list[Invocation] = []
        #: It answers as soon as a client is there.
        self.before_header = False
        self._stubs = stubs

    def __repr__(self) -> str:
        args = "" if self.args is None else f", args={list(self.args)!r}"
        return f"<ScriptStub script({self.script!r}{args}) of {self.where}>"

    @property
    def used(self) -> int:
        """How often it has answered."""
        return len(self.calls)

    @property
    def remedy(self) -> str:
        """What would arm it."""
        return "add .reply(...), .handle(...), .hang(), .close() or .reset()"

    def reply(
        self,
        stdout: Output = b"",
        exit: int = 0,
        *,
        stderr: bytes = b"",
        delay: float = 0.0,
        result: bytes | None = None,
        drain: bool = True,
    ) -> ScriptStub:
        """Answer as a program that prints `stdout` and ends; see ScriptReply.

        Raises StubError for what no program could do.
        """
        return self._answer(stdout, exit, stderr, delay, result, drain)

    def hang(
        self, stdout: Output = b"", *, delay: float = 0.0, read_stdin: bool = False
    ) -> ScriptStub:
        """Print `stdout`, then do nothing until the client goes away.

        `read_stdin`: all of stdin is read first.
        """
        if read_stdin:
            reply = ScriptReply(stdout, delay=delay, end=ScriptEnd.HANG)
            return self.handle(lambda _: reply)
        return self._answer(stdout, delay=delay, end=ScriptEnd.HANG)

    def close(
        self, stdout: Output = b"", *, delay: float = 0.0, before_header: bool = False
    ) -> ScriptStub:
        """Print `stdout`, then close without a result code, whatever the client still sends.

        `before_header`: as soon as a client is there, before it has said anything.
        """
        self._refuse_args(before_header)
        return self._answer(stdout, delay=delay, drain=False, end=ScriptEnd.CLOSE)

    def reset(
        self, stdout: Output = b"", *, delay: float = 0.0, before_header: bool = False
    ) -> ScriptStub:
        """Do as `close` does, with a TCP reset; UNIX sockets know none.

        `before_header`: as soon as a client is there, before it has said anything.
        """
        self._refuse_args(before_header)
        return self._answer(stdout, delay=delay, drain=False, end=ScriptEnd.RESET)

    def handle(self, function: Handler, *, read_stdin: bool = True) -> ScriptStub:
        """Answer with what `function(invocation)` returns: bytes, None or a ScriptReply.

        It runs in the fake's thread, and the fake does nothing else meanwhile unless it is an
        `async def`, which may await what Trio has. `read_stdin`: it is called when the client
        has sent all of its stdin, which is in `invocation.stdin`; else when the header is
        there. What it raises fails the test, and closes the connection.
        """
        if not callable(function):
            raise StubError(f"handle() takes a function of an invocation, not {function!r}")
        return self._arm(Handling(function, read_stdin))

    def remove(self) -> None:
        """Take the stub away."""
        self._stubs.remove(self)

    def matches(self, invocation: Invocation) -> bool:
        """Whether this stub answers the invocation."""
        return (
            self.ready and self.script == invocation.script and self.args in (None, invocation.args)
        )

    def _answer(
        self,
        stdout: Output,
        exit: int = 0,
        stderr: bytes = b"",
        delay: float = 0.0,
        result: bytes | None = None,
        drain: bool = True,
        end: ScriptEnd = ScriptEnd.RESULT,
    ) -> ScriptStub:
        try:
            return self._arm(ScriptReply(stdout, exit, stderr, delay, result, drain, end))
        except StubError:
            # That was told once already.
            self.remove()
            raise

    def _refuse_args(self, before_header: bool) -> None:
        if before_header and self.args is not None:
            self.remove()
            raise StubError("before_header: there are no args yet; leave them out of script(...)")
        self.before_header = before_header


class ScriptStubs(NewestFirst[ScriptStub]):
    """The stubs for script services."""

    def script(
        self,
        script: str,
        *,
        args: Sequence[str] | None = None,
        times: int | None = None,
        where: str | None = None,
    ) -> ScriptStub:
        """Select invocations of a script service by its name, and by all of their arguments.

        `times` bounds how often the stub answers; `where` names the place in the test, by
        default the caller's line.
        """
        if isinstance(args, str):
            raise StubError(f"script({script!r}): args must be a sequence of texts, not {args!r}")
        place = caller() if where is None else where
        return self._add(ScriptStub(self, script, args, times, place))

    def find(self, invocation: Invocation, *, at_once: bool = False) -> ScriptStub | None:
        """Return the newest stub that answers; `at_once`: one that needs no header."""
        for one in self:
            if one.matches(invocation):
                return one if one.before_header == at_once else None
        return None


def _is_pause(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return value >= 0 and not math.isnan(value)


def _is_exit(value: object) -> bool:
    return isinstance(value, int) and -_MOST_SIGNAL <= value <= _MOST_EXIT
