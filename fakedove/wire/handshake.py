"""The lines of the handshake: VERSION, PLAIN, and how either can be wrong."""

from __future__ import annotations

import binascii
import enum
import re

from fakedove.errors import ProtocolError
from fakedove.wire import tabescape
from fakedove.wire.dialect import Dialect


class Fault(enum.Enum):
    """How a peer broke the protocol."""

    INCOMPATIBLE = "the VERSION line is not one of this protocol"
    LINE_TOO_LONG = "a line exceeds the limit"
    EOF = "the connection ended in the handshake"
    BAD_HANDSHAKE = "a line that has no place in the handshake"
    AUTH_REFUSED = "the server refused the password"
    STARTTLS_UNSUPPORTED = "the server does not offer STARTTLS"
    BAD_REPLY = "a reply is not fields, each followed by a TAB, then LF and a status line"
    NON_PLAIN = "authentication is not PLAIN"
    INVALID_BASE64 = "PLAIN data is not base64"
    NOT_DOVEADM = "the PLAIN user is not doveadm"


_DIGITS = re.compile(rb"[0-9]+")
_MAX_NUMBER = 2**32 - 1
_MOST_DIGITS = 10
_BASE64 = re.compile(rb"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")
_SPACE = re.compile(rb"[ \t\r\n\v\f]+")


def parse_version(line: bytes, service: bytes, dialect: Dialect) -> int:
    """Return the minor of a VERSION line of `service`, major 1; raise ProtocolError."""
    fields = line.split(b"\t")
    if len(fields) < 3 or fields[:2] != [b"VERSION", service] or not _is_major_1(fields[2]):
        raise ProtocolError(Fault.INCOMPATIBLE)
    if not dialect.strict_version:
        return 0
    minor = _number(fields[3]) if len(fields) == 4 else None
    if minor is None:
        raise ProtocolError(Fault.INCOMPATIBLE)
    return minor


def _is_major_1(field: bytes) -> bool:
    return _number(field) == 1


def _number(field: bytes) -> int | None:
    """Return a number of 32 bits; it may have any number of leading zeros."""
    if _DIGITS.fullmatch(field) is None:
        return None
    # int() refuses thousands of digits.
    digits = field.lstrip(b"0")
    if len(digits) > _MOST_DIGITS or int(digits or b"0") > _MAX_NUMBER:
        return None
    return int(digits or b"0")


def plain_password(line: bytes, dialect: Dialect) -> bytes:
    """Return the password of a `PLAIN` line; raise ProtocolError with the fault.

    The checks come in Dovecot's order; a NUL in the password ends it (recordings auth.*).
    """
    if not line.startswith(b"PLAIN\t"):
        raise ProtocolError(Fault.NON_PLAIN)
    data = _SPACE.sub(b"", line[6:])
    if dialect.lenient_base64:
        data = data.rstrip(b"=")
        if len(data) % 4 == 1:
            data = data[:-1]
        data += b"=" * (-len(data) % 4)
    # a2b_base64 takes surplus `=` behind whole groups, in its strict mode too.
    if _BASE64.fullmatch(data) is None:
        raise ProtocolError(Fault.INVALID_BASE64)
    plain = binascii.a2b_base64(data)
    if len(plain) < 10 or not plain.startswith(b"\0doveadm\0"):
        raise ProtocolError(Fault.NOT_DOVEADM)
    return tabescape.c_string(plain[9:])
