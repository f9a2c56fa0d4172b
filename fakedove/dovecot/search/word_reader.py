"""A query's words, taken one by one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from fakedove.dovecot.reply import Fatal


class WordReader:
    """Words with a place among them; knows how many lists are open."""

    #: What `key` returns where a list begins.
    LIST: Final = b"("

    def __init__(self, words: Sequence[bytes]) -> None:
        """Begin at the first of `words`."""
        self._words = words
        self._next = 0
        self._open = 0
        self._key = b""

    def key(self) -> bytes | None:
        """Take the next key: LIST for a list that begins, None at the end of one or of all."""
        if self._next == len(self._words):
            if self._open:
                raise Fatal(b"Missing ')'")
            return None
        word = self._words[self._next]
        if word == b")" and not self._open:
            raise Fatal(b"Unexpected ')'")
        self._next += 1
        if word == b")":
            self._open -= 1
            return None
        if word == b"(":
            self._open += 1
        self._key = word
        return word

    def parameter(self) -> bytes:
        """Take the next word as a parameter; a parenthesis is a word like others here."""
        if self._next == len(self._words):
            key = self._key.upper()
            raise Fatal(b"Missing parameter for search key (for search key: %b)" % key)
        self._next += 1
        return self._words[self._next - 1]

    def text(self) -> str:
        """Take the next word as a text to look for."""
        try:
            return self.parameter().decode()
        except UnicodeDecodeError:
            raise Fatal(b"Invalid search key") from None

    def skip(self, word: bytes) -> bool:
        """Take the next word if it is `word`, in any case."""
        found = self._next < len(self._words) and self._words[self._next].upper() == word
        self._next += found
        return found
