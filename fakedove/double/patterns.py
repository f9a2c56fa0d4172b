"""Patterns of texts: which commands, users and arguments a stub answers to.

    like("mailbox *") & ~exactly("mailbox list")
    regex(r"[a-z]+@example\\.com") | exactly("ann")

A plain text where a pattern can stand is `like(text)`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeAlias

from fakedove.dovecot import masks
from fakedove.errors import StubError


class Pattern:
    """Some texts and not others; `&`, `|` and `~` make others of it."""

    __slots__ = ("_matches", "_shown", "literal")

    def __init__(
        self, shown: str, matches: Callable[[str], bool], literal: str | None = None
    ) -> None:
        self._shown = shown
        self._matches = matches
        #: The one text that it matches, if it is plainly one.
        self.literal = literal

    def __repr__(self) -> str:
        return self._shown

    def matches(self, text: str) -> bool:
        """Whether the whole of `text` is meant."""
        return self._matches(text)

    def __and__(self, other: Texts) -> Pattern:
        both = pattern(other)
        shown = f"({self!r} & {both!r})"
        return Pattern(shown, lambda text: self.matches(text) and both.matches(text))

    def __or__(self, other: Texts) -> Pattern:
        either = pattern(other)
        shown = f"({self!r} | {either!r})"
        return Pattern(shown, lambda text: self.matches(text) or either.matches(text))

    def __rand__(self, other: str) -> Pattern:
        return pattern(other) & self

    def __ror__(self, other: str) -> Pattern:
        return pattern(other) | self

    def __invert__(self) -> Pattern:
        return Pattern(f"~{self!r}", lambda text: not self.matches(text))


#: A pattern, or a text that is one.
Texts: TypeAlias = str | Pattern


def like(mask: str) -> Pattern:
    """Return the pattern in which `*` is any text, `?` one character; case is ignored with them."""
    if not masks.has_wildcard(mask.encode(errors="surrogateescape"), b"*?"):
        return exactly(mask)
    data = mask.encode(errors="surrogateescape")
    return Pattern(
        repr(mask), lambda text: masks.user_matches(data, text.encode(errors="surrogateescape"))
    )


def exactly(text: str) -> Pattern:
    """Return the pattern of one text, with `*` and `?` as they are."""
    return Pattern(repr(text), lambda other: other == text, text)


def regex(expression: str) -> Pattern:
    """Return the pattern of the texts that a regular expression matches as a whole.

    Raises StubError for one that is none.
    """
    try:
        compiled = re.compile(expression, re.DOTALL)
    except re.error as error:
        raise StubError(f"{expression!r} is no regular expression: {error}") from None
    return Pattern(f"regex({expression!r})", lambda text: compiled.fullmatch(text) is not None)


def pattern(texts: Texts) -> Pattern:
    """Return what `texts` means; raises StubError for what is neither text nor pattern."""
    match texts:
        case Pattern():
            return texts
        case str():
            return like(texts)
    raise StubError(f"must be a text or a pattern such as like('mailbox *'), not {texts!r}")
