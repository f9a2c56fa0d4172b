"""The one thing that Python's `ssl` hides of a ClientHello: which protocols it offers.

Dovecot 2.4 fails the handshake if a client offers application protocols (ALPN) and none is
its own. `ssl` can choose but not refuse, so the list is read here from the client's first
bytes (RFC 8446 section 4.1.2, RFC 7301 section 3.1). OpenSSL has accepted those bytes before.
"""

from __future__ import annotations

from typing import Final

_HANDSHAKE_RECORD: Final = 22
_CLIENT_HELLO: Final = 1
_ALPN_EXTENSION: Final = 16


class _Bytes:
    """A reader of length-prefixed fields; what is missing reads as empty."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def __bool__(self) -> bool:
        return self._at < len(self._data)

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "big")

    def take(self, size: int) -> bytes:
        self._at += size
        return self._data[self._at - size : self._at]

    def field(self, length_size: int) -> bytes:
        return self.take(self.number(length_size))


def offered_alpn(data: bytes) -> tuple[bytes, ...] | None:
    """Return the ALPN names in a client's first bytes, None if it offers none."""
    hello = _Bytes(_handshake_bytes(data))
    if hello.number(1) != _CLIENT_HELLO:
        return None
    body = _Bytes(hello.field(3))
    body.take(2 + 32)  # legacy version, random
    body.field(1)  # session id
    body.field(2)  # cipher suites
    body.field(1)  # compression methods
    extensions = _Bytes(body.field(2))
    while extensions:
        kind, value = extensions.number(2), extensions.field(2)
        if kind == _ALPN_EXTENSION:
            return _names(_Bytes(value).field(2))
    return None


def _handshake_bytes(data: bytes) -> bytes:
    """Join what the handshake records at the start of `data` hold."""
    records, joined = _Bytes(data), b""
    while records and records.number(1) == _HANDSHAKE_RECORD:
        records.take(2)
        joined += records.field(2)
    return joined


def _names(value: bytes) -> tuple[bytes, ...]:
    names = _Bytes(value)
    found: list[bytes] = []
    while names:
        found.append(names.field(1))
    return tuple(found)
