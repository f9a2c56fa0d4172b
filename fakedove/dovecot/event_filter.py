"""The grammar of event filters (`event=x AND NOT user=y*`), as far as `stats add` checks it.

Nothing is filtered here; what matters is whether a filter is right and, if it is not, what
the real parser says of it: which token it did not expect, and which ones it would have taken.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterator
from dataclasses import dataclass

_STRING = r'"(?:[^\\"]|\\.)*"'
_OPERAND = ("TOKEN", "STRING", "NOT", "'('")
_OPERATORS = ("'='", "'>'", "'<'")
_VALUES = ("TOKEN", "STRING", "AND", "OR", "NOT")
_WORDS = ("AND", "OR", "NOT")
#: The parser names no more alternatives than these.
_MOST_EXPECTED = 4
#: Keys that are no fields of the event.
_NOT_FIELDS = ("event", "category", "source_location")
_NO_INEQUALITY = "Only fields support inequality comparisons"


@dataclass(frozen=True, slots=True)
class Grammar:
    """What differs by release."""

    #: Further characters of a token.
    more_characters: str = ""
    end: str = "$end"
    undefined: str = "$undefined"

    def problem(self, text: str) -> str | None:
        """Return what is wrong with the filter `text`, or None."""
        words = _Parser(self).problem(_tokens(self, text))
        return None if words is None else f"event filter: {words}"


class _State(enum.Enum):
    START = enum.auto()
    OPERAND = enum.auto()
    OPERATOR = enum.auto()
    VALUE = enum.auto()
    AFTER = enum.auto()


def _tokens(grammar: Grammar, text: str) -> Iterator[tuple[str, str]]:
    """Yield kind and text of each token, the end last."""
    word = rf"[A-Za-z0-9:.*?_{grammar.more_characters}-]+"
    for match in re.finditer(rf"[ \t\n\r]+|{word}|{_STRING}|.", text, re.DOTALL):
        found = match[0]
        if found == '"':
            break  # The real parser sees nothing of a string that does not end.
        if found[0] == '"':
            yield "STRING", found[1:-1]
        elif found in "<>=()":
            yield f"'{found}'", found
        elif re.fullmatch(word, found):
            yield found.upper() if found.upper() in _WORDS else "TOKEN", found
        elif not found.isspace():
            yield grammar.undefined, found
    yield grammar.end, ""


class _Parser:
    def __init__(self, grammar: Grammar) -> None:
        self._grammar = grammar
        self._depth = 0
        self._key = ""
        self._operator = ""

    def problem(self, tokens: Iterator[tuple[str, str]]) -> str | None:
        state = _State.START
        for kind, text in tokens:
            if state is _State.VALUE and kind == "'='" and self._operator in "<>":
                self._operator += "="
                continue
            if kind == self._grammar.end and self._may_end(state):
                return None
            following = self._next(state, kind, text)
            if following is None:
                return self._unexpected(state, kind)
            if state is _State.VALUE and self._operator != "=" and self._key in _NOT_FIELDS:
                return _NO_INEQUALITY
            state = following
        return None

    def _may_end(self, state: _State) -> bool:
        return state is _State.START or (state is _State.AFTER and self._depth == 0)

    def _next(self, state: _State, kind: str, text: str) -> _State | None:
        match state:
            case _State.START | _State.OPERAND:
                return self._operand(kind, text)
            case _State.OPERATOR if kind in _OPERATORS:
                self._operator = text
                return _State.VALUE
            case _State.VALUE if kind in _VALUES:
                return _State.AFTER
            case _State.AFTER if kind in ("AND", "OR"):
                return _State.OPERAND
            case _State.AFTER if kind == "')'" and self._depth:
                self._depth -= 1
                return _State.AFTER
            case _:
                return None

    def _operand(self, kind: str, text: str) -> _State | None:
        if kind not in _OPERAND:
            return None
        if kind in ("TOKEN", "STRING"):
            self._key = text
            return _State.OPERATOR
        self._depth += kind == "'('"
        return _State.OPERAND

    def _unexpected(self, state: _State, kind: str) -> str:
        words = f"syntax error, unexpected {kind}"
        expected = self._expected(state)
        if len(expected) > _MOST_EXPECTED:
            return words
        return f"{words}, expecting {' or '.join(expected)}"

    def _expected(self, state: _State) -> tuple[str, ...]:
        match state:
            case _State.OPERAND:
                return _OPERAND
            case _State.OPERATOR:
                return _OPERATORS
            case _State.VALUE:
                return _VALUES
            case _State.AFTER if self._depth:
                return ("AND", "OR", "')'")
            case _:
                # An empty filter is one too, so at the start nothing more is expected.
                return (self._grammar.end,)
