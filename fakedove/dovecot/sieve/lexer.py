"""Sieve's tokens."""

from __future__ import annotations

import enum
import re
from collections.abc import Iterator

import msgspec

from fakedove.dovecot.sieve.problems import Problems

_LARGEST_NUMBER = (1 << 64) - 1


class Kind(enum.Enum):
    """What a token is; the value is how messages call it."""

    END = "end of file"
    NUMBER = "number"
    IDENTIFIER = "identifier"
    TAG = "tag"
    STRING = "string"
    CLOSE_BRACKET = "')'"
    OPEN_BRACKET = "'('"
    CLOSE_CURLY = "'}'"
    OPEN_CURLY = "'{'"
    CLOSE_SQUARE = "']'"
    OPEN_SQUARE = "'['"
    SEMICOLON = "';'"
    COMMA = "','"
    SLASH = "'/'"
    COLON = "':'"
    GARBAGE = "unknown characters"


_SINGLE = {
    kind.value[1].encode(): kind for kind in Kind if len(kind.value) == 3 and kind.value[0] == "'"
}
_SPACE = re.compile(rb"[ \t\r\n]+")
_COMMENT = re.compile(rb"#[^\n]*(\n?)")
_TEXT = re.compile(rb"text:[ \t]*(?:#[^\n]*)?(\r?\n)?", re.IGNORECASE)
_LINE = re.compile(rb"(.*?)\r?\n", re.DOTALL)
_WORD = re.compile(rb"[A-Za-z_][A-Za-z0-9_]*")
_NUMBER = re.compile(rb"([0-9]+)([KMGkmg]?)")
_UNITS = {b"": 1, b"k": 1 << 10, b"m": 1 << 20, b"g": 1 << 30}
_GARBAGE = re.compile(rb"[^ \t\r\n#\"A-Za-z_0-9(){}\[\];,/:]+")


class Token(msgspec.Struct, frozen=True, gc=False):
    """A token: a tag and an identifier are text, a string is its content."""

    kind: Kind
    line: int
    text: str = ""
    number: int = 0


class BrokenToken(Exception):
    """There is no next token; the problem was noted."""


class Lexer:
    """Tokens of a script, one at a time."""

    def __init__(self, script: bytes, problems: Problems) -> None:
        self._script = script
        self._problems = problems
        self._position = 0
        self._line = 1

    def __iter__(self) -> Iterator[Token]:
        """Yield the tokens; the last one is END. Raises BrokenToken."""
        while True:
            self._skip()
            token = self._token(self._line)
            yield token
            if token.kind is Kind.END:
                return

    def _take(self, data: bytes) -> None:
        self._position += len(data)
        self._line += data.count(b"\n")

    def _match(self, pattern: re.Pattern[bytes]) -> re.Match[bytes] | None:
        found = pattern.match(self._script, self._position)
        if found is not None:
            self._take(found[0])
        return found

    def _break(self, text: str) -> BrokenToken:
        self._problems.error(self._line, text)
        return BrokenToken(text)

    def _skip(self) -> None:
        """Leave white space and comments behind."""
        while True:
            if self._match(_SPACE):
                continue
            if comment := self._match(_COMMENT):
                if not comment[1]:
                    text = "no newline (CRLF) at end of hash comment at end of file"
                    self._problems.warn(self._line, text)
            elif self._script.startswith(b"/*", self._position):
                self._skip_bracket_comment()
            else:
                return

    def _skip_bracket_comment(self) -> None:
        begin, line = self._position, self._line
        end = self._script.find(b"*/", begin + 2)
        self._take(self._script[begin : end + 2] if end >= 0 else self._script[begin:])
        if end < 0:
            kind = "bracket comment ('/* ... */')"
            raise self._break(f"end of file before end of {kind} started at line {line}")

    def _token(self, line: int) -> Token:
        char = self._script[self._position : self._position + 1]
        if not char:
            return Token(Kind.END, line)
        if char == b'"':
            return Token(Kind.STRING, line, self._quoted())
        if char == b":":
            self._take(char)
            name = self._match(_WORD)
            return Token(Kind.COLON if name is None else Kind.TAG, line, _text(name))
        if char in _SINGLE:
            self._take(char)
            return Token(_SINGLE[char], line)
        if multiline := self._match(_TEXT):
            return Token(Kind.STRING, line, self._multiline(multiline))
        if word := self._match(_WORD):
            return Token(Kind.IDENTIFIER, line, _text(word))
        if number := self._match(_NUMBER):
            return Token(Kind.NUMBER, line, number=self._number(number))
        self._match(_GARBAGE)
        shown = f"'{char.decode()}'" if b" " < char < b"\x7f" else f"0x{char[0]:02x}"
        self._problems.error(line, f"unexpected character(s) starting with {shown}")
        return Token(Kind.GARBAGE, line)

    def _number(self, found: re.Match[bytes]) -> int:
        number = int(found[1]) * _UNITS[found[2].lower()]
        if number > _LARGEST_NUMBER:
            raise self._break(f"number exceeds integer limits (max {_LARGEST_NUMBER})")
        return number

    def _quoted(self) -> str:
        line = self._line
        self._take(b'"')
        content = bytearray()
        while True:
            char = self._script[self._position : self._position + 1]
            if not char:
                raise self._break(f"end of file before end of quoted string started at line {line}")
            if char == b"\0":
                raise self._break(
                    f"encountered NUL character in quoted string started at line {line}"
                )
            self._take(char)
            if char == b'"':
                return content.decode(errors="surrogateescape")
            if char == b"\\":
                char = self._script[self._position : self._position + 1]
                self._take(char)
            content += char

    def _multiline(self, opening: re.Match[bytes]) -> str:
        if opening[1] is None:
            char = self._script[self._position : self._position + 1]
            if char:
                shown = char.decode(errors="replace")
                raise self._break(f"invalid character '{shown}' after 'text:' in multiline string")
        content = bytearray()
        while found := self._match(_LINE):
            line = found[1]
            if line == b".":
                return content.decode(errors="surrogateescape")
            content += line.removeprefix(b".") + b"\r\n"
        self._take(self._script[self._position :])
        raise self._break("end of file before end of multi-line string")


def _text(found: re.Match[bytes] | None) -> str:
    return "" if found is None else found[0].decode()
