"""What a `%{user | upper}` has come to between its functions, and what their arguments mean."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import TypeAlias

from fakedove.dovecot.variables.braced_syntax import Argument, Name, Step, UnknownVariable
from fakedove.wire.tabescape import c_string

#: Gives variables; raises UnknownVariable.
Lookup = Callable[[str], bytes]

_SIGNED = re.compile(rb"-?[0-9]{1,19}")
_MOST = (1 << 63) - 1


class ExpansionCrash(UnknownVariable):
    """The real process dies of this template."""

    def __init__(self, reason: str, *, panics: bool = False) -> None:
        super().__init__(reason)
        #: Whether it still says so, as of a failed assertion.
        self.panics = panics


@dataclass(slots=True)
class State:
    """What a template's pipelines have come to; what is not a value outlasts each of them."""

    lookup: Lookup
    random: Random
    value: bytes | None = None
    #: Whether the value is shown as hex digits; a value that is lost does not change it.
    binary: bool = False
    #: Why there is no value; told only if nothing provides one.
    problem: str | None = None
    #: Why something last failed, which some functions tell once more.
    failure: str | None = None

    def begin(self) -> None:
        """Begin a pipeline, without a value."""
        self.value = None

    def given(self, what: str) -> bytes:
        """Return the value; raise UnknownVariable if there is none to do `what` to."""
        if self.value is None:
            raise UnknownVariable(f"No value to {what}")
        return self.value

    def string(self, what: str) -> bytes:
        """Return the value up to a NUL, which ends it for most functions."""
        return c_string(self.given(what))

    def put(self, value: bytes) -> None:
        """Set a value that is a text."""
        self.value, self.binary = c_string(value), False

    def put_binary(self, value: bytes) -> None:
        """Set a value that is none."""
        self.value, self.binary = value, True

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

    def bit(self, argument: Argument) -> bool:
        """Return an argument that must be 0 or 1."""
        number = self.number(argument)
        if number in (0, 1):
            return number == 1
        if isinstance(argument, Name):
            raise UnknownVariable(f"'{argument.name}' is not 0 or 1")
        raise ExpansionCrash(f"{number} is not 0 or 1, and no text that could be told")


#: Carries a function out; raises UnknownVariable.
Function: TypeAlias = Callable[[State, Step], None]


def number_of(text: bytes) -> int | None:
    """Return a number of 64 bits with a sign, None if `text` is none."""
    if _SIGNED.fullmatch(text) is None:
        return None
    number = int(text)
    return number if -_MOST - 1 <= number <= _MOST else None
