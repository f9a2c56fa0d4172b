"""Dovecot's tab-escaped fields: TAB separates, \\001 escapes.

`\\0010` NUL, `\\0011` \\001, `\\001t` TAB, `\\001n` LF, `\\001r` CR; any other escaped character
stands for itself and a lone \\001 at the end is dropped (lib/strescape.c; recordings
cmd.escape-*).
"""

from __future__ import annotations

import re

#: \001 comes first, since the others bring it in.
_ESCAPES = {
    b"\x01": b"\x011",
    b"\x00": b"\x010",
    b"\t": b"\x01t",
    b"\n": b"\x01n",
    b"\r": b"\x01r",
}
_UNESCAPES = {escaped[1:]: raw for raw, escaped in _ESCAPES.items()}
_WITHOUT_NUL = {escaped: raw for escaped, raw in _UNESCAPES.items() if raw != b"\x00"}
_SPECIALS = b"\x00\x01\t\n\r"
_SPECIAL = re.compile(b"[%b]" % _SPECIALS)
_ESCAPED = re.compile(rb"\x01(.?)", re.DOTALL)


def escape(value: bytes) -> bytes:
    """Return `value` so that it can stand in one field of one line."""
    if _SPECIAL.search(value) is None:
        return value
    # For a mail with its many line ends this is far cheaper than a call for each.
    for raw, escaped in _ESCAPES.items():
        value = value.replace(raw, escaped)
    return value


def unescape(value: bytes) -> bytes:
    """Return what `escape` was given, for any input: no escape sequence is an error."""
    if b"\x01" not in value:
        return value
    return _ESCAPED.sub(lambda match: _UNESCAPES.get(match[1], match[1]), value)


def unescape_without_nul(value: bytes) -> bytes:
    """Return what releases make of `value` that know no escape for NUL: `\\0010` is `0`."""
    if b"\x01" not in value:
        return value
    return _ESCAPED.sub(lambda match: _WITHOUT_NUL.get(match[1], match[1]), value)


def join(values: tuple[bytes, ...]) -> bytes:
    """Return the values escaped, each followed by a TAB: one row as Dovecot prints it."""
    row = b"\t".join(values)
    # One look at the whole row: are the TABs between the values all that is special in it?
    if len(row) - len(row.translate(None, _SPECIALS)) == len(values) - 1:
        return row + b"\t"
    return b"".join([escape(value) + b"\t" for value in values])


def c_string(value: bytes) -> bytes:
    """Return `value` up to its first NUL: what C code sees of it."""
    end = value.find(b"\x00")
    return value if end < 0 else value[:end]
