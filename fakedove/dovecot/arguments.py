"""From what getopt found to the values of a command's parameters."""

from __future__ import annotations

import re
from collections.abc import Sequence

from fakedove.dovecot.registry import ArgumentValue, Kind, Parameter

_NUMBER = re.compile(rb"-?[0-9]{1,19}")
#: What fits 64 bits.
_NUMBERS = range(-(1 << 63), 1 << 63)


class BadNumber(Exception):
    """A number that is none; `why` says what it lacks, if that is told.

    `option` is the letter of the option whose value it is.
    """

    def __init__(self, value: bytes, why: bytes = b"", option: str = "") -> None:
        super().__init__(value)
        self.option = option
        self.value = value
        self.why = why


def option_values(
    options: Sequence[tuple[str, bytes | None]], known: dict[str, Parameter], *, strict: bool
) -> dict[str, ArgumentValue]:
    """Return the values of the options; `strict` raises BadNumber, else such are ignored."""
    values: dict[str, ArgumentValue] = {}
    for name, value in options:
        # Where options contradict each other the last one counts.
        before = values.pop(name, ())
        if value is None:
            values[name] = True
        elif known[name].kind is Kind.TEXTS:
            values[name] = (*(before if isinstance(before, tuple) else ()), value)
        elif known[name].kind in (Kind.NUMBER, Kind.UNSIGNED):
            number = int(value) if _NUMBER.fullmatch(value) else None
            unsigned = known[name].kind is Kind.UNSIGNED
            # A number that is none is refused by some releases, and ignored by the others.
            if strict and (number is None or number not in _NUMBERS):
                raise BadNumber(value, b"Invalid number", known[name].short)
            if strict and unsigned and number is not None and number < 0:
                raise BadNumber(value, b"Cannot be negative")
            if number is not None and number in _NUMBERS:
                values[name] = number
        else:
            values[name] = value
    return values


def positionals(
    arguments: dict[str, ArgumentValue],
    given: tuple[bytes, ...],
    parameters: Sequence[Parameter],
    *,
    strict: bool,
) -> tuple[bytes, ...]:
    """Put positional arguments where they belong; return those that have no place."""
    for parameter in parameters:
        if not given:
            break
        # What was given by its long name already.
        before = arguments.get(parameter.long)
        if parameter.kind is Kind.TEXTS:
            arguments[parameter.long] = (*(before if isinstance(before, tuple) else ()), *given)
            return ()
        if before is not None:
            continue
        if parameter.kind is Kind.NUMBER:
            number, given = _first_number(given, strict=strict)
            if number is not None:
                arguments[parameter.long] = number
        else:
            arguments[parameter.long], given = given[0], given[1:]
    return given


def _first_number(
    given: tuple[bytes, ...], *, strict: bool
) -> tuple[int | None, tuple[bytes, ...]]:
    """Return the first of the arguments that is a number, and those behind it."""
    for at, value in enumerate(given):
        if _NUMBER.fullmatch(value) and int(value) in _NUMBERS:
            return int(value), given[at + 1 :]
        if strict:
            # All that follows is named, too.
            raise BadNumber(b" ".join(given))
    return None, ()
