"""What `%{NAME:DATA}` works out before 2.4: hashes, PBKDF2 and `if`; measured on 2.3.19.1."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Mapping
from typing import Protocol

from fakedove.dovecot import masks
from fakedove.dovecot.variables.md4 import md4
from fakedove.dovecot.variables.posix_regexps import InvalidExpression, compiled

_ALGORITHMS: Mapping[bytes, str] = {
    **{name.encode(): name for name in ("md5", "sha1", "sha256", "sha384", "sha512")},
    b"sha3-256": "sha3_256",
    b"sha3-512": "sha3_512",
}
_NAMES = (*_ALGORITHMS, b"md4", b"size", b"pkcs5", b"if")
_UNSIGNED = re.compile(rb"[0-9]{1,10}")
_INTEGER = re.compile(rb"-?[0-9]{1,19}")
#: Bytes of a key that PBKDF2 makes: those of a C structure; and of one that is cut.
_KEY_BYTES = 336
_DERIVED_SIZE = 32
_PARAMETERS = 5


class Unfilled(Exception):
    """A variable cannot be filled in.

    `why` is None where nothing is said of that; `text` stands in its place where that is no
    more than unknown, and is None where it is an error.
    """

    def __init__(self, why: str | None, text: bytes | None = None) -> None:
        super().__init__(why)
        self.why = why
        self.text = text


class Expander(Protocol):
    """Who fills in variables; see `percent`."""

    def fill(self, template: bytes, *, leniently: bool) -> bytes:
        """Return the template with its variables filled in; raises Unfilled.

        `leniently`: unknown ones are not an error.
        """

    def long(self, key: bytes) -> bytes:
        """Return the value of what stands in `%{...}`; raises Unfilled."""


def call(expander: Expander, name: bytes, data: bytes) -> bytes | None:
    """Return the value of `%{name:data}`, None if that is no function's name."""
    function = name.partition(b";")[0].lower()
    if function not in _NAMES:
        return None
    if function == b"if":
        return _if(expander, b"%b:%b" % (name, data))
    return _hash(expander, name, data)


def _hash(expander: Expander, name: bytes, data: bytes) -> bytes:
    algorithm, _, words = name.partition(b";")
    if algorithm not in _NAMES:
        # Found in any case, and then not known.
        raise Unfilled(None, b"")
    value = expander.long(data)
    options = _Options(expander, words.split(b","), derived=algorithm == b"pkcs5", salt=data)
    digest = _digest(algorithm, value, options)
    size = _DERIVED_SIZE if algorithm == b"pkcs5" else len(digest)
    return options.written(digest, size)


class _Options:
    """What follows a `;`: rounds, bits, salt and format."""

    def __init__(
        self, expander: Expander, words: list[bytes], *, derived: bool, salt: bytes
    ) -> None:
        self.rounds = 2048 if derived else 1
        self.bits = 0
        self.salt = salt if derived else b""
        self._format = b"hex"
        for word in words:
            key, equals, value = word.partition(b"=")
            if not equals:
                continue
            if key == b"salt":
                # Nothing behind it is looked at.
                self.salt = expander.fill(value, leniently=True)
                break
            self._set(key, value)

    def _set(self, key: bytes, value: bytes) -> None:
        if key == b"rounds":
            self.rounds = _unsigned(value, "rounds")
            if not self.rounds:
                raise _bad_arguments("rounds must be at least 1")
        elif key == b"truncate":
            self.bits = _unsigned(value, "truncbits")
        elif key == b"format":
            if value not in (b"hex", b"hexuc", b"base64"):
                raise _bad_arguments(f"'{_shown(value)}' is not supported format")
            self._format = value

    def written(self, digest: bytes, size: int) -> bytes:
        """Return a digest, cut to so many bits but to no more than `size` bytes, as text."""
        if bits := min(self.bits, size * 8):
            kept = (bits + 7) // 8
            number = int.from_bytes(digest[:kept], "big") >> (kept * 8 - bits)
            digest = number.to_bytes(kept, "big")
        return base64.b64encode(digest) if self._format == b"base64" else digest.hex().encode()


