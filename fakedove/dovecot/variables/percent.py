"""Variables as before 2.4: `%u`, `%{user}`, `%2.5Lu`, `%{sha1;rounds=2:user}`.

    PercentVariables({b"u": b"ann"}, {b"user": b"ann"}, userdb, {}).expand(b"%Uu")

`%[-][0][OFFSET.][0][-][WIDTH][MODIFIERS]VARIABLE`; measured on 2.3.19.1.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping

import msgspec

from fakedove.dovecot.variables import percent_functions
from fakedove.dovecot.variables.braced_state import ExpansionCrash
from fakedove.dovecot.variables.braced_syntax import UnknownVariable
from fakedove.dovecot.variables.percent_functions import Unfilled

_NUMBERS = re.compile(
    rb"(?P<sign>-?)(?P<zero>0?)(?P<first>[0-9]*)"
    rb"(?P<second>\.(?P<zero2>0?)(?P<sign2>-?)(?P<width>[0-9]*))?"
)
_MODIFIERS = re.compile(rb"[LUEXRHNMDT]{0,10}")
_ESCAPED = re.compile(rb"[\"'\\]")
_UINT = 1 << 32


class _Field(msgspec.Struct):
    """One variable's place in the template; H and N use up its numbers."""

    offset: int
    width: int
    padded: bool


class _Key(msgspec.Struct, frozen=True):
    """A variable's name: a letter, or a long one in braces."""

    name: bytes
    long: bool


class PercentVariables:
    """Fills in the variables of one user."""

    def __init__(
        self,
        short: Mapping[bytes, bytes],
        long: Mapping[bytes, bytes],
        userdb: Mapping[bytes, bytes],
        environment: Mapping[bytes, bytes],
    ) -> None:
        """Take the values by letter and by name, and those of `userdb:` and `env:`."""
        self._short = short
        self._long = long
        self._userdb = userdb
        self._environment = environment
        #: What was said last of one that cannot be filled in.
        self._problem: str | None = None

    def expand(self, template: bytes) -> bytes:
        """Return the template with its variables filled in.

        Raises UnknownVariable, with what was said last, or ExpansionCrash where nothing was.
        """
        try:
            return self.fill(template, leniently=False)
        except Unfilled:
            if self._problem is None:
                raise ExpansionCrash("(null)") from None
            raise UnknownVariable(self._problem) from None

    def fill(self, template: bytes, *, leniently: bool) -> bytes:
        """Return the template with its variables filled in, behind whose end it raises Unfilled.

        What was said of others before is forgotten.
        """
        self._problem = None
        out = bytearray()
        failed: list[Unfilled] = []
        position = 0
        while (start := template.find(b"%", position)) >= 0:
            out += template[position:start]
            field, modifiers, position = _read_field(template, start + 1)
            if position >= len(template):
                break
            key, position = _read_key(template, position)
            try:
                value = self._value(key)
            except Unfilled as error:
                failed.append(error)
                out += error.text or b""
                continue
            for modifier in modifiers:
                value = _APPLY[modifier](value, field)
            out += _cut(value, field)
        else:
            out += template[position:]
        bad = [one for one in failed if one.text is None]
        if bad or (failed and not leniently):
            raise (bad or failed)[0]
        return bytes(out)

    def long(self, key: bytes) -> bytes:
        """Return the value of what stands in `%{...}`; raises Unfilled."""
        if key in self._long:
            return self._long[key]
        name, _, data = key.partition(b":")
        value = percent_functions.call(self, name, data)
        if value is not None:
            return value
        if name == b"env":
            return self._environment.get(data, b"")
        if name == b"userdb":
            field, _, default = data.partition(b":")
            return self._userdb.get(field, default)
        raise _unknown(name)

    def _value(self, key: _Key) -> bytes:
        if not key.long:
            return self._letter(key.name)
        try:
            return self.long(key.name)
        except Unfilled as error:
            self._problem = error.why or self._problem
            raise

    def _letter(self, letter: bytes) -> bytes:
        if letter in self._short:
            return self._short[letter]
        if letter == b"%":
            return b"%"
        error = _unknown(letter)
        self._problem = self._problem or error.why
        raise error


