"""Whether commands that parse are Sieve: names, arguments, blocks, and what they refer to.

Conditions that are constant decide what is looked at at all, as in Pigeonhole: what can never
run may be wrong.
"""

from __future__ import annotations

from collections.abc import Container, Sequence

from fakedove.dovecot.sieve.arguments import Arguments, check_arguments
from fakedove.dovecot.sieve.checks import Checks
from fakedove.dovecot.sieve.language import CAPABILITIES, COMMANDS, Definition, Subtests
from fakedove.dovecot.sieve.parser import Node
from fakedove.dovecot.sieve.problems import Problems, printable
from fakedove.dovecot.sieve.scope import Scope

_CHAINED = ("elsif", "else")
_CONDITIONAL = ("if", "elsif")
_MISPLACED = "require commands can only be placed at top level at the beginning of the file"


class Validator:
    """Goes through one script."""

    def __init__(self, problems: Problems, others: Container[str], *, back_quotes: bool) -> None:
        """Note what is wrong in `problems`; `others` are scripts that may be included."""
        self._problems = problems
        self._scope = Scope(problems)
        self._checks = Checks(self._scope, others)
        self._quote = "`" if back_quotes else "'"
        self._unknown: set[str] = set()
        self._require_allowed = True

    def validate(self, commands: Sequence[Node]) -> None:
        """Look at all commands of the script."""
        self._block(commands, may_require=True)

    def _block(self, commands: Sequence[Node], *, may_require: bool) -> None:
        previous, decided = "", False
        for node in commands:
            name = node.name.lower()
            may_require = may_require and name == "require"
            decided = decided and name in _CHAINED
            self._require_allowed = may_require
            condition = self._node(node, previous, descend=not decided)
            decided = decided or (condition is True and name in _CONDITIONAL)
            previous = name

    def _node(self, node: Node, previous: str = "", *, descend: bool = True) -> bool | None:
        """Look at a command or test; return its constant value or condition, if there is one.

        Without `descend` what it contains can never run.
        """
        definition = COMMANDS.get(node.name.lower())
        if definition is None or not self._scope.has(definition.extension):
            self._say_unknown(node)
            return None
        if definition.is_test is not node.is_test:
            self._say_confused(node, definition)
            return None
        if node.name.lower() == "require" and not self._require_allowed:
            self._problems.error(node.line, _MISPLACED)
            return None
        given = self._fitting(node, definition)
        if given is not None:
            self._check(node, given, previous)
        if not descend:
            return None
        value = self._value(node, definition)
        if node.block is not None and definition.block and value is not False:
            self._block(node.block, may_require=False)
        return value

    def _say_unknown(self, node: Node) -> None:
        if node.name.lower() in self._unknown:
            return
        self._unknown.add(node.name.lower())
        kind = "test" if node.is_test else "command"
        once = "(only reported once at first occurrence)"
        self._problems.error(node.line, f"unknown {kind} '{node.name}' {once}")

    def _say_confused(self, node: Node, definition: Definition) -> None:
        used = "test" if node.is_test else "command"
        text = f"attempted to use {definition.kind} '{node.name.lower()}' as {used}"
        self._problems.error(node.line, text)

    def _fitting(self, node: Node, definition: Definition) -> Arguments | None:
        """Return the arguments if all that the command consists of is as it must be."""
        given = check_arguments(node, definition, self._scope)
        subtests = self._wrong_subtests(node, definition)
        if subtests:
            self._complain(node, definition, subtests)
        elif not node.is_test and definition.block and node.block is None:
            self._complain(node, definition, "requires a command block, but it is missing")
        elif not node.is_test and not definition.block and node.block is not None:
            text = "does not accept a command block, but one is specified anyway"
            self._complain(node, definition, text)
        else:
            return given
        return None

    def _complain(self, node: Node, definition: Definition, text: str) -> None:
        if not text.startswith("missing"):
            text = f"the {node.name.lower()} {definition.kind} {text}"
        self._problems.error(node.line, text)

    def _wrong_subtests(self, node: Node, definition: Definition) -> str:
        match definition.subtests:
            case Subtests.ONE if not node.tests:
                return "requires one sub-test, but none is specified"
            case Subtests.ONE if node.test_list:
                return "requires one sub-test, but a list of tests is specified"
            case Subtests.LIST if not node.tests:
                return "requires a list of sub-tests, but none is specified"
            case Subtests.LIST if not node.test_list:
                return "requires a list of sub-tests, but a single test is specified"
            case Subtests.NONE if node.tests:
                return self._stray_test(node, definition)
        return ""

    def _stray_test(self, node: Node, definition: Definition) -> str:
        """Say what a test means where there can be none: often it is none but a slip."""
        name, kind = node.name.lower(), definition.kind
        stray = node.tests[0].name.lower()
        if not node.test_list:
            if stray in dict(definition.tags):
                return f"missing colon ':' before ':{stray}' tag in {name} {kind}"
            known = COMMANDS.get(stray)
            if known is None or not known.is_test:
                return f"missing semicolon ';' after {name} {kind}"
        return "accepts no sub-tests, but tests are specified"

    def _check(self, node: Node, given: Arguments, previous: str) -> None:
        name = node.name.lower()
        if name == "require":
            self._require(given)
        elif name in _CHAINED and previous not in _CONDITIONAL:
            text = f"the {name} command must follow an if or elseif command"
            self._problems.error(node.line, text)
        else:
            self._checks.check(node, given)

    def _require(self, given: Arguments) -> None:
        for string in given.positional[0].strings:
            if string.text in CAPABILITIES:
                self._scope.load(string.text)
            else:
                shown = f"{self._quote}{printable(string.text)}'"
                text = f"require command: unknown Sieve capability {shown}"
                self._problems.error(string.line, text)

    def _value(self, node: Node, definition: Definition) -> bool | None:
        match node.name.lower():
            case "true" | "false" as value:
                return value == "true"
            case "ihave":
                return self._ihave(node)
            case "not":
                inner = self._tests(node, definition, until=None)
                return None if inner is None else not inner
            case "anyof":
                return self._tests(node, definition, until=True)
            case "allof":
                return self._tests(node, definition, until=False)
        return self._tests(node, definition, until=None)

    def _tests(self, node: Node, definition: Definition, *, until: bool | None) -> bool | None:
        """Look at tests until one has the constant value `until`; return what they come to."""
        if definition.subtests is Subtests.NONE:
            return None
        values: list[bool | None] = []
        for test in node.tests:
            values.append(self._node(test))
            if until is not None and values[-1] is until:
                return until
        return values[0] if values and values.count(values[0]) == len(values) else None

    def _ihave(self, node: Node) -> bool | None:
        names = [string.text for one in node.arguments for string in one.strings]
        if not CAPABILITIES.issuperset(names):
            return False
        for name in names:
            self._scope.load(name)
        return None
