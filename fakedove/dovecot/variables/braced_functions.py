"""Functions of `%{user | upper}` that cut, choose and calculate; measured on 2.4.1."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from fakedove.dovecot.variables.braced_arguments import first, read, required
from fakedove.dovecot.variables.braced_ciphers import CIPHERS
from fakedove.dovecot.variables.braced_conditions import choose
from fakedove.dovecot.variables.braced_encodings import ENCODINGS
from fakedove.dovecot.variables.braced_regexps import substitute
from fakedove.dovecot.variables.braced_state import ExpansionCrash, Function, State, number_of
from fakedove.dovecot.variables.braced_syntax import Argument, Step, UnknownVariable
from fakedove.wire import tabescape

#: `+`, `-`, `*`, `/` and `%`, by number.
_OPERATORS = 5
_MODULO = 4
_MOST_FILL = _MOST_POSITION = (1 << 31) - 1


def _in_place(change: Callable[[bytes], bytes]) -> Function:
    """Return a function that changes a text up to a NUL."""

    def run(state: State, step: Step) -> None:
        read(step)
        text = state.string(step.name)
        state.value = change(text) + state.given(step.name)[len(text) :]

    return run


def _reverse(state: State, step: Step) -> None:
    read(step)
    state.value = state.given("reverse")[::-1]


def _ldap_dn(state: State, step: Step) -> None:
    read(step)
    state.value = state.string("convert to ldap_dn").replace(b".", b",dc=")


def _username(state: State, step: Step) -> None:
    read(step)
    state.put(state.string("get username from").partition(b"@")[0])


def _domain(state: State, step: Step) -> None:
    read(step)
    state.put(state.string("get domain from").partition(b"@")[2])


def _list(state: State, step: Step) -> None:
    separators, _ = read(step, state.text)
    values = state.string("generate list from").split(b"\t")
    state.put((separators or [b","])[0].join(map(tabescape.unescape, values)))


def _text(state: State, step: Step) -> None:
    read(step)
    shown = state.string("text").decode(errors="replace")
    state.put("".join("\ufffd" if _is_control(one) else one for one in shown).encode())


def _is_control(character: str) -> bool:
    return character < " " or "\x7f" <= character < "\xa0"


def _fill(state: State, step: Step) -> None:
    required(step)
    found, _ = read(step, lambda argument: _amount(state, argument), state.text)
    if not found:
        raise UnknownVariable("Missing amount")
    size, filler = found[0], (found[1:] or [b"0"])[0]
    value = state.given("fill")
    missing = max(size - len(value), 0)
    if missing and not filler:
        raise ExpansionCrash("nothing is put before it for ever")
    filled = filler * -(-missing // len(filler)) if missing else b""
    state.value = filled + value if step.name == "lfill" else value + filled


def _amount(state: State, argument: Argument) -> int:
    number = state.number(argument)
    if not 1 <= number <= _MOST_FILL:
        raise UnknownVariable("Fill length out of bounds")
    return number


def _substr(state: State, step: Step) -> None:
    required(step)
    found, _ = read(step, state.number, state.number, surplus=state.number)
    offset, *lengths = found
    value = state.given("substring")
    size = len(value)
    length = lengths[0] if lengths else size
    if not -size <= offset <= size:
        raise UnknownVariable("Offset out of bounds")
    start = offset + size if offset < 0 else offset
    end = size if not lengths else start + length if length >= 0 else size + length
    if not -size <= length <= size or (length and not start <= end <= size):
        raise UnknownVariable("Length out of bounds")
    state.value = value[start:end] if length else b""


def _index(state: State, step: Step) -> None:
    required(step)
    found, _ = read(step, state.text, lambda argument: _position(state, argument))
    if len(found) < 2:
        raise UnknownVariable("Missing index parameter")
    separator, at = found
    value = state.string("index")
    if not separator:
        raise ExpansionCrash("an empty separator is found for ever")
    parts = value.split(separator)
    if not -len(parts) <= at < len(parts):
        raise UnknownVariable("Position out of bounds")
    state.put(parts[at])


def _position(state: State, argument: Argument) -> int:
    number = state.number(argument)
    if not -_MOST_POSITION - 1 <= number <= _MOST_POSITION:
        raise UnknownVariable("Position out of bounds")
    return number


def _concat(state: State, step: Step) -> None:
    required(step)
    found, _ = read(step, *[state.any] * len(step.arguments))
    state.value = b"".join((state.value or b"", *found))


def _literal(state: State, step: Step) -> None:
    required(step)
    state.put(first(step, state.any))


def _default(state: State, step: Step) -> None:
    if not state.value:
        value = first(step, state.any) if step.arguments else b""
        if len(step.arguments) > 1:
            raise UnknownVariable("Too many positional parameters")
        state.put(value)


def _lookup(state: State, step: Step) -> None:
    if not step.arguments:
        raise UnknownVariable("Missing name to lookup")
    name = first(step, state.text)
    state.put(state.lookup(name.decode(errors="surrogateescape")))


def _number(state: State, step: Step) -> None:
    read(step)
    value = state.given("convert to number")
    if len(value) not in (1, 2, 4, 8):
        raise UnknownVariable(f"Cannot convert '{len(value)}' bytes to number")
    state.put(b"%d" % int.from_bytes(value, "big" if step.name == "benumber" else "little"))


def _calculate(state: State, step: Step) -> None:
    required(step)
    found, _ = read(step, _operator, state.number)
    # Without an operand it is the operator once more.
    operator, right = found[0], found[-1]
    given = state.given("calculate")
    if state.binary and operator == _MODULO:
        state.put(_binary_modulo(given, right))
        return
    value = number_of(tabescape.c_string(given))
    if value is None:
        raise UnknownVariable("Input is not a number")
    if not 0 <= operator < _OPERATORS:
        raise ExpansionCrash(f"there is no operator {operator}", panics=True)
    state.value = b"%d" % _calculated(operator, value, right)


def _operator(argument: Argument) -> int:
    if not isinstance(argument, int):
        raise UnknownVariable("Missing operator")
    return argument


def _binary_modulo(value: bytes, right: int) -> bytes:
    if right < 0:
        raise UnknownVariable("Binary modulo must be positive integer")
    if not right:
        raise ExpansionCrash("a number is divided by zero")
    return b"%d" % (int.from_bytes(value[-8:], "big") % right)


def _calculated(operator: int, left: int, right: int) -> int:
    if operator > 2 and not right:
        raise UnknownVariable("Division by zero" if operator == 3 else "Modulo by zero")
    if operator > 2 and right == -1 and left == -(1 << 63):
        raise ExpansionCrash("there is no such number")
    quotient = 0
    if right:
        quotient = abs(left) // abs(right) * (1 if (left < 0) == (right < 0) else -1)
    results = left + right, left - right, left * right, quotient, left - quotient * right
    return (results[operator] + (1 << 63)) % (1 << 64) - (1 << 63)


def _safe(_state: State, _step: Step) -> None:
    """Leave the value as it is, whatever the arguments are; it need not be there."""


FUNCTIONS: Mapping[str, Function] = {
    "upper": _in_place(bytes.upper),
    "lower": _in_place(bytes.lower),
    "username": _username,
    "domain": _domain,
    "reverse": _reverse,
    "ldap_dn": _ldap_dn,
    "list": _list,
    "safe": _safe,
    "text": _text,
    **dict.fromkeys(("lfill", "rfill"), _fill),
    **dict.fromkeys(("lenumber", "benumber"), _number),
    **ENCODINGS,
    **CIPHERS,
    "substr": _substr,
    "index": _index,
    "concat": _concat,
    "literal": _literal,
    "default": _default,
    "lookup": _lookup,
    "calculate": _calculate,
    "if": choose,
    "regexp": substitute,
}
