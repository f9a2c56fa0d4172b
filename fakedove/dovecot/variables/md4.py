"""MD4 (RFC 1320), which OpenSSL offers no more and Dovecot's variables still do."""

from __future__ import annotations

import struct
from typing import Final

_START: Final = (0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476)
_MASK: Final = 0xFFFFFFFF
#: By round: the constant, the order of the words, and the rotations.
_ROUNDS: Final = (
    (0, tuple(range(16)), (3, 7, 11, 19)),
    (0x5A827999, (0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15), (3, 5, 9, 13)),
    (0x6ED9EBA1, (0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15), (3, 9, 11, 15)),
)


def md4(data: bytes) -> bytes:
    """Return the digest, 16 bytes."""
    padded = data + b"\x80" + bytes(-(len(data) + 9) % 64) + struct.pack("<Q", len(data) * 8)
    state = _START
    for start in range(0, len(padded), 64):
        mixed = _mixed(state, struct.unpack_from("<16I", padded, start))
        a, b, c, d = ((old + new) & _MASK for old, new in zip(state, mixed, strict=True))
        state = a, b, c, d
    return struct.pack("<4I", *state)


def _mixed(state: tuple[int, int, int, int], words: tuple[int, ...]) -> tuple[int, int, int, int]:
    a, b, c, d = state
    for number, (constant, order, rotations) in enumerate(_ROUNDS):
        for step, place in enumerate(order):
            total = (a + _function(number, b, c, d) + words[place] + constant) & _MASK
            by = rotations[step % 4]
            rotated = (total << by | total >> (32 - by)) & _MASK
            a, b, c, d = d, rotated, b, c
    return a, b, c, d


def _function(number: int, x: int, y: int, z: int) -> int:
    if number == 0:
        return x & y | ~x & z
    if number == 1:
        return x & y | x & z | y & z
    return x ^ y ^ z
