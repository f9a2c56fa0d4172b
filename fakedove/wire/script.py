"""The header of a `script` request, both ways: what a client asks a script service to run.

    C: VERSION TAB script TAB 4 TAB 0
    C: alarm=10                     (optional: seconds)
    C: env_USER=tss                 (optional, any number)
    C: -                            (or noreply)
    C: hello                        (arguments)
    C:                              (empty line; what follows is the script's stdin)

The header is whatever stands before the first two LF in a row; it is cut there and only then
looked at. Facts: recordings script-service.jsonl and script-http-by-release.jsonl.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable, Iterator

import msgspec

from fakedove.wire.dialect import ScriptDialect
from fakedove.wire.tabescape import c_string, escape, unescape

#: The option line of a client that wants no result code.
NOREPLY = b"noreply"
#: The option line of all others, by convention.
REPLY = b"-"

_END = b"\n\n"
_ALARM = b"alarm="
_ENVIRONMENT = b"env_"
_UNSIGNED = re.compile(rb"[0-9]+")
_LEADING_NUMBER = re.compile(rb"[ \t\n\v\f\r]*\+?([0-9]+)")
_MOST_SECONDS = 2**32 - 1


class Problem(enum.Enum):
    """Why a header is refused; the connection is closed without a byte."""

    INCOMPATIBLE = enum.auto()
    INVALID_ALARM = enum.auto()
    INVALID_ENVIRONMENT = enum.auto()
    EMPTY_OPTION = enum.auto()
    #: The real server's process dies here: nothing follows `alarm=` or `env_`.
    CRASH = enum.auto()


class HeaderError(Exception):
    """A header that a script service refuses."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.name)
        self.problem = problem


class Header(msgspec.Struct, frozen=True, gc=False):
    """What a client asks for."""

    minor: int = 0
    #: Seconds after which the script is given up; 0: never.
    alarm: int = 0
    #: Names and values as they were sent, in that order, accepted or not.
    environment: tuple[tuple[bytes, bytes], ...] = ()
    #: The line before the arguments; None if there is none, which counts as `-`.
    option: bytes | None = REPLY
    arguments: tuple[bytes, ...] = ()

    @property
    def noreply(self) -> bool:
        """Whether the client wants no result code."""
        return self.option == NOREPLY

    def accepted(self, names: Iterable[bytes]) -> dict[bytes, bytes]:
        """Return the variables that a service gets that accepts `names`; repeats: the last."""
        wanted = frozenset(names)
        return {name: value for name, value in self.environment if name in wanted}


def header_length(data: bytes) -> int | None:
    """Return how many of the bytes are the header and its empty line, or None: not all is there."""
    end = data.find(_END)
    return None if end < 0 else end + len(_END)


def parse_header(data: bytes, dialect: ScriptDialect) -> Header:
    """Take a header apart, with or without its empty line; raises HeaderError.

    Lines in the wrong order are no errors, they only mean something else: `alarm=` behind
    `env_` is the option line, and an argument where the option line belongs is lost.
    """
    version, *lines = c_string(data.partition(_END)[0]).split(b"\n")
    minor = _minor(version, dialect)
    if dialect.oneway:
        return Header(minor, option=None, arguments=tuple(lines))
    if not lines:
        return Header(minor, option=None)
    alarm = _alarm(lines, dialect)
    environment = tuple(_environment(lines, dialect)) if dialect.environment else ()
    if not lines:
        raise HeaderError(Problem.CRASH)
    option, *arguments = lines
    if not option:
        raise HeaderError(Problem.EMPTY_OPTION)
    if dialect.escapes:
        arguments = [c_string(unescape(one)) for one in arguments]
    if dialect.empty_last_argument:
        arguments.append(b"")
    return Header(minor, alarm, environment, option, tuple(arguments))


def refuses_already(data: bytes, dialect: ScriptDialect) -> bool:
    """Tell whether a header that ends too early is refused for its version.

    The version is looked at as soon as its line is whole, if no more can come.
    """
    version, line_end, _ = data.partition(b"\n")
    try:
        _minor(version, dialect)
    except HeaderError:
        return bool(line_end)
    return False


def build_header(header: Header, dialect: ScriptDialect) -> bytes:
    """Return the bytes of a header, its empty line included.

    An empty argument is sent as an empty line, as Dovecot's own clients do, so it ends the
    header. Raises ValueError for what the dialect cannot say.
    """
    if header.environment and not dialect.environment:
        raise ValueError(f"environment variables need protocol 4, not {dialect.major}")
    lines = [b"VERSION\tscript\t%d\t%d" % (dialect.major, header.minor)]
    if header.alarm:
        lines.append(b"%b%d" % (_ALARM, header.alarm))
    lines += [_ENVIRONMENT + escape(name + b"=" + value) for name, value in header.environment]
    if header.option is not None:
        lines.append(header.option)
    lines += map(escape, header.arguments) if dialect.escapes else header.arguments
    return b"\n".join(lines) + _END


def _minor(version: bytes, dialect: ScriptDialect) -> int:
    match version.split(b"\t"):
        case [b"VERSION", b"script", major, minor] if (
            major == b"%d" % dialect.major and _UNSIGNED.fullmatch(minor)
        ):
            return int(minor)
    raise HeaderError(Problem.INCOMPATIBLE)


def _alarm(lines: list[bytes], dialect: ScriptDialect) -> int:
    """Take the alarm off the lines, if they begin with one."""
    if not lines[0].startswith(_ALARM):
        return 0
    text = lines.pop(0).removeprefix(_ALARM)
    if dialect.lenient_alarm:
        found = _LEADING_NUMBER.match(text)
        return int(found[1]) if found else 0
    if not _UNSIGNED.fullmatch(text) or int(text) > _MOST_SECONDS:
        raise HeaderError(Problem.INVALID_ALARM)
    return int(text)


def _environment(lines: list[bytes], dialect: ScriptDialect) -> Iterator[tuple[bytes, bytes]]:
    """Take the variables off the lines; those with an escape are lost where that is a bug."""
    while lines and lines[0].startswith(_ENVIRONMENT):
        text = lines.pop(0).removeprefix(_ENVIRONMENT)
        name, equals, value = c_string(unescape(text)).partition(b"=")
        if not equals:
            raise HeaderError(Problem.INVALID_ENVIRONMENT)
        if dialect.escaped_environment or b"\x01" not in text:
            yield name, value