def _unknown(name: bytes) -> Unfilled:
    why = f"Unknown variable '%{name.decode(errors='replace')}'"
    return Unfilled(why, b"UNSUPPORTED_VARIABLE_" + name)


def _read_field(template: bytes, start: int) -> tuple[_Field, bytes, int]:
    """Return numbers and modifiers behind a `%`, and where the variable begins."""
    numbers = _NUMBERS.match(template, start)
    assert numbers is not None
    first, second = int(numbers["first"] or b"0"), numbers["second"] is not None
    field = _Field(0, first, bool(numbers["zero"]))
    if second:
        width = int(numbers["width"] or b"0")
        field = _Field(
            -first if numbers["sign"] else first,
            -width if numbers["sign2"] else width,
            bool(numbers["zero2"]),
        )
    modifiers = _MODIFIERS.match(template, numbers.end())
    assert modifiers is not None
    return field, modifiers[0], modifiers.end()


def _read_key(template: bytes, start: int) -> tuple[_Key, int]:
    """Return a letter, or what stands between braces, and where the text goes on."""
    if template[start : start + 1] != b"{" or b"}" not in template[start:]:
        return _Key(template[start : start + 1], long=False), start + 1
    depth, escaped = 1, False
    for at in range(start + 1, len(template)):
        char = template[at : at + 1]
        if escaped:
            escaped = False
        elif char == b"\\":
            escaped = True
        elif char == b"{":
            depth += 1
        elif char == b"}":
            depth -= 1
            if not depth:
                return _Key(template[start + 1 : at], long=True), at + 1
    return _Key(template[start + 1 :], long=True), len(template)


def _cut(value: bytes, field: _Field) -> bytes:
    """Return the part of `value` that the numbers name, or `value` with zeros before it."""
    if field.offset < 0:
        value = value[field.offset :] if len(value) > -field.offset else value
    else:
        value = value[field.offset :]
    width = field.width
    if not width:
        return value
    if field.padded:
        return value.rjust(width, b"0") if width > 0 else value
    if width < 0:
        width += len(value)
    return value[:width] if width >= 0 else value


def _hex_number(value: bytes, _: _Field) -> bytes:
    number = int(value) if re.fullmatch(rb"[0-9]{1,20}", value) else 0
    return b"%x" % (number if number < 1 << 64 else 0)


def _old_hash(value: bytes, field: _Field) -> bytes:
    result = 0
    for byte in value:
        result = ((result << 4) + byte) % _UINT
        high = result & 0xF0000000
        result ^= high >> 24 ^ high
    return _hashed(result, field)


def _new_hash(value: bytes, field: _Field) -> bytes:
    digest = hashlib.md5(value, usedforsecurity=False).digest()
    return _hashed(int.from_bytes(digest[:8], "big"), field, wide=True)


def _hashed(number: int, field: _Field, *, wide: bool = False) -> bytes:
    """Return a hash below the width, with zeros before it up to the offset; both are used up."""
    if field.width:
        number %= field.width % (1 << 64 if wide else _UINT)
    text = b"%x" % (number % _UINT)
    padded = text.rjust(max(field.offset, 0), b"0")
    field.width = field.offset = 0
    return padded


def _md5(value: bytes, _: _Field) -> bytes:
    return hashlib.md5(value, usedforsecurity=False).hexdigest().encode()


_APPLY: Mapping[int, Callable[[bytes, _Field], bytes]] = {
    ord("L"): lambda value, _: value.lower(),
    ord("U"): lambda value, _: value.upper(),
    ord("E"): lambda value, _: _ESCAPED.sub(rb"\\\g<0>", value),
    ord("X"): _hex_number,
    ord("R"): lambda value, _: value[::-1],
    ord("H"): _old_hash,
    ord("N"): _new_hash,
    ord("M"): _md5,
    ord("D"): lambda value, _: value.replace(b".", b",dc="),
    ord("T"): lambda value, _: value.rstrip(b" \t\n\v\f\r"),
}
