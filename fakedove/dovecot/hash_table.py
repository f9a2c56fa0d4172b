"""In which order Dovecot walks a hash table of strings, as the file dict does.

Releases from 2.4 on hash like this; before, the order is another one in each process.
"""

from __future__ import annotations

#: The smallest table, which suffices for some hundred keys.
_SIZE = 67
_HIGH_BITS = 0xF0000000


def bucket(key: bytes) -> int:
    """Return the place of `key`; keys in the same place keep their order."""
    value = 0
    for byte in key:
        value = (value << 4) + byte
        high = value & _HIGH_BITS
        value = (value ^ (high >> 24)) & ~_HIGH_BITS & 0xFFFFFFFF
    return value % _SIZE
