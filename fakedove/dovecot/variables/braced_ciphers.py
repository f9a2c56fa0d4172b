"""`%{user | encrypt(key="secret")}` and `decrypt`; measured on 2.4.1.

A key is stretched with a salt; or with an `iv` it is the key itself, in hex digits.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fakedove.dovecot.variables.braced_arguments import read
from fakedove.dovecot.variables.braced_state import Function, State
from fakedove.dovecot.variables.braced_syntax import Argument, Step, UnknownVariable
from fakedove.wire.tabescape import c_string

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers import Cipher
    from cryptography.hazmat.primitives.ciphers.modes import CBC

_BLOCK = 16
#: Bytes of the key, by algorithm.
_KEYS = {b"aes-128-cbc": 16, b"aes-192-cbc": 24, b"aes-256-cbc": 32}
_SALT_CHARACTERS = (
    b"#&()*+-./0123456789:;<>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]^_`abcdefghijklmnopqrstuvwxyz{|}"
)
_SALT_SIZE = 8
_DAMAGED = "data authentication failed"


@dataclass(slots=True)
class _Settings:
    """How it is encrypted: by a key that is stretched with a salt, or one that comes with an iv."""

    key: bytes
    algorithm: bytes = b"AES-256-CBC"
    hash: bytes = b"sha256"
    rounds: int = 10_000
    salt: bytes | None = None
    iv: bytes | None = None
    raw: bool = False

    def key_and_iv(self) -> tuple[bytes, bytes]:
        """Return what the cipher takes; raises UnknownVariable."""
        if self.iv is None:
            return self._stretched(self.salt or b"")
        key, iv, size = _unhexed(self.key), _unhexed(self.iv), _key_size(self.algorithm)
        if len(iv) != _BLOCK:
            raise UnknownVariable(f"IV length invalid ({len(iv)} != {_BLOCK})")
        if len(key) != size:
            raise UnknownVariable(f"Key length invalid ({len(key)} != {size})")
        return key, iv

    def _stretched(self, salt: bytes) -> tuple[bytes, bytes]:
        size = _key_size(self.algorithm)
        digest = self.hash.decode(errors="replace")
        if digest not in hashlib.algorithms_available:
            raise UnknownVariable(f"Invalid digest {digest}")
        material = hashlib.pbkdf2_hmac(digest, self.key, salt, self.rounds, size + _BLOCK)
        return material[:size], material[size:]


def _encrypt(state: State, step: Step) -> None:
    settings, value = _settings(state, step)
    if settings.iv is None and settings.salt is None:
        settings.salt = bytes(state.random.choice(_SALT_CHARACTERS) for _ in range(_SALT_SIZE))
    key, iv = settings.key_and_iv()
    padding = _BLOCK - len(value) % _BLOCK
    cipher = _cipher(key, iv).encryptor()
    data = cipher.update(value + bytes([padding]) * padding) + cipher.finalize()
    if settings.raw:
        state.put_binary(data)
        return
    how = iv.hex().encode()
    if settings.salt is not None:
        how = b"s=%b,r=%d" % (settings.salt, settings.rounds)
    state.value = b"%b$%b$" % (how, data.hex().encode())


def _decrypt(state: State, step: Step) -> None:
    settings, value = _settings(state, step)
    data = value if settings.raw else _taken_apart(value, settings)
    key, iv = settings.key_and_iv()
    if not data or len(data) % _BLOCK:
        raise UnknownVariable(_DAMAGED)
    cipher = _cipher(key, iv).decryptor()
    plain = cipher.update(data) + cipher.finalize()
    padding = plain[-1]
    if not 1 <= padding <= _BLOCK or plain[-padding:] != plain[-1:] * padding:
        raise UnknownVariable(_DAMAGED)
    if b"\0" in plain[:-padding]:
        state.put_binary(plain[:-padding])
    else:
        state.put(plain[:-padding])


def _settings(state: State, step: Step) -> tuple[_Settings, bytes]:
    """Return what the arguments say, and the value."""

    def key(argument: Argument) -> bytes:
        if text := state.text(argument):
            return text
        raise UnknownVariable("Empty encryption key")

    def rounds(argument: Argument) -> int:
        if (number := state.number(argument)) >= 1:
            return number
        raise UnknownVariable("rounds must be positive integer")

    texts = dict.fromkeys(("algorithm", "hash", "iv", "salt"), state.text)
    _, named = read(step, keys={**texts, "key": key, "raw": state.bit, "rounds": rounds})
    if "iv" in named and "salt" in named:
        raise UnknownVariable("Cannot use both salt and iv")
    if "key" not in named:
        raise UnknownVariable("Encryption key missing")
    settings, value = _Settings(**named), state.given(step.name)
    if settings.raw and settings.iv is None and settings.salt is None:
        raise UnknownVariable("In raw format, salt or IV must be given")
    return settings, value


def _taken_apart(value: bytes, settings: _Settings) -> bytes:
    """Return the data of `HOW$DATA$`; how it was encrypted goes into the settings."""
    parts = c_string(value).split(b"$")
    if len(parts) != 3 or parts[2]:
        raise UnknownVariable("Invalid input format")
    how, digits, _ = parts
    if settings.iv is not None:
        raise UnknownVariable("Cannot have iv in parameter and input")
    if how[:1] in (b"s", b"r"):
        for part in how.split(b","):
            _take_setting(part, settings)
    else:
        settings.iv = how
    return _unhexed(digits)


def _take_setting(part: bytes, settings: _Settings) -> None:
    if part.startswith(b"s="):
        settings.salt = part[2:]
    elif part.startswith(b"r=") and part[2:].isdigit() and int(part[2:]) >= 1:
        settings.rounds = int(part[2:])
    else:
        raise UnknownVariable("Invalid input")


def _cipher(key: bytes, iv: bytes) -> Cipher[CBC]:
    # Nearly nobody encrypts, and the import takes longer than all other commands.
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    return Cipher(algorithms.AES(key), modes.CBC(iv))


def _key_size(algorithm: bytes) -> int:
    size = _KEYS.get(algorithm.lower())
    if size is None:
        raise UnknownVariable(f"Invalid cipher {algorithm.decode(errors='replace')}")
    return size


def _unhexed(digits: bytes) -> bytes:
    """Return the bytes that hex digits mean, up to what are none."""
    try:
        return bytes.fromhex(digits.decode())
    except ValueError:
        return b""


CIPHERS: Mapping[str, Function] = {"encrypt": _encrypt, "decrypt": _decrypt}
