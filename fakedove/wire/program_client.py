"""A program client: the bytes it sends to a script service, and what it makes of the answer.

    C: VERSION TAB script TAB 4 TAB 0 ... (the header), stdin, then it half-closes
    S: whatever the program prints
    S: +                    the result code: the last two bytes before EOF

What may be the code is never output: the last two bytes if they end in LF, else the last one.
Over TCP both directions are dot-streams, and the code stands behind the dot line. Facts:
recordings script-clients.jsonl.
"""

from __future__ import annotations

import enum

import msgspec

from fakedove.wire.dialect import ScriptDialect
from fakedove.wire.dotstream import DotReader, stuff_lines
from fakedove.wire.script import Header, build_header

_CODE_BYTES = 2
#: What a program client reads into. Room is made only when it is full.
_BUFFER_BYTES = 8192


class Result(enum.Enum):
    """What the bytes before EOF say."""

    SUCCESS = enum.auto()
    FAILURE = enum.auto()
    #: Nothing came at all.
    MISSING = enum.auto()
    #: They do not end in LF, or LF is all there is.
    TOO_SHORT = enum.auto()
    #: A line end behind something else than `+` and `-`.
    UNEXPECTED = enum.auto()


class Answer(msgspec.Struct, frozen=True, gc=False):
    """The end of an answer."""

    #: None: the client wanted no result code.
    result: Result | None
    #: The last bytes, as far as they may be a code.
    code: bytes
    #: The dot line that a dot-stream ends with has not come.
    dot_missing: bool = False


def request(
    header: Header, dialect: ScriptDialect, stdin: bytes | None, *, dotstream: bool
) -> bytes:
    """Return all that a client sends; raises ValueError for what the dialect cannot say.

    A dot-stream is ended even if there is no stdin.
    """
    body = stdin or b""
    return build_header(header, dialect) + (stuff_lines(body) if dotstream else body)


class AnswerReader:
    """Takes an answer apart as it comes, in whatever pieces."""

    __slots__ = ("_coded", "_dots", "_filled", "_held")

    def __init__(self, *, coded: bool, dotstream: bool) -> None:
        """`coded`: the client has asked for a result code."""
        self._coded = coded
        self._dots = DotReader() if dotstream else None
        self._held = b""
        self._filled = 0

    @property
    def room(self) -> int:
        """How many bytes a program client would ask for now (measured on 2.3.19.1 and 2.4.1)."""
        return _BUFFER_BYTES - self._filled

    def feed(self, data: bytes) -> bytes:
        """Return the output that `data` completes."""
        if self._coded:
            self._fill(data)
            data = self._held + data
            length = _held_length(data)
            data, self._held = data[:-length], data[-length:]
        if self._dots is None:
            return data
        return b"" if self._dots.ended else self._dots.feed(data)

    def _fill(self, data: bytes) -> None:
        """Keep count of the buffer; when it is full, all but the held bytes leave it."""
        while data:
            taken, data = data[: self.room], data[self.room :]
            self._filled += len(taken)
            if not self.room:
                self._filled = _held_length(taken)

    def end(self) -> Answer:
        """Tell what it comes to, now that there is EOF."""
        dot_missing = self._dots is not None and not self._dots.ended
        return Answer(_result(self._held) if self._coded else None, self._held, dot_missing)


def _held_length(data: bytes) -> int:
    """Return how many of the last bytes may be the code."""
    return _CODE_BYTES if data.endswith(b"\n") else 1


def _result(held: bytes) -> Result:
    match held:
        case b"":
            return Result.MISSING
        case b"+\n":
            return Result.SUCCESS
        case b"-\n":
            return Result.FAILURE
        case _ if len(held) < _CODE_BYTES:
            return Result.TOO_SHORT
        case _:
            return Result.UNEXPECTED
