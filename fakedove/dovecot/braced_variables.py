"""What `%{user | upper}` becomes: variables and functions as Dovecot 2.4 has them.

Measured on 2.4.1. A value that is binary is shown as hex digits in the end.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from fakedove.dovecot.braced_syntax import Argument, Name, Pipeline, Step, UnknownVariable, parse
from fakedove.dovecot.user import User
from fakedove.wire.tabescape import c_string

Lookup = Callable[[str], bytes]
_HASHES = ("md5", "sha1", "sha256", "sha384", "sha512")
_ALGORITHMS = {**{name: name for name in _HASHES}, "sha3-256": "sha3_256", "sha3-512": "sha3_512"}
_COMPARED: Mapping[str, Callable[[object, object], bool]] = {
    "eq": lambda a, b: a == b,
    "ne": lambda a, b: a != b,
    "lt": lambda a, b: a < b,  # type: ignore[operator]
    "le": lambda a, b: a <= b,  # type: ignore[operator]
    "gt": lambda a, b: a > b,  # type: ignore[operator]
    "ge": lambda a, b: a >= b,  # type: ignore[operator]
}
_NUMERIC = {"==": "eq", "!=": "ne", "<": "lt", "<=": "le", ">": "gt", ">=": "ge"}


@dataclass(slots=True)
class _State:
    """What a pipeline has come to."""

    lookup: Lookup
    value: bytes | None = None
    binary: bool = False
    #: Why there is no value; told only if nothing provides one.
    problem: str | None = None

    def given(self, what: str) -> bytes:
        if self.value is None:
            raise UnknownVariable(f"No value to {what}")
        return self.value

    def text(self, argument: Argument) -> bytes:
        if isinstance(argument, int):
            raise UnknownVariable(f"{argument} is not a string")
        return self.any(argument)

    def any(self, argument: Argument) -> bytes:
        if isinstance(argument, Name):
            return self.lookup(argument.name)
        return str(argument).encode("utf-8", "surrogateescape")

    def number(self, argument: Argument) -> int:
        if isinstance(argument, int):
            return argument
        value = self.any(argument).decode(errors="replace")
        if isinstance(argument, Name):
            if re.fullmatch(r"-?[0-9]+", value):
                return int(value)
            raise UnknownVariable(f"'{value}' (in {argument.name}) is not a number")
        raise UnknownVariable(f"'{value}' is not a number")


def expand(template: str, lookup: Lookup) -> str:
    """Fill in `template`; raises UnknownVariable. So does `lookup`, which gives variables."""
    parts = parse(template)
    return "".join(one if isinstance(one, str) else _run(one, lookup) for one in parts)


def _run(pipeline: Pipeline, lookup: Lookup) -> str:
    state = _State(lookup)
    for at, step in enumerate(pipeline):
        function = _FUNCTIONS.get(step.name)
        if function is None and at:
            raise UnknownVariable(f"No such function '{step.name}'")
        before = state.problem
        try:
            if function is None:
                state.value = lookup(step.name)
            else:
                function(state, step)
                state.problem = None
        except UnknownVariable as problem:
            if before is not None:
                raise UnknownVariable(before) from None
            prefix = "" if function is None else f"{step.name}: "
            state.value, state.problem = None, f"{prefix}{problem}"
    if state.problem is not None:
        raise UnknownVariable(state.problem)
    value = state.value or b""
    return value.hex() if state.binary else c_string(value).decode(errors="replace")


def _check(step: Step, most: int | None, *keys: str) -> dict[str, Argument]:
    """Return the named arguments; raise UnknownVariable for one that is not known."""
    if most is not None and len(step.positional) > most:
        raise UnknownVariable("Too many positional parameters")
    for key, _ in step.named:
        if key not in keys:
            raise UnknownVariable(f"Unsupported key '{key}'")
    return dict(step.named)


def _wanted(step: Step, most: int | None = None) -> None:
    if not step.positional and not step.named:
        raise UnknownVariable("Missing parameters")
    _check(step, most)


def _simple(
    change: Callable[[bytes], bytes], what: str = "", most: int | None = 0
) -> Callable[[_State, Step], None]:
    """Return a function without arguments."""

    def run(state: _State, step: Step) -> None:
        _check(step, most)
        state.value = change(state.given(what or step.name))

    return run


def _text(state: _State, step: Step) -> None:
    _check(step, 0)
    state.given("text")
    state.binary = False


def _hash(state: _State, step: Step) -> None:
    arguments = step.positional
    name = step.name
    if name == "hash":
        if not arguments and not step.named:
            raise UnknownVariable("Missing parameters")
        named = _check(step, 1, "rounds", "salt")
        if not arguments:
            raise UnknownVariable("No algorithm as first parameter")
        name = state.text(arguments[0]).decode(errors="replace")
        if name not in _ALGORITHMS:
            raise UnknownVariable(f"Unsupported algorithm '{name}'")
    else:
        named = _check(step, 0, "rounds", "salt")
    rounds = state.number(named.get("rounds", 1))
    salt = state.text(named.get("salt", ""))
    value = state.given(step.name)
    for _ in range(max(rounds, 0)):
        value = hashlib.new(_ALGORITHMS[name], salt + value, usedforsecurity=False).digest()
    state.value, state.binary = value, True


def _substr(state: _State, step: Step) -> None:
    _wanted(step, 2)
    numbers = [state.number(one) for one in step.positional]
    value = state.given("substr")
    offset = numbers[0] + len(value) if numbers[0] < 0 else numbers[0]
    if not 0 <= offset <= len(value):
        raise UnknownVariable("Offset out of bounds")
    rest = len(value) - offset
    length = numbers[1] if len(numbers) > 1 else rest
    length = length + rest if length < 0 else length
    if not 0 <= length <= rest:
        raise UnknownVariable("Length out of bounds")
    state.value = value[offset : offset + length]


def _truncate(state: _State, step: Step) -> None:
    if not step.positional and not step.named:
        raise UnknownVariable("Missing parameters")
    named = _check(step, 1, "bits")
    value = state.given("truncate")
    bits = state.number(step.positional[0]) * 8 if step.positional else 0
    bits = state.number(named["bits"]) if "bits" in named else bits
    if bits < 0:
        raise UnknownVariable("Value of out of bounds")
    size = min((bits + 7) // 8, len(value))
    shift = max(size * 8 - bits, 0)
    state.value = (int.from_bytes(value[:size], "big") >> shift).to_bytes(size, "big")


def _width(state: _State, step: Step) -> int:
    _check(step, 1)
    return state.number(step.positional[0]) if step.positional else 0


def _hex(state: _State, step: Step) -> None:
    width = _width(state, step)
    value = state.given("hex")
    if not value.isdigit():
        raise UnknownVariable("Input is not a number")
    digits = b"%x" % int(value)
    if width > 0:
        digits = digits.rjust(width, b"0")[-width:]
    elif width < 0:
        digits = digits.ljust(-width, b"0")[:-width]
    state.value = digits


def _unhex(state: _State, step: Step) -> None:
    _check(step, 0)
    value = state.given("unhex")
    if not re.fullmatch(rb"[0-9A-Fa-f]+", value):
        raise UnknownVariable("Input is not a hex number")
    state.value = b"%d" % int(value, 16)


def _hexlify(state: _State, step: Step) -> None:
    width = _width(state, step)
    if width < 0:
        raise UnknownVariable("Width must be positive")
    digits = state.given("hexlify").hex().encode()
    state.value = digits.rjust(width, b"0")[:width] if width else digits
    state.binary = False


def _unhexlify(state: _State, step: Step) -> None:
    _check(step, 0)
    try:
        state.value = binascii.unhexlify(state.given("unhexlify"))
    except binascii.Error:
        raise UnknownVariable("Not a hex value") from None
    state.binary = True


def _base64(state: _State, step: Step) -> None:
    named = _check(step, 0, "pad", "url")
    pad, url = state.number(named.get("pad", 1)), state.number(named.get("url", 0))
    value = state.given("base64")
    encoded = base64.urlsafe_b64encode(value) if url else base64.b64encode(value)
    state.value, state.binary = encoded if pad else encoded.rstrip(b"="), False


def _unbase64(state: _State, step: Step) -> None:
    named = _check(step, 0, "pad", "url")
    url = state.number(named.get("url", 0))
    value = state.given("unbase64").rstrip(b"=")
    try:
        altchars = b"-_" if url else b"+/"
        padded = value + b"=" * (-len(value) % 4)
        state.value = base64.b64decode(padded, altchars, validate=True)
    except binascii.Error:
        state.value = b""
    state.binary = True


def _index(state: _State, step: Step) -> None:
    _wanted(step, 2)
    separator = state.text(step.positional[0])
    if len(step.positional) < 2:
        raise UnknownVariable("Missing index parameter")
    at = state.number(step.positional[1])
    parts = state.given("index").split(separator)
    if not -len(parts) <= at < len(parts):
        raise UnknownVariable("Position out of bounds")
    state.value = parts[at]


def _concat(state: _State, step: Step) -> None:
    _wanted(step)
    state.value = b"".join((state.value or b"", *map(state.any, step.positional)))


def _literal(state: _State, step: Step) -> None:
    _wanted(step)
    state.value, state.binary = state.any(step.positional[0]), False


def _default(state: _State, step: Step) -> None:
    if not state.value:
        _check(step, 1)
        state.value = state.any(step.positional[0]) if step.positional else b""
        state.binary = False


def _lookup(state: _State, step: Step) -> None:
    _check(step, None)
    if not step.positional:
        raise UnknownVariable("Missing name to lookup")
    name = state.text(step.positional[0]).decode(errors="surrogateescape")
    state.value, state.binary = state.lookup(name), False


def _calculate(state: _State, step: Step) -> None:
    _wanted(step, 2)
    operator = step.positional[0]
    if not isinstance(operator, int):
        raise UnknownVariable("Missing operator")
    value = state.given("calculate")
    right = state.number(step.positional[1])
    if not re.fullmatch(rb"-?[0-9]+", value) or abs(int(value)) >= 1 << 63:
        raise UnknownVariable("Input is not a number")
    state.value = b"%d" % _calculated(operator, int(value), right)


def _calculated(operator: int, left: int, right: int) -> int:
    if operator > 2 and not right:
        raise UnknownVariable("Division by zero" if operator == 3 else "Modulo by zero")
    quotient = 0
    if right:
        quotient = abs(left) // abs(right) * (1 if (left < 0) == (right < 0) else -1)
    results = left + right, left - right, left * right, quotient, left - quotient * right
    return (results[operator] + (1 << 63)) % (1 << 64) - (1 << 63)


def _if(state: _State, step: Step) -> None:
    arguments = step.positional
    if len(arguments) < 4:
        raise UnknownVariable("Missing parameters")
    _check(step, 4 if state.value is not None or state.problem else 5)
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


def _branch(state: _State, where: str, argument: Argument) -> bytes:
    try:
        return state.any(argument)
    except UnknownVariable as problem:
        raise UnknownVariable(f"{where}{problem}") from None


def _compare(state: _State, left: bytes, comparator: str, right: Argument) -> bool:
    if comparator in _NUMERIC:
        if not left.lstrip(b"-").isdigit():
            raise UnknownVariable("Input is not a number")
        try:
            number = state.number(right)
        except UnknownVariable as problem:
            raise UnknownVariable(f"Right-hand side: {problem}") from None
        return _COMPARED[_NUMERIC[comparator]](int(left), number)
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
        mask = re.escape(text).replace(rb"\*", b".*").replace(rb"\?", b".")
        return (re.fullmatch(mask, left, re.DOTALL) is not None) is not negated
    try:
        return (re.search(text, left) is not None) is not negated
    except re.error:
        raise UnknownVariable("regexp() failed: Invalid regular expression") from None


def _regexp(state: _State, step: Step) -> None:
    _wanted(step, 2)
    pattern = state.text(step.positional[0])
    if len(step.positional) < 2:
        raise UnknownVariable("Missing replacement parameter")
    replacement = state.text(step.positional[1])
    value = state.given("regexp")
    try:
        found = re.search(pattern, value)
    except re.error:
        raise UnknownVariable("Invalid regular expression") from None
    if found is None:
        return
    match = found

    def group(reference: re.Match[bytes]) -> bytes:
        if int(reference[1]) > match.re.groups:
            raise UnknownVariable("Invalid capture group")
        return match[int(reference[1])] or b""

    state.value = re.sub(rb"\\([0-9])", group, replacement)


_FUNCTIONS: Mapping[str, Callable[[_State, Step], None]] = {
    "upper": _simple(bytes.upper),
    "lower": _simple(bytes.lower),
    "username": _simple(lambda text: text.partition(b"@")[0], "get username from"),
    "domain": _simple(lambda text: text.partition(b"@")[2], "get domain from"),
    "reverse": _simple(lambda text: text[::-1]),
    "ldap_dn": _simple(lambda text: text.replace(b".", b",dc=")),
    "list": _simple(lambda text: text.replace(b"\t", b","), most=None),
    "safe": _simple(bytes),
    "text": _text,
    **dict.fromkeys(("hash", *_HASHES), _hash),
    "substr": _substr,
    "truncate": _truncate,
    "hex": _hex,
    "unhex": _unhex,
    "hexlify": _hexlify,
    "unhexlify": _unhexlify,
    "base64": _base64,
    "unbase64": _unbase64,
    "index": _index,
    "concat": _concat,
    "literal": _literal,
    "default": _default,
    "lookup": _lookup,
    "calculate": _calculate,
    "if": _if,
    "regexp": _regexp,
}


def lookup_of(user: User, fields: Mapping[str, str]) -> Lookup:
    """Return what gives the variables of `user`; `fields` are those of the userdb."""
    values = {
        **dict.fromkeys(("user", "auth_user", "owner_user", "event:user"), user.name),
        **dict.fromkeys(("service", "protocol", "event:service"), "doveadm"),
        **dict.fromkeys(("local_ip", "remote_ip", "local_port", "remote_port"), ""),
        **dict.fromkeys(("local_name", "master_user"), ""),
        "home": user.home,
        "process:pid": "4242",
        "process:uid": "0",
        "process:gid": "0",
        "dovecot:name": "Dovecot",
        "dovecot:support-url": "https://www.dovecot.org/",
        "dovecot:support-email": "dovecot@dovecot.org",
        "system:os": "Linux",
    }

    def find(name: str) -> bytes:
        prefix, colon, key = name.partition(":")
        if name in values:
            return values[name].encode("utf-8", "surrogateescape")
        if not colon:
            raise UnknownVariable(f"Unknown variable '{name}'")
        if prefix == "env" and key:
            return b""
        if prefix == "userdb":
            key = key.partition(":")[0]
            return fields.get(key, "").encode("utf-8", "surrogateescape")
        raise UnknownVariable(
            _PREFIXES.get(prefix, "Unsupported prefix '{prefix}'").format(prefix=prefix, key=key)
        )

    return find


#: What is said of a name behind each prefix that has none such.
_PREFIXES = {
    "env": "env: Missing field",
    "event": "event: No such field '{key}' in event",
    **{name: f"{name}: Unsupported field '{{key}}'" for name in ("system", "process", "dovecot")},
    **{name: f"{name}: Unsupported key '{{key}}'" for name in ("generate", "date", "time")},
}
