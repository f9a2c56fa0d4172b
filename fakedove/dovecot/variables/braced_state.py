"""What a `%{user | upper}` has come to between its functions, and what these may be given."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from fakedove.dovecot.variables.braced_syntax import Argument, Name, Step, UnknownVariable

#: Gives variables; raises UnknownVariable.
Lookup = Callable[[str], bytes]

_SIGNED = re.compile(rb"-?[0-9]{1,19}")
_MOST = (1 << 63) - 1


class ExpansionCrash(UnknownVariable):
    """The real process dies of this template."""


@dataclass(slots=True)
class State:
    """What a pipeline has come to."""

    lookup: Lookup
    value: bytes | None = None
    binary: bool = False
    #: Why there is no value; told only if nothing provides one.
    problem: str | None = None

    def given(self, what: str) -> bytes:
        """Return the value; raise UnknownVariable if there is none to do `what` to."""
        if self.value is None:
            raise UnknownVariable(f"No value to {what}")
        return self.value

    def text(self, argument: Argument) -> bytes:
        """Return an argument that must not be a number."""
        if isinstance(argument, int):
            raise UnknownVariable(f"{argument} is not a string")
        return self.any(argument)

    def any(self, argument: Argument) -> bytes:
        """Return any argument as text."""
        if isinstance(argument, Name):
            return self.lookup(argument.name)
        return str(argument).encode("utf-8", "surrogateescape")

    def number(self, argument: Argument) -> int:
        """Return an argument that must be a number, or a variable that is one."""
        if isinstance(argument, int):
            return argument
        data = self.any(argument)
        value = data.decode(errors="replace")
        if isinstance(argument, Name):
            found = number_of(data)
            if found is not None:
                return found
            raise UnknownVariable(f"'{value}' (in {argument.name}) is not a number")
        raise UnknownVariable(f"'{value}' is not a number")


def number_of(text: bytes) -> int | None:
    """Return a number of 64 bits with a sign, None if `text` is none."""
    if _SIGNED.fullmatch(text) is None:
        return None
    number = int(text)
    return number if -_MOST - 1 <= number <= _MOST else None


def check(step: Step, most: int | None, *keys: str) -> dict[str, Argument]:
    """Return the named arguments; raise UnknownVariable for one that is not known."""
    if most is not None and len(step.positional) > most:
        raise UnknownVariable("Too many positional parameters")
    for key, _ in step.named:
        if key not in keys:
            raise UnknownVariable(f"Unsupported key '{key}'")
    return dict(step.named)


def wanted(step: Step, most: int | None = None) -> None:
    """Raise UnknownVariable for a function without arguments, or with ones that it has not."""
    if not step.positional and not step.named:
        raise UnknownVariable("Missing parameters")
    check(step, most)
