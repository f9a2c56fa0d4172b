"""What single commands and tests ask of their arguments' content."""

from __future__ import annotations

import re
from collections.abc import Container

from fakedove.dovecot.sieve.arguments import Arguments
from fakedove.dovecot.sieve.language import (
    ADDRESS_HEADERS,
    DATE_PARTS,
    ENVELOPE_PARTS,
    MODIFIERS,
)
from fakedove.dovecot.sieve.lexer import Token
from fakedove.dovecot.sieve.parser import Argument, Node
from fakedove.dovecot.sieve.problems import printable
from fakedove.dovecot.sieve.scope import Scope

_HEADER_NAME = re.compile(r"[!-9;-~]+")
_VARIABLE_NAME = re.compile(r"([A-Za-z_]\w*\.)*[A-Za-z_]\w*", re.ASCII)
_IN_ANGLES = re.compile(r"[^<>@]*<([^<>]*)>\s*")
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LOCAL_PART = re.compile(rf'{_ATOM}(\.{_ATOM})*|"[^"]*"')
_DOMAIN = re.compile(rf"\s*{_ATOM}(\.{_ATOM})*\s*")


def address_fault(text: str) -> str | None:
    """Say what is wrong with a single mail address, if anything is."""
    in_angles = _IN_ANGLES.fullmatch(text)
    address = (text if in_angles is None else in_angles[1]).strip()
    if not address:
        return "empty address"
    local = _LOCAL_PART.match(address)
    if local is None:
        return "invalid local part"
    if not address.startswith("@", local.end()):
        return f"invalid or lonely local part '{local[0]}' (expecting '@')"
    domain = _DOMAIN.match(address, local.end() + 1)
    if domain is None or address.startswith(".", domain.end()):
        return "invalid or missing domain"
    if domain.end() == len(address):
        return None
    found = address[domain.end()]
    if found == ",":
        return "not a single address (found ',')"
    return "address ends in invalid characters"


class Checks:
    """The checks of one script; `others` are scripts that may be included."""

    def __init__(self, scope: Scope, others: Container[str]) -> None:
        self._scope = scope
        self._problems = scope.problems
        self._others = others

    def check(self, node: Node, given: Arguments) -> None:
        """Look into the arguments of a command or test that are of the right kind."""
        match node.name.lower():
            case "redirect":
                self._address(given.positional[0], "specified redirect address {} is invalid")
            case "vacation":
                sender = given.tags.get("from")
                if sender is not None:
                    text = "specified :from address {} is invalid for vacation action"
                    self._address(sender, text)
            case "header" | "exists":
                self._header_names(given.positional[0])
            case "address":
                self._header_names(given.positional[0])
                self._address_headers(given.positional[0])
            case "envelope":
                self._envelope_parts(given.positional[0])
            case "date":
                self._date_part(given.positional[1])
            case "currentdate":
                self._date_part(given.positional[0])
            case "size" if not given.tags:
                what = "either the :under or the :over tag to be specified"
                self._problems.error(node.line, f"the size test requires {what}")
            case "set":
                self._set(given)
            case "include":
                self._include(given)

    def _constant(self, text: str) -> bool:
        return not (self._scope.has("variables") and "${" in text)

    def _address(self, argument: Argument, text: str) -> None:
        fault = address_fault(argument.text) if self._constant(argument.text) else None
        if fault is not None:
            shown = text.format(f"'{printable(argument.text)}'")
            self._problems.error(argument.line, f"{shown}: {fault}")

    def _header_names(self, argument: Argument) -> None:
        for name in argument.strings:
            if self._constant(name.text) and not _HEADER_NAME.fullmatch(name.text):
                text = f"specified header field name '{printable(name.text)}' is invalid"
                self._problems.warn(name.line, text)

    def _address_headers(self, argument: Argument) -> None:
        name = self._first_outside(argument, ADDRESS_HEADERS)
        if name is not None:
            text = f"specified header '{printable(name.text)}' is not allowed for the address test"
            self._problems.error(name.line, text)

    def _envelope_parts(self, argument: Argument) -> None:
        part = self._first_outside(argument, ENVELOPE_PARTS)
        if part is not None:
            text = f"specified envelope part '{printable(part.text)}' is not supported"
            self._problems.error(part.line, f"{text} by the envelope test")

    def _first_outside(self, argument: Argument, known: Container[str]) -> Token | None:
        outside = (one for one in argument.strings if one.text.lower() not in known)
        return next((one for one in outside if self._constant(one.text)), None)

    def _date_part(self, argument: Argument) -> None:
        if self._constant(argument.text) and argument.text.lower() not in DATE_PARTS:
            text = f"specified date part '{printable(argument.text)}' is not known"
            self._problems.warn(argument.line, text)

    def _set(self, given: Arguments) -> None:
        by_precedence: dict[int, str] = {}
        name = given.positional[0]
        for modifier in given.tags:
            other = by_precedence.setdefault(MODIFIERS[modifier], modifier)
            if other != modifier:
                both = f"modifiers :{other} and :{modifier} specified for the set command"
                self._problems.error(name.line, f"{both} conflict having equal precedence")
                return
        if not _VARIABLE_NAME.fullmatch(name.text):
            self._problems.error(name.line, f"invalid variable name '{printable(name.text)}'")

    def _include(self, given: Arguments) -> None:
        name = given.positional[0]
        if "global" in given.tags or "optional" in given.tags or name.text in self._others:
            return
        shown = f"'{printable(name.text)}'"
        text = f"included personal script {shown} does not exist (ignored during upload)"
        self._problems.warn(name.line, text)
