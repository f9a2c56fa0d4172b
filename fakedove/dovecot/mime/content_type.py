"""Content-Type headers: what Dovecot takes for the type, and the parameters behind it."""

from __future__ import annotations

import re

import msgspec

from fakedove.dovecot.mime.lexical import TOKEN, gap_at, read
from fakedove.dovecot.mime.parameters import Parameters, parse_parameters

_SLASH, _END = re.compile(rb"/"), re.compile(rb"(?=;)|\Z")


class ContentType(msgspec.Struct, frozen=True, gc=False):
    """A parsed Content-Type."""

    #: `type/subtype`; empty if it is broken, just the type if there is nothing else.
    name: bytes
    #: Whether there are a type and a subtype.
    complete: bool
    _value: bytes
    #: Where the parameters begin, or what is broken.
    _end: int

    def parameters(self, *, decoded: bool) -> Parameters:
        """Return all parameters; `decoded` as `parse_parameters` has it."""
        return parse_parameters(self._value, self._end, decoded=decoded)

    def parameter(self, name: bytes, *, decoded: bool) -> bytes | None:
        """Return the first parameter called `name`, which is in lower case."""
        values = (value for key, value in self.parameters(decoded=decoded) if key.lower() == name)
        return next(values, None)


def parse_content_type(value: bytes) -> ContentType:
    """Return what a Content-Type header says."""
    pieces = read(value, gap_at(value, 0).end, TOKEN, _SLASH, TOKEN, _END)
    if pieces.complete:
        name = b"".join(pieces.texts)
    elif len(pieces.texts) == 1 and pieces.end == len(value):
        name = pieces.texts[0]
    else:
        name = b""
    return ContentType(name, pieces.complete, value, pieces.end)
