"""Arguments of a command or test: tags with their parameters first, then the positional ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from fakedove.dovecot.sieve.language import (
    COMPARATORS,
    FLAG_COMMANDS,
    RELATIONAL,
    RELATIONS,
    Definition,
    Tag,
    Type,
)
from fakedove.dovecot.sieve.lexer import Kind
from fakedove.dovecot.sieve.parser import Argument, Node
from fakedove.dovecot.sieve.scope import Scope

_FOUND = {
    Kind.NUMBER: "a number",
    Kind.STRING: "a string",
    Kind.OPEN_SQUARE: "a string list",
    Kind.TAG: "a tag",
}
_ACCEPTED = {
    Type.STRING: (Kind.STRING,),
    Type.STRINGS: (Kind.STRING, Kind.OPEN_SQUARE),
    Type.NUMBER: (Kind.NUMBER,),
}
_NUMERIC = "i;ascii-numeric"


@dataclass(slots=True)
class Arguments:
    """Arguments as they belong together: tags by name, with their parameters."""

    tags: dict[str, Argument | None] = field(default_factory=dict)
    positional: list[Argument] = field(default_factory=list)


def check_arguments(node: Node, definition: Definition, scope: Scope) -> Arguments | None:
    """Return the arguments of `node`; None if they are wrong, which was noted."""
    return _Check(node, definition, scope).run()


class _Check:
    def __init__(self, node: Node, definition: Definition, scope: Scope) -> None:
        self._node = node
        self._definition = definition
        self._scope = scope
        self._name = node.name.lower()
        self._full = f"the {self._name} {definition.kind}"
        self._given = Arguments()

    def run(self) -> Arguments | None:
        if self._definition.lenient:
            return self._given
        rest = self._tags(self._node.arguments)
        if rest is None or not self._positional(rest):
            return None
        self._given.positional = rest
        return self._given

    def _error(self, line: int, text: str) -> None:
        self._scope.problems.error(line, text)

    def _tags(self, arguments: Sequence[Argument]) -> list[Argument] | None:
        """Take tags and their parameters; return what follows, None after an error."""
        rest = list(arguments)
        seen: set[str] = set()
        while rest and rest[0].kind is Kind.TAG:
            argument = rest.pop(0)
            name = argument.text.lower()
            tag = self._tag(name, argument.line)
            if tag is None or self._repeated(tag, name, argument.line, seen):
                return None
            seen.add(tag.group or name)
            parameter = None
            if tag.parameter is not None:
                parameter = self._parameter(name, tag.parameter, argument.line, rest)
                if parameter is None or not self._fits(name, parameter):
                    return None
            self._given.tags[name] = parameter
        return rest

    def _tag(self, name: str, line: int) -> Tag | None:
        tag = dict(self._definition.tags).get(name)
        if tag is not None and self._scope.has(tag.extension):
            return tag
        if self._scope.first_time(self._name, name):
            once = "(reported only once at first occurrence)"
            self._error(line, f"unknown tagged argument ':{name}' for {self._full} {once}")
        return None

    def _repeated(self, tag: Tag, name: str, line: int, seen: set[str]) -> bool:
        if self._name == "size" and seen:
            what = "exactly one of the ':under' or ':over' tags must be specified"
            self._error(line, f"{what} for {self._full}, but more were found")
            return True
        if (tag.group or name) not in seen:
            return False
        what = f"{tag.group} argument (:{name})" if tag.group else f":{name} argument"
        self._error(line, f"encountered duplicate {what} for {self._full}")
        return True

    def _parameter(
        self, name: str, wanted: Type, line: int, rest: list[Argument]
    ) -> Argument | None:
        if rest and rest[0].kind in _ACCEPTED[wanted]:
            return rest.pop(0)
        found = f"{_FOUND[rest[0].kind]} was found" if rest else "no parameters were found"
        text = f"the :{name} tag for {self._full} requires {wanted.value} as parameter"
        self._error(rest[0].line if rest else line, f"{text}, but {found}")
        return None

    def _fits(self, name: str, parameter: Argument) -> bool:
        """Whether a comparator or relation is one that there is."""
        text = parameter.text
        if name in RELATIONAL and text not in RELATIONS:
            listed = ", ".join(f'"{one}"' for one in RELATIONS[:-1]) + f' or "{RELATIONS[-1]}"'
            wanted = f"requires a constant string argument being one of {listed}"
            self._error(parameter.line, f'the :{name} match-type {wanted}, but "{text}" was found')
            return False
        known = text in COMPARATORS or self._scope.has(f"comparator-{text}")
        if name == "comparator" and not known:
            self._error(parameter.line, f"unknown comparator '{text}'")
            return False
        return True

    def _positional(self, rest: Sequence[Argument]) -> bool:
        for argument in rest:
            if argument.kind is Kind.TAG:
                what = f"an unexpected tagged argument ':{argument.text.lower()}'"
                text = f"encountered {what} while validating positional arguments"
                self._error(argument.line, f"{text} for {self._full}")
                return False
        if self._name in FLAG_COMMANDS:
            return self._flags(rest)
        wanted = self._definition.arguments
        if len(rest) != len(wanted):
            counted = f"requires {len(wanted)} positional argument(s), but {len(rest)} is/are"
            self._error(self._node.line, f"{self._full} {counted} specified")
            return False
        fit = all(map(self._typed, range(1, len(rest) + 1), wanted, rest))
        return fit and self._comparable()

    def _typed(self, number: int, wanted: tuple[str, Type], argument: Argument) -> bool:
        name, kind = wanted
        if argument.kind in _ACCEPTED[kind]:
            return True
        expected = f"expects {kind.value} as argument {number} ({name})"
        if self._name == "require":
            expected = "accepts a single string or string list argument"
        found = f"but {_FOUND[argument.kind]} was found"
        self._error(argument.line, f"{self._full} {expected}, {found}")
        return False

    def _flags(self, rest: Sequence[Argument]) -> bool:
        text = ""
        if not rest:
            text = "expects at least one argument, but none was found"
        elif rest[0].kind is Kind.NUMBER:
            text = (
                "expects either a string (variable name) or a string-list (list of flags) as "
                "first argument, but a number was found"
            )
        elif len(rest) > 1 and not self._scope.has("variables"):
            text = (
                "only allows for the specification of a variable name when the variables "
                "extension is active"
            )
        if text:
            self._error(self._node.line, f"{self._full} {text}")
        return not text

    def _comparable(self) -> bool:
        """Whether the comparator can do what the match type asks of it."""
        comparator = self._given.tags.get("comparator")
        if comparator is None or comparator.text != _NUMERIC:
            return True
        for name in ("contains", "matches"):
            if name in self._given.tags:
                text = f"the specified {_NUMERIC} comparator does not support sub-string matching"
                self._error(comparator.line, f"{text} as required by the :{name} match type")
                return False
        return True
