"""The function `regexp` of `%{user | regexp("^t", "T")}`; measured on 2.4.1."""

from __future__ import annotations

import re

from fakedove.dovecot.variables.braced_arguments import read, required
from fakedove.dovecot.variables.braced_state import ExpansionCrash, State
from fakedove.dovecot.variables.braced_syntax import Argument, Step, UnknownVariable
from fakedove.dovecot.variables.posix_regexps import Expression, InvalidExpression, compiled


def expression(pattern: bytes) -> Expression:
    """Return the regular expression of `pattern`; raises UnknownVariable."""
    try:
        return compiled(pattern)
    except InvalidExpression as problem:
        raise UnknownVariable(str(problem)) from None


def substitute(state: State, step: Step) -> None:
    """Put what the second argument says in the place of all, if the first one matches."""
    required(step)

    def text(argument: Argument) -> bytes:
        try:
            return state.text(argument)
        except UnknownVariable as problem:
            # It is not told: what failed before is, or the process dies of there being nothing.
            if state.failure is None:
                raise ExpansionCrash(f"nobody was told that {problem}") from None
            raise UnknownVariable(state.failure) from None

    found, _ = read(step, text, text, surplus=text)
    if len(found) < 2:
        raise UnknownVariable("Missing replacement parameter")
    pattern, replacement = found
    value = state.string("regexp")
    match = expression(pattern).search(value)
    if match is None:
        return
    state.value = re.sub(
        rb"\\(.?)", lambda one: _group(match, one[1]), replacement, flags=re.DOTALL
    )


def _group(match: re.Match[bytes], reference: bytes) -> bytes:
    if not reference.isdigit():
        raise ExpansionCrash("a backslash without a digit is found for ever")
    number = int(reference)
    group = match[number] if number <= match.re.groups else None
    if group is None:
        raise UnknownVariable("Invalid capture group")
    return group