def _digest(algorithm: bytes, value: bytes, options: _Options) -> bytes:
    salt, rounds = options.salt, options.rounds
    if algorithm == b"pkcs5":
        return hashlib.pbkdf2_hmac("sha256", value, salt, rounds, _KEY_BYTES)
    for _ in range(rounds):
        if algorithm == b"size":
            value = (len(salt) + len(value)).to_bytes(8, "big")
        elif algorithm == b"md4":
            value = md4(salt + value)
        else:
            name = _ALGORITHMS[algorithm]
            value = hashlib.new(name, salt + value, usedforsecurity=False).digest()
    return value


def _unsigned(value: bytes, what: str) -> int:
    if _UNSIGNED.fullmatch(value) is None or int(value) >= 1 << 32:
        raise _bad_arguments(f"'{_shown(value)}' is not number for {what}")
    return int(value)


def _bad_arguments(text: str) -> Unfilled:
    return Unfilled(f"Cannot parse hash arguments:{text}")


def _if(expander: Expander, whole: bytes) -> bytes:
    """Return what `if;LEFT;OPERATOR;RIGHT;THEN[;ELSE]` comes to."""
    _, semicolon, rest = whole.partition(b";")
    if not semicolon:
        raise Unfilled("if: missing parameter(s)")
    parameters = _split(rest)
    if len(parameters) not in (_PARAMETERS - 1, _PARAMETERS):
        count = len(parameters)
        raise Unfilled(f"if: requires four or five parameters, got {count}")
    left, operator, right, then, *other = [
        expander.fill(one, leniently=False) for one in parameters
    ]
    return then if _compares(left, operator, right) else b"".join(other)


def _split(text: bytes) -> list[bytes]:
    """Return the parameters up to a `:`, which, like `;`, does not count inside `%{...}`."""
    parameters: list[bytes] = []
    current = bytearray()
    depth, escaped, begins = 0, False, False
    for byte in text:
        char = bytes([byte])
        if char == b"\\":
            escaped = True
            continue
        if escaped:
            escaped = False
            current += char
            continue
        if char == b"%":
            begins = True
        elif begins and char == b"{":
            depth, begins = depth + 1, False
        elif depth and char == b"}":
            depth -= 1
        elif not depth and char == b";":
            parameters.append(bytes(current))
            current.clear()
            continue
        elif not depth and char == b":":
            break
        current += char
    return [*parameters, bytes(current)] if current else parameters


_NUMBERS: Mapping[bytes, Callable[[int, int], bool]] = {
    b"==": lambda left, right: left == right,
    b"<": lambda left, right: left < right,
    b"<=": lambda left, right: left <= right,
    b">": lambda left, right: left > right,
    b">=": lambda left, right: left >= right,
    b"!=": lambda left, right: left != right,
}
_TEXTS: Mapping[bytes, Callable[[bytes, bytes], bool]] = {
    b"eq": lambda left, right: left == right,
    b"lt": lambda left, right: left < right,
    b"le": lambda left, right: left <= right,
    b"gt": lambda left, right: left > right,
    b"ge": lambda left, right: left >= right,
    b"ne": lambda left, right: left != right,
    b"*": lambda left, right: masks.text_matches(right, left),
    b"!*": lambda left, right: not masks.text_matches(right, left),
    b"~": lambda left, right: _regexp_finds(right, left),
    b"!~": lambda left, right: not _regexp_finds(right, left),
}


def _compares(left: bytes, operator: bytes, right: bytes) -> bool:
    if operator in _NUMBERS:
        return _NUMBERS[operator](_number(left, "lhs"), _number(right, "rhs"))
    if operator not in _TEXTS:
        raise Unfilled(f"if: Unsupported comparator '{_shown(operator)}'")
    return _TEXTS[operator](left, right)


def _number(text: bytes, side: str) -> int:
    if _INTEGER.fullmatch(text) is None or not -(1 << 63) <= int(text) < 1 << 63:
        raise Unfilled(f"if: {_shown(text)} ({side}) is not a number")
    return int(text)


def _regexp_finds(pattern: bytes, text: bytes) -> bool:
    try:
        return compiled(pattern).search(text) is not None
    except InvalidExpression as error:
        raise Unfilled(f"if: regex failed: {error}") from None


def _shown(text: bytes) -> str:
    return text.decode(errors="replace")
