"""From tokens to commands: Sieve's generic grammar (RFC 5228, 8.2), with Pigeonhole's recovery.

After an error the parser goes on behind the end of the list or command that it was in, so
one script can have several.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from fakedove.dovecot.sieve.lexer import BrokenToken, Kind, Lexer, Token
from fakedove.dovecot.sieve.problems import Problems


@dataclass(slots=True)
class Argument:
    """A tag, a number, a string, or a string list with its strings' lines."""

    kind: Kind
    line: int
    text: str = ""
    items: tuple[Token, ...] = ()

    @property
    def strings(self) -> tuple[Token, ...]:
        """The strings of a string or string list."""
        if self.kind is Kind.STRING:
            return (Token(Kind.STRING, self.line, self.text),)
        return self.items


@dataclass(slots=True)
class Node:
    """A command or a test."""

    name: str
    line: int
    is_test: bool = False
    arguments: list[Argument] = field(default_factory=list)
    tests: list[Node] = field(default_factory=list)
    #: The tests stand in brackets.
    test_list: bool = False
    block: list[Node] | None = None


#: What a recovery must not pass.
_OUTER = frozenset({Kind.SEMICOLON, Kind.OPEN_CURLY, Kind.CLOSE_CURLY, Kind.END})
_OPENING = {Kind.CLOSE_BRACKET: Kind.OPEN_BRACKET, Kind.CLOSE_SQUARE: Kind.OPEN_SQUARE}


class _Abandoned(Exception):
    """There is no sense in going on."""


def parse(script: bytes, problems: Problems) -> list[Node]:
    """Return the commands of `script`; they make sense only if there are no problems."""
    try:
        return _Parser(script, problems).script()
    except (BrokenToken, _Abandoned):
        return []


class _Parser:
    def __init__(self, script: bytes, problems: Problems) -> None:
        self._problems = problems
        self._tokens = iter(Lexer(script, problems))
        self._token = next(self._tokens)
        self._valid = True

    def script(self) -> list[Node]:
        commands = self._commands()
        if self._valid and self._token.kind is not Kind.END:
            self._error(f"unexpected {self._found} found at (the presumed) end of file")
        return commands

    @property
    def _found(self) -> str:
        return self._token.kind.value

    def _error(self, text: str) -> None:
        self._valid = False
        self._problems.error(self._token.line, text)

    def _skip(self) -> Token:
        skipped = self._token
        self._token = next(self._tokens, skipped)
        return skipped

    def _accept(self, kind: Kind) -> bool:
        accepted = self._token.kind is kind
        if accepted:
            self._skip()
        return accepted

    def _commands(self) -> list[Node]:
        commands = []
        while self._token.kind is Kind.IDENTIFIER:
            command = self._node(is_test=False)
            commands.append(command)
            if self._accept(Kind.SEMICOLON):
                continue
            if self._accept(Kind.OPEN_CURLY):
                command.block = self._block()
                continue
            expected = "end of command ';' or the beginning of a compound block '{'"
            self._error(f"expected {expected}, but found {self._found}")
            if not self._recover_command():
                break
        return commands

    def _block(self) -> list[Node]:
        commands = self._commands()
        if not self._accept(Kind.CLOSE_CURLY):
            self._error(f"expected end of compound block '}}', but found {self._found}")
            raise _Abandoned
        return commands

    def _node(self, *, is_test: bool) -> Node:
        name = self._skip()
        node = Node(name.text, name.line, is_test)
        while (argument := self._argument()) is not None:
            node.arguments.append(argument)
        if self._token.kind is Kind.IDENTIFIER:
            node.tests.append(self._node(is_test=True))
        elif self._accept(Kind.OPEN_BRACKET):
            node.test_list = True
            self._tests(node)
        return node

    def _argument(self) -> Argument | None:
        match self._token.kind:
            case Kind.STRING | Kind.TAG | Kind.NUMBER as kind:
                token = self._skip()
                return Argument(kind, token.line, token.text)
            case Kind.OPEN_SQUARE:
                line = self._skip().line
                return Argument(Kind.OPEN_SQUARE, line, items=tuple(self._strings()))
            case _:
                return None

    def _strings(self) -> list[Token]:
        strings: list[Token] = []
        before = "["
        while True:
            if self._token.kind is not Kind.STRING:
                where = f"'{before}' in string list"
                self._error(f"expecting string after {where}, but found {self._found}")
                self._recover(Kind.CLOSE_SQUARE)
                break
            strings.append(self._skip())
            if not self._accept(Kind.COMMA):
                break
            before = ","
        self._end_list(Kind.CLOSE_SQUARE, "string list")
        return strings

    def _tests(self, node: Node) -> None:
        before = "("
        while True:
            if self._token.kind is not Kind.IDENTIFIER:
                where = f"'{before}' in test list"
                self._error(f"expecting test identifier after {where}, but found {self._found}")
                self._recover(Kind.CLOSE_BRACKET)
                break
            node.tests.append(self._node(is_test=True))
            if not self._accept(Kind.COMMA):
                break
            before = ","
        self._end_list(Kind.CLOSE_BRACKET, "test list")
        if not node.tests:
            self._error(f"failed to accept more tests for command '{node.name}'")

    def _end_list(self, end: Kind, name: str) -> None:
        if self._accept(end):
            return
        self._error(f"expecting ',' or end of {name} {end.value}, but found {self._found}")
        if self._recover(end):
            self._skip()
        elif self._token.kind is Kind.END:
            raise _Abandoned

    def _recover(self, end: Kind) -> bool:
        """Skip to the `end` of a list; return whether it was found."""
        depth = 1
        while self._token.kind not in _OUTER:
            if self._token.kind is _OPENING[end]:
                depth += 1
            elif self._token.kind is end:
                depth -= 1
                if not depth:
                    return True
            self._skip()
        return False

    def _recover_command(self) -> bool:
        """Skip behind the end of a command; return whether it was found."""
        depth = 0
        while self._token.kind is not Kind.END:
            kind = self._token.kind
            if kind is Kind.SEMICOLON and not depth:
                self._skip()
                return True
            if kind is Kind.CLOSE_CURLY:
                if not depth:
                    return False
                depth -= 1
            depth += kind is Kind.OPEN_CURLY
            self._skip()
        return False
