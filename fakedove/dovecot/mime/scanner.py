"""Structured header values: atoms, quoted strings, comments and parameters, one after another.

A `Scanner` walks over a value. Each `read_...` adds what it finds to `out`, skips the white
space and comments behind it, and says whether more follows, the value ends here, or the
syntax is broken (RFC 5322 section 3.2, RFC 2045 section 5.1, as Dovecot reads them).
"""

from __future__ import annotations

import enum
import re


class Found(enum.IntEnum):
    """What a scan came to."""

    BROKEN = -1
    END = 0
    MORE = 1


_WHITE = b" \t\r\n"
_ALNUM_AND_8BIT = frozenset(
    [*b"0123456789", *range(ord("A"), ord("Z") + 1), *range(ord("a"), ord("z") + 1)]
) | frozenset(range(128, 256))
ATEXT = _ALNUM_AND_8BIT | frozenset(b"!#$%&'*+-/=?^_`{|}~")
_TOKEN = (ATEXT - frozenset(b"/?=")) | frozenset(b".")
_ATEXT_OR_DOT = ATEXT | frozenset(b".")

_NUL = b"\x00"
#: What a NUL becomes where it cannot stay.
REPLACEMENT = "\ufffd".encode()


class Scanner:
    """A place in a header value."""

    __slots__ = ("comment", "data", "position", "replaces_nul")

    def __init__(self, data: bytes, *, replaces_nul: bool = False) -> None:
        self.data = data
        self.position = 0
        #: The text of the last comment that was skipped.
        self.comment = b""
        self.replaces_nul = replaces_nul

    @property
    def at_end(self) -> bool:
        """Whether nothing is left."""
        return self.position >= len(self.data)

    def at(self, characters: bytes) -> bool:
        """Whether the next character is one of these; at the end none is."""
        return not self.at_end and self.data[self.position] in characters

    def take(self, character: bytes) -> bool:
        """Skip the next character if it is this one."""
        if not self.at(character):
            return False
        self.position += 1
        return True

    def skip_white(self) -> Found:
        """Skip white space and comments."""
        while not self.at_end:
            if self.at(_WHITE):
                self.position += 1
            elif not self.at(b"("):
                return Found.MORE
            elif self._skip_comment() is Found.BROKEN:
                return Found.BROKEN
        return Found.END

    def read_atom(self, out: bytearray) -> Found:
        """Read an atom of at least one character."""
        if self.at_end or self.data[self.position] not in ATEXT:
            return Found.BROKEN
        return self._read_run(ATEXT, out)

    def read_token(self, out: bytearray) -> Found:
        """Read a MIME token, which may be empty."""
        return self._read_run(_TOKEN, out)

    def read_dot_atom(self, out: bytearray) -> Found:
        """Read atoms with dots between them."""
        if self.at_end or self.data[self.position] not in ATEXT:
            return Found.BROKEN
        while True:
            found = self.read_atom(out)
            if found is not Found.MORE or not self.take(b"."):
                return found
            out += b"."
            if self.skip_white() is not Found.MORE:
                return Found.BROKEN

    def read_loose_dot_atom(self, out: bytearray) -> Found:
        """Read atoms and dots in any order, up to an `@`."""
        found = Found.BROKEN
        while True:
            while self.take(b"."):
                out += b"."
                if self.at_end:
                    return Found.END
                found = Found.MORE
            if self.at(b"@"):
                return found
            found = self.read_atom(out)
            if found is not Found.MORE or not self.at(b"."):
                return found

    def read_quoted(self, out: bytearray) -> Found:
        """Read a quoted string; the scanner stands at its quote."""
        self.position += 1
        if not self._read_until(b'"', out):
            return Found.BROKEN
        return self.skip_white()

    def read_phrase(self, out: bytearray) -> Found:
        """Read words with one space between them."""
        if self.at_end:
            return Found.END
        if self.at(b"."):
            return Found.BROKEN
        while True:
            found = self.read_quoted(out) if self.at(b'"') else self._read_run(_ATEXT_OR_DOT, out)
            if found is not Found.MORE:
                return found
            if self.data[self.position] not in _ATEXT_OR_DOT and not self.at(b'"'):
                return self.skip_white()
            out += b" "

    def read_domain(self, out: bytearray) -> Found:
        """Read a domain or a domain literal; the scanner stands at the `@` before it."""
        self.position += 1
        if self.skip_white() is not Found.MORE:
            return Found.BROKEN
        if self.at(b"["):
            return self._read_domain_literal(out)
        return self.read_dot_atom(out)

    def read_content_type(self, out: bytearray) -> Found:
        """Read `type/subtype`; a broken one leaves nothing, or the type if that is all."""
        if self.skip_white() is not Found.MORE or self.read_token(out) is not Found.MORE:
            return Found.BROKEN
        found = self._read_subtype(out) if out else Found.BROKEN
        if found is Found.BROKEN:
            out.clear()
        return found

    def read_parameter(self) -> tuple[Found, bytes, bytes]:
        """Read `; name=value`; at the end of the parameters the first is END."""
        if self.at_end:
            return Found.END, b"", b""
        broken = Found.BROKEN, b"", b""
        name = bytearray()
        if not self.take(b";") or self.skip_white() is not Found.MORE:
            return broken
        if self.read_token(name) is not Found.MORE or not self.take(b"="):
            return broken
        value = bytearray()
        found = self.skip_white()
        if found is Found.MORE:
            found = self._read_parameter_value(value)
        if found is Found.BROKEN:
            return broken
        return Found.MORE, bytes(name), bytes(value)

    def _read_parameter_value(self, out: bytearray) -> Found:
        if self.at(b'"'):
            return self.read_quoted(out)
        if self.at(b"="):
            # An encoded word where it must not be: `name==?utf-8?b?...?=`.
            while not self.at_end and not self.at(b"; \t\r\n"):
                out.append(self.data[self.position])
                self.position += 1
            return Found.MORE
        return self.read_token(out)

    def _read_subtype(self, out: bytearray) -> Found:
        if not self.take(b"/") or self.skip_white() is not Found.MORE:
            return Found.BROKEN
        out += b"/"
        before = len(out)
        found = self.read_token(out)
        if found is Found.BROKEN or len(out) == before:
            return Found.BROKEN
        return found if self.at_end or self.at(b";") else Found.BROKEN

    def _read_run(self, allowed: frozenset[int], out: bytearray) -> Found:
        start = end = self.position
        while end < len(self.data) and self.data[end] in allowed:
            end += 1
        out += self.data[start:end]
        self.position = end
        return Found.END if end == len(self.data) else self.skip_white()

    def _skip_comment(self) -> Found:
        self.position += 1
        text = bytearray()
        ended = self._read_until(b")", text, nests=True)
        self.comment = bytes(text)
        if not ended:
            return Found.BROKEN
        return Found.END if self.at_end else Found.MORE

    def _read_until(self, end: bytes, out: bytearray, *, nests: bool = False) -> bool:
        """Read up to and with `end`; whether it was there.

        Without it, `out` gets what stands before the last fold, NUL or escape.
        """
        level = 1
        run = bytearray()
        while not self.at_end:
            character = self._next()
            if character == end:
                level -= 1
                if not level:
                    out += run
                    return True
            elif nests and character == b"(":
                level += 1
            elif character == b"\n":
                # Folding goes away.
                out += run.removesuffix(b"\r")
                run.clear()
                continue
            elif character == _NUL and self.replaces_nul:
                out += run + REPLACEMENT
                run.clear()
                continue
            elif character == b"\\":
                if self.at_end:
                    return False
                if not self.at(b"\r\n\x00"):
                    out += run
                    run.clear()
                    character = self._next()
            run += character
        return False

    def _next(self) -> bytes:
        self.position += 1
        return self.data[self.position - 1 : self.position]

    def _read_domain_literal(self, out: bytearray) -> Found:
        match = _DOMAIN_LITERAL.match(self.data, self.position)
        if match is None:
            return Found.BROKEN
        text = match[0].replace(b"\r\n", b"").replace(b"\n", b"")
        out += text.replace(_NUL, REPLACEMENT) if self.replaces_nul else text
        self.position = match.end()
        return self.skip_white()


#: In brackets; a backslash stays.
_DOMAIN_LITERAL = re.compile(rb"\[(?:[^\[\]\\]|\\(?:[^\r\n\x00]|(?=[\r\n\x00])))*\]", re.DOTALL)
