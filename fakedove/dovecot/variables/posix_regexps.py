"""Regular expressions as the C library has them: extended ones of POSIX, of bytes.

What matches is the longest of the leftmost. Measured on 2.4.1 and 2.3.19.1, with glibc.
"""

from __future__ import annotations

import re
from functools import lru_cache

_CLASSES = {
    b"alpha": rb"A-Za-z",
    b"digit": rb"0-9",
    b"alnum": rb"A-Za-z0-9",
    b"upper": rb"A-Z",
    b"lower": rb"a-z",
    b"space": rb" \t\n\r\f\v",
    b"blank": rb" \t",
    b"punct": rb"!-/:-@\[-`{-~",
    b"print": rb" -~",
    b"graph": rb"!-~",
    b"cntrl": rb"\x00-\x1f\x7f",
    b"xdigit": rb"0-9A-Fa-f",
}
_ESCAPES = {
    **{b"<": rb"\b(?=\w)", b">": rb"\b(?<=\w)", b"`": rb"\A", b"'": rb"\Z"},
    **{letter: b"\\" + letter for letter in (b"b", b"B", b"w", b"W", b"s", b"S")},
}
#: Those that stand between characters: nothing can be repeated of them.
_ANCHORS = frozenset(b"^$")
_ANCHOR_ESCAPES = frozenset((b"<", b">", b"`", b"'", b"b", b"B"))
_MOST_REPEATED = 32767
_COUNT = re.compile(rb"([0-9]*)(,?)([0-9]*)\}")
#: Where it is told that there is no such count: behind one part, or two with a comma between.
_NO_COUNT = re.compile(rb"[^},]*(,[^},]*)?")
_TOKEN = re.compile(rb"\\.|[|()*+?{^$.\[]|.", re.DOTALL)
_RANGE = re.compile(rb"\[:([a-z]*):\]|\[[.=](.)[.=]\]|(.)", re.DOTALL)
_NO_PRECEDING = "Invalid preceding regular expression"
_OPEN_BRACKET = "Unmatched [, [^, [:, [., or [="


class InvalidExpression(Exception):
    """No regular expression, with the reason in the C library's words."""


class Expression:
    """A regular expression."""

    def __init__(self, pattern: bytes) -> None:
        """Compile `pattern`; raise InvalidExpression for a wrong one."""
        self._text = _Translator(pattern).text()
        self._compiled = re.compile(self._text, re.DOTALL)

    def search(self, value: bytes) -> re.Match[bytes] | None:
        """Return the longest of the leftmost matches in `value`, or None."""
        found = self._compiled.search(value)
        if found is None:
            return None
        for left in range(len(value) - found.end()):
            longer = re.compile(rb"(?:%b)(?=[\s\S]{%d}\Z)" % (self._text, left), re.DOTALL)
            if match := longer.match(value, found.start()):
                return match
        return found


@lru_cache(maxsize=64)
def compiled(pattern: bytes) -> Expression:
    """Return the expression of `pattern`; raises InvalidExpression."""
    return Expression(pattern)


class _Translator:
    """Says with Python's syntax what a pattern of POSIX says."""

    def __init__(self, pattern: bytes) -> None:
        self._pattern = pattern
        self._at = 0
        self._parts: list[bytes] = []
        #: Where in `_parts` what could be repeated begins; None: there is nothing.
        self._atom: int | None = None
        #: Where the groups that are open begin, and how many were closed.
        self._open: list[int] = []
        self._closed = 0

    def text(self) -> bytes:
        while self._at < len(self._pattern):
            if self._pattern[self._at :] == b"\\":
                raise InvalidExpression("Trailing backslash")
            found = _TOKEN.match(self._pattern, self._at)
            assert found is not None
            self._at = found.end()
            self._take(found[0])
        if self._open:
            raise InvalidExpression("Unmatched ( or \\(")
        return b"".join(self._parts)

    def _take(self, token: bytes) -> None:
        match token:
            case b"*" | b"+" | b"?" | b"{":
                self._repeat(token)
            case b"(":
                self._open.append(len(self._parts))
                self._put(b"(", repeats=False)
            case b")" if self._open:
                self._parts.append(b")")
                self._atom = self._open.pop()
                self._closed += 1
            case b"|":
                self._put(b"|", repeats=False)
            case b"[":
                self._put(self._bracket())
            case b"^" | b"$":
                self._put(rb"\A" if token == b"^" else rb"\Z", repeats=False)
            case b".":
                self._put(b".")
            case _ if token[:1] == b"\\":
                self._escape(token[1:])
            case _:
                self._put(re.escape(token))

    def _put(self, text: bytes, *, repeats: bool = True) -> None:
        self._atom = len(self._parts) if repeats else None
        self._parts.append(text)

    def _escape(self, letter: bytes) -> None:
        if letter in b"123456789":
            if int(letter) > self._closed:
                raise InvalidExpression("Invalid back reference")
            self._put(b"(?:\\" + letter + b")")
        else:
            escaped = _ESCAPES.get(letter, re.escape(letter))
            self._put(escaped, repeats=letter not in _ANCHOR_ESCAPES)

    def _repeat(self, token: bytes) -> None:
        if self._atom is None:
            raise InvalidExpression(_NO_PRECEDING)
        times = self._times() if token == b"{" else token
        atom = b"".join(self._parts[self._atom :])
        self._parts[self._atom :] = [b"(?:%b%b)" % (atom, times)]

    def _times(self) -> bytes:
        found = _COUNT.match(self._pattern, self._at)
        if found is None or not (found[1] or found[2]):
            end = _NO_COUNT.match(self._pattern, self._at)
            closed = end is not None and end.end() < len(self._pattern)
            raise InvalidExpression("Invalid content of \\{\\}" if closed else "Unmatched \\{")
        self._at = found.end()
        least = int(found[1] or 0)
        most = int(found[3]) if found[3] else least
        if most < least:
            raise InvalidExpression("Invalid content of \\{\\}")
        if max(least, most) > _MOST_REPEATED:
            raise InvalidExpression("Regular expression too big")
        return b"{%d%b%b}" % (least, found[2], found[3])

    def _bracket(self) -> bytes:
        negated = self._pattern[self._at : self._at + 1] == b"^"
        self._at += negated
        if self._at == len(self._pattern):
            raise InvalidExpression("Invalid regular expression")
        items: list[bytes] = []
        first = True
        while first or self._pattern[self._at : self._at + 1] != b"]":
            items.append(self._item())
            first = False
        self._at += 1
        return b"[%b%b]" % (b"^" if negated else b"", b"".join(items))

    def _item(self) -> bytes:
        name, start = self._element()
        if name is not None:
            return name
        if self._pattern[self._at : self._at + 1] != b"-" or self._pattern[
            self._at + 1 : self._at + 2
        ] in (b"]", b""):
            return re.escape(start)
        self._at += 1
        end_name, end = self._element()
        if end_name is not None or end < start:
            raise InvalidExpression("Invalid range end")
        return re.escape(start) + b"-" + re.escape(end)

    def _element(self) -> tuple[bytes | None, bytes]:
        """Return the ranges of a class, or one character."""
        found = _RANGE.match(self._pattern, self._at)
        if found is None:
            raise InvalidExpression(_OPEN_BRACKET)
        self._at = found.end()
        if found[1] is None:
            return None, found[2] or found[3]
        if found[1] not in _CLASSES:
            raise InvalidExpression("Invalid character class name")
        return _CLASSES[found[1]], b""
