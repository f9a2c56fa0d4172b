"""Compile Sieve scripts as far as it takes to say what is wrong with them, in Pigeonhole's words.

`problems` says what the words are; nothing here runs a script (RFC 5228 is the language).
"""

from __future__ import annotations

from collections.abc import Container

from fakedove.dovecot.sieve.parser import parse
from fakedove.dovecot.sieve.problems import Problem, Problems
from fakedove.dovecot.sieve.validator import Validator

__all__ = ["Problem", "compile_script"]


def compile_script(
    script: bytes, others: Container[str], *, back_quotes: bool
) -> tuple[Problem, ...]:
    """Return what is wrong with `script`; if anything but warnings, it does not compile.

    `others` are the user's scripts, which it may include. `back_quotes`: capabilities are
    quoted as `x'.
    """
    problems = Problems()
    commands = parse(script, problems)
    if problems.failed:
        return problems.closed_with(b"parse failed")
    Validator(problems, others, back_quotes=back_quotes).validate(commands)
    return problems.closed_with(b"validation failed")
