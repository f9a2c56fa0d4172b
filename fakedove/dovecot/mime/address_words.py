"""Address headers as words: a letter tells each, so that expressions over letters are grammar.

    "A B" <a@b>  (c)
    q    g<a@a>g

`a` atom, `q` quoted string, `Q` one that does not end, `l` domain literal, `g` gap, `G` gap
whose comment does not end, `?` what has no place in an address, `$` the end; `<>@,;:.` stand
for themselves.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from fakedove.dovecot.mime.lexical import ATEXT, REPLACEMENT, as_far_as_read, content, gap_at

_WORD = re.compile(
    rb"""
      (?P<a> [%b]++ )
    | (?P<g> [ \t\r\n(] )
    | (?P<sign> [.<>@,;:] )
    | " (?P<q> (?:[^"\\]++|\\.)*+ ) "
    | " (?P<Q> .*+ )
    | (?P<l> \[ (?:[^][\\]++|\\.)*+ \] )
    | (?P<other> . )
    """
    % ATEXT,
    re.DOTALL | re.VERBOSE,
)
_FOLD = re.compile(rb"\r?\n")


class Words:
    """The words of a value, and what each says."""

    __slots__ = ("comments", "letters", "texts")

    def __init__(self, value: bytes) -> None:
        """Take a value apart."""
        #: What each word says; a gap says nothing.
        self.texts: list[bytes] = []
        #: The last comment of each gap that has one, by the place of the gap.
        self.comments: dict[int, bytes] = {}
        self.letters = "".join(self._letters(value)) + "$"

    def _letters(self, value: bytes) -> Iterator[str]:
        at = 0
        while at < len(value):
            match = _WORD.match(value, at)
            assert match is not None, "the expression matches anything"
            kind = match.lastgroup or "other"
            at, text = match.end(), match[kind]
            match kind:
                case "g":
                    gap = gap_at(value, match.start())
                    if gap.comment is not None:
                        self.comments[len(self.texts)] = gap.comment
                    at, text = gap.end, b""
                    yield "g" if gap.closed else "G"
                case "sign":
                    yield text.decode()
                case "other":
                    yield "?"
                case _:
                    text = _SAID[kind](text) if kind in _SAID else text
                    yield kind
            self.texts.append(text)

    def said(self, start: int, end: int) -> bytes:
        """Return what the words from `start` to before `end` say together."""
        return b"".join(self.texts[start:end])

    def last_comment(self, start: int, end: int) -> bytes | None:
        """Return the last comment between these places, None without one."""
        places = (place for place in reversed(range(start, end)) if place in self.comments)
        return self.comments.get(next(places, -1))


def _literal(text: bytes) -> bytes:
    return _FOLD.sub(b"", text).replace(b"\0", REPLACEMENT)


_SAID = {"q": content, "Q": as_far_as_read, "l": _literal}
