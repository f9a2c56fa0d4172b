"""Options of a command line as GNU getopt(_long) sees them, its complaints included.

Options and arguments may mix, `--` ends options, long names may be abbreviated as long as
they are unique or all alike. Sources: recordings cmd.opt-*; glibc's texts, as they stand in the
server log.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

#: Behind the last option letter read: number of the field and bytes of it. None: there is no such
#: place, since the last option took a value or there was none.
Stop: TypeAlias = tuple[int, int] | None


class Option(Protocol):
    """What getopt needs to know of a parameter."""

    @property
    def long(self) -> str:
        """The long name, without dashes."""

    @property
    def short(self) -> str:
        """The letter, empty if there is none."""

    @property
    def takes_value(self) -> bool:
        """Whether a value follows."""


class BadOption(Exception):
    """An option that is not known or lacks its value."""

    def __init__(self, text: str, letter: str, stop: Stop = None) -> None:
        super().__init__(text)
        #: getopt's text, without the command name before it.
        self.text = text
        #: The offending letter, empty for a long option.
        self.letter = letter
        self.stop = stop
        #: The options before it, which are acted upon first.
        self.before: tuple[tuple[str, bytes | None], ...] = ()


@dataclass(frozen=True, slots=True)
class Parsed:
    """Options by long name in the order given, and the arguments that are none."""

    options: tuple[tuple[str, bytes | None], ...]
    arguments: tuple[bytes, ...]
    stop: Stop = field(default=None, compare=False)


def parse(
    fields: Sequence[bytes], options: Sequence[Option], *, long: bool, options_first: bool = False
) -> Parsed:
    """Return options and arguments of `fields`; raise BadOption for the first bad one.

    `options_first`: the first argument ends the options.
    """
    found: list[tuple[str, bytes | None]] = []
    try:
        return _parse(fields, options, found, long=long, options_first=options_first)
    except BadOption as bad:
        bad.before = tuple(found)
        raise


def _parse(
    fields: Sequence[bytes],
    options: Sequence[Option],
    found: list[tuple[str, bytes | None]],
    *,
    long: bool,
    options_first: bool,
) -> Parsed:
    arguments: list[bytes] = []
    stop: Stop = None
    rest = deque(fields)
    while rest:
        number = len(fields) - len(rest)
        field = rest.popleft()
        if field == b"--":
            return Parsed(tuple(found), (*arguments, *rest), stop)
        if field.startswith(b"--") and long:
            found.append(_long(field[2:].decode(errors="surrogateescape"), rest, options))
        elif field.startswith(b"-") and field != b"-":
            letters = field[1:].decode("ascii", "surrogateescape")
            found += _cluster(letters, number, rest, options)
            stop = (number, len(field)) if found[-1][1] is None else None
        elif options_first:
            return Parsed(tuple(found), (field, *rest), stop)
        else:
            arguments.append(field)
    return Parsed(tuple(found), tuple(arguments), stop)


def _cluster(
    letters: str, number: int, rest: deque[bytes], options: Sequence[Option]
) -> list[tuple[str, bytes | None]]:
    found: list[tuple[str, bytes | None]] = []
    for at, letter in enumerate(letters):
        option = next((option for option in options if option.short == letter), None)
        if option is None:
            raise BadOption(f"invalid option -- '{letter}'", letter, (number, at + 2))
        if not option.takes_value:
            found.append((option.long, None))
            continue
        glued = letters[at + 1 :].encode(errors="surrogateescape")
        if not glued and not rest:
            raise BadOption(f"option requires an argument -- '{letter}'", letter)
        found.append((option.long, glued or rest.popleft()))
        break
    return found


def _long(text: str, rest: deque[bytes], options: Sequence[Option]) -> tuple[str, bytes | None]:
    name, equals, glued = text.partition("=")
    option = _by_long_name(name, text, options)
    if not option.takes_value:
        if equals:
            raise BadOption(f"option '--{option.long}' doesn't allow an argument", option.short)
        return option.long, None
    if equals:
        return option.long, glued.encode(errors="surrogateescape")
    if not rest:
        text = f"option '--{option.long}' requires an argument"
        raise BadOption(text, option.short)
    return option.long, rest.popleft()


def _by_long_name(name: str, text: str, options: Sequence[Option]) -> Option:
    """Return the option that `name` means; complaints show `text`, its `=value` included."""
    near = [option for option in options if option.long.startswith(name)]
    exact = [option for option in near if option.long == name]
    if exact:
        return exact[0]
    # Of several that have no letter and take a value, all but positional arguments, glibc
    # cannot tell one from the other: it takes the first.
    if near and len({(option.short, option.takes_value) for option in near}) == 1:
        return near[0]
    if near:
        names = " ".join(f"'--{option.long}'" for option in near)
        raise BadOption(f"option '--{text}' is ambiguous; possibilities: {names}", "")
    raise BadOption(f"unrecognized option '--{text}'", "")
