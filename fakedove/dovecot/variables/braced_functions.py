"""Functions of `%{user | upper}` that cut, choose and calculate; measured on 2.4.1."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from fakedove.dovecot import masks
from fakedove.dovecot.variables.braced_encodings import ENCODINGS
from fakedove.dovecot.variables.braced_state import ExpansionCrash, State, check, number_of, wanted
from fakedove.dovecot.variables.braced_syntax import Argument, Step, UnknownVariable

#: `+`, `-`, `*`, `/` and `%`, by number.
_OPERATORS = 5
_COMPARED: Mapping[str, Callable[[object, object], bool]] = {
    "eq": lambda a, b: a == b,
    "ne": lambda a, b: a != b,
    "lt": lambda a, b: a < b,  # type: ignore[operator]
    "le": lambda a, b: a <= b,  # type: ignore[operator]
    "gt": lambda a, b: a > b,  # type: ignore[operator]
    "ge": lambda a, b: a >= b,  # type: ignore[operator]
}
_NUMERIC = {"==": "eq", "!=": "ne", "<": "lt", "<=": "le", ">": "gt", ">=": "ge"}


def _simple(
    change: Callable[[bytes], bytes], what: str = "", most: int | None = 0
) -> Callable[[State, Step], None]:
    """Return a function without arguments."""

    def run(state: State, step: Step) -> None:
        check(step, most)
        state.value = change(state.given(what or step.name))

    return run


def _text(state: State, step: Step) -> None:
    check(step, 0)
    state.given("text")
    state.binary = False


def _substr(state: State, step: Step) -> None:
    numbers = [state.number(one) for one in step.positional]
    wanted(step, 2)
    value = state.given("substring")
    offset = numbers[0] + len(value) if numbers[0] < 0 else numbers[0]
    if not 0 <= offset <= len(value):
        raise UnknownVariable("Offset out of bounds")
    rest = len(value) - offset
    length = numbers[1] if len(numbers) > 1 else rest
    length = length + rest if length < 0 else length
    if not 0 <= length <= rest:
        raise UnknownVariable("Length out of bounds")
    state.value = value[offset : offset + length]


def _index(state: State, step: Step) -> None:
    wanted(step, 2)
    separator = state.text(step.positional[0])
    if len(step.positional) < 2:
        raise UnknownVariable("Missing index parameter")
    at = state.number(step.positional[1])
    value = state.given("index")
    if not separator:
        raise ExpansionCrash("an empty separator is found for ever")
    parts = value.split(separator)
    if not -len(parts) <= at < len(parts):
        raise UnknownVariable("Position out of bounds")
    state.value = parts[at]


def _concat(state: State, step: Step) -> None:
    wanted(step)
    state.value = b"".join((state.value or b"", *map(state.any, step.positional)))


def _literal(state: State, step: Step) -> None:
    if not step.positional:
        wanted(step)
    # What follows is not looked at.
    state.value, state.binary = state.any(step.positional[0]), False


def _default(state: State, step: Step) -> None:
    if not state.value:
        check(step, 1)
        state.value = state.any(step.positional[0]) if step.positional else b""
        state.binary = False


def _lookup(state: State, step: Step) -> None:
    if not step.positional:
        check(step, None)
        raise UnknownVariable("Missing name to lookup")
    name = state.text(step.positional[0]).decode(errors="surrogateescape")
    state.value, state.binary = state.lookup(name), False


def _calculate(state: State, step: Step) -> None:
    wanted(step, 2)
    operator = step.positional[0]
    if not isinstance(operator, int):
        raise UnknownVariable("Missing operator")
    given = state.given("calculate")
    # Without an operand it is the operator once more.
    right = state.number(step.positional[-1])
    value = number_of(given)
    if value is None:
        raise UnknownVariable("Input is not a number")
    if not 0 <= operator < _OPERATORS:
        raise ExpansionCrash(f"there is no operator {operator}")
    state.value = b"%d" % _calculated(operator, value, right)


def _calculated(operator: int, left: int, right: int) -> int:
    if operator > 2 and not right:
        raise UnknownVariable("Division by zero" if operator == 3 else "Modulo by zero")
    quotient = 0
    if right:
        quotient = abs(left) // abs(right) * (1 if (left < 0) == (right < 0) else -1)
    results = left + right, left - right, left * right, quotient, left - quotient * right
    return (results[operator] + (1 << 63)) % (1 << 64) - (1 << 63)


def _if(state: State, step: Step) -> None:
    arguments = step.positional
    if len(arguments) < 4:
        check(step, None)
        raise UnknownVariable("Missing parameters")
    check(step, 4 if state.value is not None or state.problem else 5)
    if state.value is None and len(arguments) < 5:
        raise UnknownVariable("Missing parameters")
    left = state.value
    if left is None:
        left, arguments = _branch(state, "Left-hand side ", arguments[0]), arguments[1:]
    comparator, right, yes, no = arguments
    if isinstance(comparator, int):
        raise UnknownVariable(f"Comparator: {comparator} is not a string")
    good = _compare(state, left, state.text(comparator).decode(errors="replace"), right)
    state.value = _branch(state, f"{good} branch: ", yes if good else no)
    state.binary = False


def _branch(state: State, where: str, argument: Argument) -> bytes:
    try:
        return state.any(argument)
    except UnknownVariable as problem:
        raise UnknownVariable(f"{where}{problem}") from None


def _compare(state: State, left: bytes, comparator: str, right: Argument) -> bool:
    if comparator in _NUMERIC:
        number_left = number_of(left)
        if number_left is None:
            raise UnknownVariable("Input is not a number")
        try:
            number = state.number(right)
        except UnknownVariable as problem:
            raise UnknownVariable(f"Right-hand side: {problem}") from None
        return _COMPARED[_NUMERIC[comparator]](number_left, number)
    if comparator not in _COMPARED and comparator not in ("*", "!*", "~", "!~"):
        raise UnknownVariable(f"Unsupported comparator '{comparator}'")
    try:
        text = state.text(right)
    except UnknownVariable as problem:
        raise UnknownVariable(f"Right-hand side {problem}") from None
    if comparator in _COMPARED:
        return _COMPARED[comparator](left, text)
    negated = comparator.startswith("!")
    if comparator.endswith("*"):
        return masks.text_matches(text, left) is not negated
    try:
        return (re.search(text, left) is not None) is not negated
    except (re.error, OverflowError):
        raise UnknownVariable("regexp() failed: Invalid regular expression") from None


def _regexp(state: State, step: Step) -> None:
    wanted(step, 2)
    pattern = state.text(step.positional[0])
    if len(step.positional) < 2:
        raise UnknownVariable("Missing replacement parameter")
    replacement = state.text(step.positional[1])
    value = state.given("regexp")
    try:
        found = re.search(pattern, value)
    except (re.error, OverflowError):
        raise UnknownVariable("Invalid regular expression") from None
    if found is None:
        return
    match = found

    def group(reference: re.Match[bytes]) -> bytes:
        if int(reference[1]) > match.re.groups:
            raise UnknownVariable("Invalid capture group")
        return match[int(reference[1])] or b""

    state.value = re.sub(rb"\\([0-9])", group, replacement)


def _safe(state: State, _: Step) -> None:
    """Leave the value as it is, whatever the arguments are."""
    if state.value is None:
        raise ExpansionCrash("no value to make safe")


FUNCTIONS: Mapping[str, Callable[[State, Step], None]] = {
    "upper": _simple(bytes.upper),
    "lower": _simple(bytes.lower),
    "username": _simple(lambda text: text.partition(b"@")[0], "get username from"),
    "domain": _simple(lambda text: text.partition(b"@")[2], "get domain from"),
    "reverse": _simple(lambda text: text[::-1]),
    "ldap_dn": _simple(lambda text: text.replace(b".", b",dc=")),
    "list": _simple(lambda text: text.replace(b"\t", b","), most=None),
    "safe": _safe,
    "text": _text,
    **ENCODINGS,
    "substr": _substr,
    "index": _index,
    "concat": _concat,
    "literal": _literal,
    "default": _default,
    "lookup": _lookup,
    "calculate": _calculate,
    "if": _if,
    "regexp": _regexp,
}
