"""The smallest pieces of structured header values (RFC 5322 section 3.2, RFC 2045 section 5.1).

What stands between two pieces is a gap: white space and comments, or nothing. A comment or a
quoted string that does not end takes all that follows with it.
"""

from __future__ import annotations

import re

import msgspec

#: The characters of an atom, to stand in a character class; 8-bit ones count as letters.
ATEXT = rb"A-Za-z0-9\x80-\xff!#$%&'*+/=?^_`{|}~-"
ATOM = re.compile(rb"[%b]++" % ATEXT)
TOKEN = re.compile(rb"[A-Za-z0-9\x80-\xff!#$%&'*+.^_`{|}~-]++")
#: Where Dovecot takes nothing for a token too.
TOKEN_OR_NOTHING = re.compile(rb"(?:%b)?+" % TOKEN.pattern)
QUOTED = re.compile(rb'"(?:[^"\\]++|\\.)*+"', re.DOTALL)

_WHITE = re.compile(rb"[ \t\r\n]*+")
_PARENTHESIS = re.compile(rb"\\.|[()]", re.DOTALL)
#: What goes away or changes within quotation marks and parentheses; a NUL cannot be escaped.
_CHANGES = re.compile(rb"\r?\n|\x00|\\([^\r\n\x00])")
#: What a NUL becomes where it cannot stay.
REPLACEMENT = "\ufffd".encode()


class Gap(msgspec.Struct, frozen=True, gc=False):
    """A gap: where it ends, and what stands in its last comment, None without one."""

    end: int
    comment: bytes | None = None
    #: Whether its last comment ends.
    closed: bool = True


def gap_at(value: bytes, at: int) -> Gap:
    """Return the gap that begins at this place."""
    comment = None
    while True:
        white = _WHITE.match(value, at)
        assert white is not None, "the expression matches anything"
        at = white.end()
        if not value.startswith(b"(", at):
            return Gap(at, comment)
        end = _comment_end(value, at)
        if end is None:
            return Gap(len(value), as_far_as_read(value[at + 1 :]), closed=False)
        comment = content(value[at + 1 : end - 1])
        at = end


def _comment_end(value: bytes, at: int) -> int | None:
    depth = 0
    for match in _PARENTHESIS.finditer(value, at):
        depth += {b"(": 1, b")": -1}.get(match[0], 0)
        if not depth:
            return match.end()
    return None


def content(inside: bytes, *, nul: bytes = REPLACEMENT) -> bytes:
    """Return what is meant by what stands inside quotation marks or parentheses."""

    def changed(match: re.Match[bytes]) -> bytes:
        return match[1] or (nul if match[0] == b"\0" else b"")

    return _CHANGES.sub(changed, inside)


def as_far_as_read(inside: bytes) -> bytes:
    """Return what is left of a quoted string or comment without an end.

    That is all before its last fold, NUL or escaped character.
    """
    end = 0
    for match in _CHANGES.finditer(inside):
        end = match.end() if match[1] is None else match.start()
    return content(inside[:end])


def without_comments(value: bytes) -> bytes:
    """Return a value that can have no quoted strings with a space for each gap with comments.

    A comment that does not end stays, as all that stands behind it is part of it.
    """
    kept = []
    at = 0
    while (comment := value.find(b"(", at)) >= 0:
        gap = gap_at(value, comment)
        if not gap.closed:
            break
        kept.append(value[at:comment])
        at = gap.end
    return b" ".join([*kept, value[at:]])


class Pieces(msgspec.Struct, frozen=True, gc=False):
    """Pieces that were found one after another, and where reading ended."""

    texts: list[bytes]
    end: int
    #: Whether all that were asked for are there, without a comment that does not end.
    complete: bool


def read(value: bytes, at: int, *expected: re.Pattern[bytes]) -> Pieces:
    """Read what is expected, with gaps behind each."""
    texts: list[bytes] = []
    for pattern in expected:
        match = pattern.match(value, at)
        if match is None:
            return Pieces(texts, at, complete=False)
        texts.append(match[0])
        gap = gap_at(value, match.end())
        at = gap.end
        if not gap.closed:
            return Pieces(texts, at, complete=False)
    return Pieces(texts, at, complete=True)
