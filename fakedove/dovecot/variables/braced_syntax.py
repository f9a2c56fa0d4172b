"""The syntax of `%{user | upper}`: templates taken apart into texts and pipelines.

Measured on 2.4.1, with what it says of templates that are wrong.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias


class UnknownVariable(Exception):
    """A text that cannot be expanded, with the reason in Dovecot's words."""


@dataclass(frozen=True, slots=True)
class Name:
    """A variable, as an argument."""

    name: str


Argument: TypeAlias = "str | int | Name"


@dataclass(frozen=True, slots=True)
class Step:
    """A variable or function with its arguments."""

    name: str
    #: With their keys; those by position have None. In the order in which they are looked at.
    arguments: tuple[tuple[str | None, Argument], ...] = ()


Pipeline: TypeAlias = tuple[Step, ...]

_PIECE = re.compile(r"%%\{|%\{|[^%]+|%", re.DOTALL)
#: Measured: this letter is lost at the end of a template.
_LOST = re.compile(r"(?<=%)y\Z")
#: Characters that are none of these are passed over.
_TOKEN = re.compile(
    r"(?P<NAME>[A-Za-z\x80-\U0010ffff][A-Za-z0-9_.;:/\x80-\U0010ffff-]*)|(?P<NUMBER>[0-9]+)"
    r"|(?P<VALUE>'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")|(?P<END>['\"].*\Z)|(?P<SIGN>[|},()=+*/%-])",
    re.DOTALL,
)
_SIGNS = {
    "|": "PIPE",
    "}": "CCBRACE",
    ",": "COMMA",
    "(": "OBRACE",
    ")": "CBRACE",
    "=": "EQ",
    "+": "PLUS",
    "-": "MINUS",
    "*": "STAR",
    "/": "SLASH",
    "%": "PERC",
}
#: What `calculate` has for each operator as its first argument.
_OPERATORS = {"PLUS": 0, "MINUS": 1, "STAR": 2, "SLASH": 3, "PERC": 4}
_ESCAPE = re.compile(r"\\(x[0-9A-Fa-f]{1,2}|[0-7]{1,3}|.)", re.DOTALL)
_ESCAPED = {"n": "\n", "r": "\r", "t": "\t", "\\": "\\", "'": "'", '"': '"'}
_BIGGEST = (1 << 63) - 1
_AT_STEP = "CCBRACE or PIPE or NAME"
_BEHIND_STEP = "CCBRACE or PIPE"
_AT_ARGUMENT = "MINUS or NAME or VALUE or NUMBER"
_BEHIND_ARGUMENT = "CBRACE or COMMA"
_AT_OPERAND = "MINUS or NAME or NUMBER"


def parse(template: str) -> list[str | Pipeline]:
    """Return texts and pipelines in order; raises UnknownVariable."""
    found: list[str | Pipeline] = []
    at = 0
    template = _LOST.sub("", template)
    while piece := _PIECE.match(template, at):
        at = piece.end()
        if piece[0] != "%{":
            found.append("%{" if piece[0] == "%%{" else piece[0])
            continue
        parser = _Parser(template, at)
        found.append(parser.pipeline())
        at = parser.at
    return found


class _Parser:
    """Reads one pipeline; `at` is behind its brace then."""

    def __init__(self, template: str, at: int) -> None:
        self._tokens = self._read(template, at)
        self.at = at
        self._advance()

    def pipeline(self) -> Pipeline:
        steps: list[Step] = []
        while self._kind != "CCBRACE":
            if self._kind == "PIPE":
                self._advance()
                continue
            name = self._take(_AT_STEP, "NAME")
            steps += self._steps(name)
            if self._kind not in ("PIPE", "CCBRACE"):
                raise self._unexpected(_BEHIND_STEP)
        return tuple(steps)

    def _steps(self, name: str) -> Iterator[Step]:
        if self._kind == "OBRACE":
            self._advance()
            yield self._call(name)
        else:
            yield Step(name)
        if self._kind in _OPERATORS:
            operator = _OPERATORS[self._kind]
            self._advance()
            operand = self._argument(_AT_OPERAND, text=False)
            yield Step("calculate", ((None, operator), (None, operand)))

    def _call(self, name: str) -> Step:
        arguments: list[Argument] = []
        named: list[tuple[str, Argument]] = []
        while True:
            argument = self._argument(_AT_ARGUMENT)
            if isinstance(argument, Name) and self._kind == "EQ":
                self._advance()
                named.append((argument.name.lower(), self._argument(_AT_ARGUMENT)))
            else:
                arguments.append(argument)
            if self._take(_BEHIND_ARGUMENT, "CBRACE", "COMMA") == ")":
                return Step(name, _sorted(arguments, named))

    def _argument(self, expected: str, *, text: bool = True) -> Argument:
        match self._kind:
            case "NAME":
                return Name(self._take(expected, "NAME"))
            case "VALUE" if text:
                return self._take(expected, "VALUE")
            case "MINUS":
                self._advance()
                return -self._number("NUMBER")
            case _:
                return self._number(expected)

    def _number(self, expected: str) -> int:
        return int(self._take(expected, "NUMBER"))

    def _take(self, expected: str, *kinds: str) -> str:
        if self._kind not in kinds:
            raise self._unexpected(expected)
        text = self._text
        self._advance()
        return text

    def _unexpected(self, expected: str) -> UnknownVariable:
        return UnknownVariable(f"syntax error, unexpected {self._kind}, expecting {expected}")

    def _advance(self) -> None:
        if self._kind_is_last():
            return
        self._kind, self._text = next(self._tokens)

    def _kind_is_last(self) -> bool:
        return getattr(self, "_kind", "") == "CCBRACE"

    def _read(self, template: str, at: int) -> Iterator[tuple[str, str]]:
        while at < len(template):
            found = _TOKEN.match(template, at)
            at = found.end() if found else at + 1
            if found is None or found.lastgroup is None or found.lastgroup == "END":
                continue
            kind = _SIGNS.get(found[0], found.lastgroup)
            text = _unescaped(found[0][1:-1]) if kind == "VALUE" else found[0]
            if kind == "NUMBER" and int(text) > _BIGGEST:
                raise UnknownVariable("Not a number")
            self.at = at
            yield kind, text
        yield "end of file", ""


def _sorted(
    arguments: list[Argument], named: list[tuple[str, Argument]]
) -> tuple[tuple[str | None, Argument], ...]:
    """Return all of them, by key behind those by position; of one key the newest is first."""
    newest_first = list(reversed(named))
    by_key = sorted(newest_first, key=lambda one: one[0])
    return (*((None, argument) for argument in arguments), *by_key)


def _unescaped(text: str) -> str:
    def character(found: re.Match[str]) -> str:
        escape = found[1]
        if escape[0] == "x" and len(escape) > 1:
            return chr(int(escape[1:], 16))
        if escape[0] in "01234567":
            return chr(int(escape, 8))
        if escape not in _ESCAPED:
            raise UnknownVariable("Invalid character escape")
        return _ESCAPED[escape]

    return _ESCAPE.sub(character, text)
