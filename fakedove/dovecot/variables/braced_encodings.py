"""Functions of `%{user | sha256}` that hash, encode and decode; measured on 2.4.1."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Mapping
from typing import Any

from fakedove.dovecot.variables.braced_arguments import Reader, first, read, required
from fakedove.dovecot.variables.braced_state import ExpansionCrash, Function, State
from fakedove.dovecot.variables.braced_syntax import Argument, Step, UnknownVariable
from fakedove.dovecot.variables.md4 import md4

_HASHES = ("md5", "sha1", "sha256", "sha384", "sha512")
_ALGORITHMS = {**{name: name for name in _HASHES}, "sha3-256": "sha3_256", "sha3-512": "sha3_512"}
_MD4 = "md4"
#: No hash, but the number of bytes.
_SIZE = "size"
_ALPHABET, _URL_ALPHABET = re.compile(rb"[A-Za-z0-9+/\s]*"), re.compile(rb"[A-Za-z0-9_\s-]*")
#: Bytes that a process can take for a text.
_MOST_WIDTH = 1 << 26


def _hash(state: State, step: Step) -> None:
    required(step)
    if step.arguments[0][0] is not None:
        raise UnknownVariable("No algorithm as first parameter")
    name = first(step, state.text).decode(errors="replace")
    if name not in (*_ALGORITHMS, _MD4, _SIZE):
        raise UnknownVariable(f"Unsupported algorithm '{name}'")
    _, named = read(step, lambda _: None, keys=_of_hash(state))
    _put_digest(state, step, name, named)


def _hash_by_name(state: State, step: Step) -> None:
    _, named = read(step, keys=_of_hash(state))
    _put_digest(state, step, step.name, named)


def _of_hash(state: State) -> Mapping[str, Reader]:
    return {"rounds": state.number, "salt": state.text}


def _put_digest(state: State, step: Step, name: str, named: Mapping[str, Any]) -> None:
    value = state.given(step.name)
    for _ in range(named.get("rounds", 1)):
        value = _digest(name, named.get("salt", b"") + value)
    state.put_binary(value)


def _digest(name: str, data: bytes) -> bytes:
    if name == _MD4:
        return md4(data)
    if name == _SIZE:
        return len(data).to_bytes(8, "big")
    return hashlib.new(_ALGORITHMS[name], data, usedforsecurity=False).digest()


def _truncate(state: State, step: Step) -> None:
    required(step)

    def size(argument: Argument) -> int:
        if (number := state.number(argument)) >= 0:
            return number
        raise UnknownVariable("Value of out of bounds")

    _, named = read(step, size, keys={"bits": size})
    # The last one counts, and is in bits if any is.
    amount = size(step.arguments[-1][1])
    value = state.given("truncate")
    bits = amount if named else amount * 8
    if not named and amount > len(value) + 1:
        raise ExpansionCrash("there is not so much memory behind the value", panics=True)
    kept = min((bits + 7) // 8, len(value))
    shift = max(kept * 8 - bits, 0)
    state.value = (int.from_bytes(value[:kept], "big") >> shift).to_bytes(kept, "big")


def _hex(state: State, step: Step) -> None:
    widths, _ = read(step, state.number)
    width = _width(widths[0]) if widths else 0
    value = state.string("hex")
    if not re.fullmatch(rb"[0-9]{1,20}", value) or int(value) >= 1 << 64:
        raise UnknownVariable("Input is not a number")
    digits = b"%x" % int(value)
    if width > 0:
        digits = digits.rjust(width, b"0")[-width:]
    elif width < 0:
        digits = digits.ljust(-width, b"0")[:-width]
    state.value = digits


def _width(width: int) -> int:
    if abs(width) > _MOST_WIDTH:
        raise ExpansionCrash("out of memory")
    return width


def _unhex(state: State, step: Step) -> None:
    read(step)
    value = state.string("unhex")
    if not re.fullmatch(rb"0*[0-9A-Fa-f]{1,16}", value):
        raise UnknownVariable("Input is not a hex number")
    state.put(b"%d" % int(value, 16))


def _hexlify(state: State, step: Step) -> None:
    width = _width(first(step, state.number)) if step.arguments else 0
    if width < 0:
        raise UnknownVariable("Width must be positive")
    digits = state.given("hexlify").hex().encode()
    state.put(digits.rjust(width, b"0")[:width] if width else digits)


def _unhexlify(state: State, step: Step) -> None:
    read(step)
    try:
        value = binascii.unhexlify(state.given("unhexlify"))
    except binascii.Error:
        raise UnknownVariable("Not a hex value") from None
    state.put_binary(value)


def _base64(state: State, step: Step) -> None:
    _, named = read(step, keys={"pad": state.bit, "url": state.bit})
    value = state.given("base64")
    encoded = base64.urlsafe_b64encode(value) if named.get("url") else base64.b64encode(value)
    state.put(encoded if named.get("pad", True) else encoded.rstrip(b"="))


def _unbase64(state: State, step: Step) -> None:
    def bit(name: str) -> Reader:
        def read_bit(argument: Argument) -> bool:
            if (number := state.number(argument)) in (0, 1):
                return number == 1
            raise UnknownVariable(f"Supported values for {name} are 0 or 1")

        return read_bit

    _, named = read(step, keys={"pad": bit("pad"), "url": bit("url")})
    alphabet = _URL_ALPHABET if named.get("url") else _ALPHABET
    state.put_binary(_decoded(state.given("unbase64"), alphabet))


def _decoded(value: bytes, alphabet: re.Pattern[bytes]) -> bytes:
    """Return what is decoded before the first character that is none of base64."""
    found = alphabet.match(value)
    digits = re.sub(rb"\s", b"", found[0] if found else b"").replace(b"-", b"+").replace(b"_", b"/")
    digits = digits[: len(digits) - (len(digits) % 4 == 1)]
    return base64.b64decode(digits + b"=" * (-len(digits) % 4))


ENCODINGS: Mapping[str, Function] = {
    "hash": _hash,
    **dict.fromkeys(_HASHES, _hash_by_name),
    "truncate": _truncate,
    "hex": _hex,
    "unhex": _unhex,
    "hexlify": _hexlify,
    "unhexlify": _unhexlify,
    "base64": _base64,
    "unbase64": _unbase64,
}
