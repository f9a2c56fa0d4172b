"""The arguments of functions, read in their order: the first that is wrong is told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from fakedove.dovecot.variables.braced_syntax import Argument, Step, UnknownVariable

#: Returns what an argument means; raises UnknownVariable.
Reader: TypeAlias = Callable[[Argument], Any]

_NO_KEYS: Mapping[str, Reader] = {}


def required(step: Step) -> None:
    """Raise UnknownVariable for a function without arguments."""
    if not step.arguments:
        raise UnknownVariable("Missing parameters")


def read(
    step: Step,
    *readers: Reader,
    keys: Mapping[str, Reader] = _NO_KEYS,
    surplus: Reader | None = None,
) -> tuple[list[Any], dict[str, Any]]:
    """Return what the arguments mean: those by position, and those by key.

    Raises UnknownVariable for a key that is not in `keys`, and for more arguments than there are
    `readers`: such a one is read by `surplus` before.
    """
    found: list[Any] = []
    named: dict[str, Any] = {}
    for key, argument in step.arguments:
        if key is not None:
            named[key] = _reader_of(key, keys)(argument)
        elif len(found) < len(readers):
            found.append(readers[len(found)](argument))
        else:
            if surplus is not None:
                surplus(argument)
            raise UnknownVariable("Too many positional parameters")
    return found, named


def first(step: Step, reader: Reader) -> Any:
    """Return what the first argument means, which must not have a key; others are ignored."""
    key, argument = step.arguments[0]
    return reader(argument) if key is None else _reader_of(key, _NO_KEYS)


def _reader_of(key: str, keys: Mapping[str, Reader]) -> Reader:
    if key not in keys:
        raise UnknownVariable(f"Unsupported key '{key}'")
    return keys[key]
