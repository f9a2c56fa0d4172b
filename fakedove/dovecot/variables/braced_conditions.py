"""The function `if` of `%{user | if("eq", "tss", "yes", "no")}`; measured on 2.4.1."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from fakedove.dovecot import masks
from fakedove.dovecot.variables.braced_arguments import read
from fakedove.dovecot.variables.braced_regexps import expression
from fakedove.dovecot.variables.braced_state import State, number_of
from fakedove.dovecot.variables.braced_syntax import Argument, Step, UnknownVariable

_T = TypeVar("_T")

_COMPARED: Mapping[str, Callable[[object, object], bool]] = {
    "eq": lambda a, b: a == b,
    "ne": lambda a, b: a != b,
    "lt": lambda a, b: a < b,  # type: ignore[operator]
    "le": lambda a, b: a <= b,  # type: ignore[operator]
    "gt": lambda a, b: a > b,  # type: ignore[operator]
    "ge": lambda a, b: a >= b,  # type: ignore[operator]
}
_NUMERIC = {"==": "eq", "!=": "ne", "<": "lt", "<=": "le", ">": "gt", ">=": "ge"}
_PATTERNS = ("*", "!*", "~", "!~")


def choose(state: State, step: Step) -> None:
    """Choose between two arguments; without a value the first argument is compared."""

    def comparator(argument: Argument) -> str:
        return _told("Comparator: ", state.text, argument).decode(errors="replace")

    rest = (comparator, _as_it_is, _as_it_is, _as_it_is)
    lefts = () if state.value is not None else (_as_it_is,)
    found, _ = read(step, *lefts, *rest)
    if len(found) < len(lefts) + len(rest):
        raise UnknownVariable("Missing parameters")
    operator, right, yes, no = found[-4:]
    if operator not in (*_NUMERIC, *_COMPARED, *_PATTERNS):
        raise UnknownVariable(f"Unsupported comparator '{operator}'")
    left = found[0] if lefts else _given(state, operator)
    good = _compare(state, left, operator, right)
    state.put(_told(f"{good} branch: ", state.any, yes if good else no))


def _as_it_is(argument: Argument) -> Argument:
    return argument


def _told(where: str, reader: Callable[[Argument], _T], argument: Argument) -> _T:
    """Return what the argument means; what is wrong with it is told behind `where`."""
    try:
        return reader(argument)
    except UnknownVariable as problem:
        raise UnknownVariable(f"{where}{problem}") from None


def _given(state: State, operator: str) -> Argument:
    """Return the value that is compared as if it was an argument."""
    value = state.string("use as left-hand in if")
    if operator not in _NUMERIC:
        return value.decode("utf-8", "surrogateescape")
    number = number_of(value)
    if number is None:
        raise UnknownVariable("Input is not a number")
    return number


def _compare(state: State, left: Argument, operator: str, right: Argument) -> bool:
    if operator in _NUMERIC:
        number = _told("Left-hand side: ", state.number, left)
        other = _told("Right-hand side: ", state.number, right)
        return _COMPARED[_NUMERIC[operator]](number, other)
    text = _told("Left-hand side ", state.text, left)
    pattern = _told("Right-hand side ", state.text, right)
    if operator in _COMPARED:
        return _COMPARED[operator](text, pattern)
    negated = operator.startswith("!")
    if operator.endswith("*"):
        return masks.text_matches(pattern, text) is not negated
    wanted = _told("regexp() failed: ", lambda _: expression(pattern), right)
    return (wanted.search(text) is not None) is not negated
