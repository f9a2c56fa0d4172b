"""Functions of `%{user | sha256}` that hash, encode and decode; measured on 2.4.1."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Callable, Mapping

from fakedove.dovecot.variables.braced_state import ExpansionCrash, State, check
from fakedove.dovecot.variables.braced_syntax import Step, UnknownVariable
from fakedove.dovecot.variables.md4 import md4

_HASHES = ("md5", "sha1", "sha256", "sha384", "sha512")
_ALGORITHMS = {**{name: name for name in _HASHES}, "sha3-256": "sha3_256", "sha3-512": "sha3_512"}
_MD4 = "md4"
#: Bytes that a process can take for a text.
_MOST_WIDTH = 1 << 26


def _hash(state: State, step: Step) -> None:
    arguments = step.positional
    name = step.name
    if name == "hash":
        if not arguments and not step.named:
            raise UnknownVariable("Missing parameters")
        named = check(step, 1, "rounds", "salt")
        if not arguments:
            raise UnknownVariable("No algorithm as first parameter")
        name = state.text(arguments[0]).decode(errors="replace")
        if name not in (*_ALGORITHMS, _MD4):
            raise UnknownVariable(f"Unsupported algorithm '{name}'")
    else:
        named = check(step, 0, "rounds", "salt")
    rounds = state.number(named.get("rounds", 1))
    salt = state.text(named.get("salt", ""))
    value = state.given(step.name)
    for _ in range(max(rounds, 0)):
        value = _digest(name, salt + value)
    state.value, state.binary = value, True


def _digest(name: str, data: bytes) -> bytes:
    if name == _MD4:
        return md4(data)
    return hashlib.new(_ALGORITHMS[name], data, usedforsecurity=False).digest()


def _truncate(state: State, step: Step) -> None:
    if not step.positional and not step.named:
        raise UnknownVariable("Missing parameters")
    named = check(step, 1, "bits")
    value = state.given("truncate")
    bits = state.number(step.positional[0]) * 8 if step.positional else 0
    bits = state.number(named["bits"]) if "bits" in named else bits
    if bits < 0:
        raise UnknownVariable("Value of out of bounds")
    size = min((bits + 7) // 8, len(value))
    shift = max(size * 8 - bits, 0)
    state.value = (int.from_bytes(value[:size], "big") >> shift).to_bytes(size, "big")


def _width(state: State, step: Step) -> int:
    width = state.number(step.positional[0]) if step.positional else 0
    check(step, 1)
    if abs(width) > _MOST_WIDTH:
        raise ExpansionCrash("out of memory")
    return width


def _hex(state: State, step: Step) -> None:
    width = _width(state, step)
    value = state.given("hex")
    if not re.fullmatch(rb"[0-9]{1,20}", value) or int(value) >= 1 << 64:
        raise UnknownVariable("Input is not a number")
    digits = b"%x" % int(value)
    if width > 0:
        digits = digits.rjust(width, b"0")[-width:]
    elif width < 0:
        digits = digits.ljust(-width, b"0")[:-width]
    state.value = digits


def _unhex(state: State, step: Step) -> None:
    check(step, 0)
    value = state.given("unhex")
    if not re.fullmatch(rb"0*[0-9A-Fa-f]{1,16}", value):
        raise UnknownVariable("Input is not a hex number")
    state.value = b"%d" % int(value, 16)


def _hexlify(state: State, step: Step) -> None:
    width = _width(state, step)
    if width < 0:
        raise UnknownVariable("Width must be positive")
    digits = state.given("hexlify").hex().encode()
    state.value = digits.rjust(width, b"0")[:width] if width else digits
    state.binary = False


def _unhexlify(state: State, step: Step) -> None:
    check(step, 0)
    try:
        state.value = binascii.unhexlify(state.given("unhexlify"))
    except binascii.Error:
        raise UnknownVariable("Not a hex value") from None
    state.binary = True


def _base64(state: State, step: Step) -> None:
    named = check(step, 0, "pad", "url")
    pad, url = state.number(named.get("pad", 1)), state.number(named.get("url", 0))
    value = state.given("base64")
    encoded = base64.urlsafe_b64encode(value) if url else base64.b64encode(value)
    state.value, state.binary = encoded if pad else encoded.rstrip(b"="), False


def _unbase64(state: State, step: Step) -> None:
    named = check(step, 0, "pad", "url")
    url = state.number(named.get("url", 0))
    value = state.given("unbase64").rstrip(b"=")
    try:
        altchars = b"-_" if url else b"+/"
        padded = value + b"=" * (-len(value) % 4)
        state.value = base64.b64decode(padded, altchars, validate=True)
    except binascii.Error:
        state.value = b""
    state.binary = True


def _refused_cipher(state: State, step: Step) -> None:
    """Say what is wrong with the arguments of a cipher; there is none here."""
    named = check(step, 0, "algorithm", "hash", "iv", "key", "raw", "rounds", "salt")
    state.given(step.name)
    if "key" not in named:
        raise UnknownVariable("Encryption key missing")
    state.text(named["key"])
    raise UnknownVariable("Invalid input format")


ENCODINGS: Mapping[str, Callable[[State, Step], None]] = {
    **dict.fromkeys(("hash", *_HASHES), _hash),
    **dict.fromkeys(("encrypt", "decrypt"), _refused_cipher),
    "truncate": _truncate,
    "hex": _hex,
    "unhex": _unhex,
    "hexlify": _hexlify,
    "unhexlify": _unhexlify,
    "base64": _base64,
    "unbase64": _unbase64,
}
