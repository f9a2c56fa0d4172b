"""A header's lines: each field with its value in the forms that Dovecot hands out.

A line without a colon is a field without a name; a line that begins with white space goes on
with the field before it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

_LWSP = b" \t"
_LF = 0x0A


class Field(msgspec.Struct, frozen=True, gc=False):
    """One field of a header; the bytes are those between two line ends."""

    #: Without the white space before the colon; b"" for a line without one.
    name: bytes
    #: The whole field, with its line end if it has one.
    line: bytes
    #: What stands behind the colon, white space and folding included, without the line end.
    raw: bytes

    @property
    def value(self) -> bytes:
        """The value for structures: without the white space it begins with."""
        first, newline, rest = self.raw.partition(b"\n")
        stripped = first.lstrip(_LWSP)
        return (stripped or first[1:]) + newline + rest

    @property
    def one_line(self) -> bytes:
        """The value on one line: each fold is what followed it, a TAB as a space."""
        first, *rest = self.raw.split(b"\n")
        value = first[1:] if first[:1] in (b" ", b"\t") else first
        return value + b"".join(b" " + line[1:] if line[:1] == b"\t" else line for line in rest)


def header_fields(header: bytes) -> Iterator[Field]:
    """Yield the fields of `header`, which may end with an empty line or not."""
    for match in _FIELD.finditer(header):
        line = match[0].replace(b"\r\n", b"\n")
        if not line or line[0] == _LF:
            return
        yield _field(line)


#: A line and those that go on with it.
_FIELD = re.compile(rb"[^\n]*(?:\n[ \t][^\n]*)*(?:\n|\Z)")


def _field(line: bytes) -> Field:
    text = line.removesuffix(b"\n").removesuffix(b"\r")
    first_end = text.find(b"\n")
    colon = text.find(b":", 0, len(text) if first_end < 0 else first_end)
    name = text[:colon].rstrip(_LWSP)
    if colon < 0 or len(name) > _LONGEST_NAME:
        return Field(b"", line, text)
    return Field(name, line, text[colon + 1 :])


#: A longer name is taken for a line without one.
_LONGEST_NAME = 1000


def values(header: bytes, name: bytes) -> list[bytes]:
    """Return the values of all fields of this name, folding kept."""
    lower = name.lower()
    return [
        field.raw.lstrip(_LWSP) for field in header_fields(header) if field.name.lower() == lower
    ]


def unfold(value: bytes) -> bytes:
    """Return a value on one line: a fold and the white space character behind it are a space."""
    return re.sub(rb"\n.?", b" ", value)


def without_nul(value: bytes) -> bytes:
    """Return the value with U+FFFD for each NUL."""
    return value.replace(b"\0", "\ufffd".encode())
