"""Strings as IMAP writes them: quoted where that is possible, else as literals."""

from __future__ import annotations

import re

#: With more quotes and backslashes than this a literal is shorter.
_MOST_ESCAPES = 4
_SPECIAL = re.compile(rb'["\\]')
_FOLD = re.compile(rb"[\r\n](?=([ \t\r\n]|\Z)?)")
_WHITE = re.compile(rb"[ \t\r\n]+")


def string(value: bytes) -> bytes:
    """Return `value` as a quoted string or a literal."""
    escapes = len(_SPECIAL.findall(value))
    if escapes > _MOST_ESCAPES or not value.isascii() or b"\r" in value or b"\n" in value:
        return literal(value)
    return b'"%b"' % (_SPECIAL.sub(rb"\\\g<0>", value) if escapes else value)


def nstring(value: bytes | None) -> bytes:
    """Return `value` as a string, None as NIL."""
    return b"NIL" if value is None else string(value)


def nstring_unfolded(value: bytes | None) -> bytes:
    """Return `value` as a string without line ends; those before text become a space."""
    if value is None:
        return b"NIL"
    return string(_FOLD.sub(lambda match: b"" if match[1] is not None else b" ", value))


def for_humans(value: bytes) -> bytes:
    """Return text with its white space made single spaces."""
    text = _WHITE.sub(b" ", value).strip(b" ")
    if text == value and value.isascii() and _SPECIAL.search(value) is None:
        return b'"%b"' % value
    return literal(text) if text else b'""'


def literal(value: bytes) -> bytes:
    """Return `value` as a literal."""
    return b"{%d}\r\n%b" % (len(value), value)
