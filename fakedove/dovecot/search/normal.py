"""Texts in the form in which Dovecot compares them: each character in title case, decomposed.

So case and composition make no difference, but `ß` is no `ss`, and since what a ligature is
made of stays in lower case, `ﬁ` is no `fi`.
"""

from __future__ import annotations

import unicodedata


class _Normal(dict[int, str]):
    """What each character becomes, found out when it is first met."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        title = character.title()
        if len(title) == 1:
            character = title
        self[code] = _decomposed(character)
        return self[code]


_NORMAL = _Normal()
_SYLLABLES = range(0xAC00, 0xD7A4)


def normal(text: str) -> str:
    """Return `text` in the form that texts are compared in.

    >>> normal("Ångström") == normal("ÅNGSTRÖM")
    True
    """
    return text.upper() if text.isascii() else text.translate(_NORMAL)


def _decomposed(character: str) -> str:
    """Return what the character is directly made of."""
    if ord(character) in _SYLLABLES:
        return unicodedata.normalize("NFD", character)
    _, _, compatible = f" {unicodedata.decomposition(character)}".rpartition("> ")
    return "".join(chr(int(code, 16)) for code in compatible.split()) or character
