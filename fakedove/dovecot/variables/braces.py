"""What `%{user | upper}` becomes: variables and functions as Dovecot 2.4 has them.

Measured on 2.4.1. A value that is binary is shown as hex digits in the end.
"""

from __future__ import annotations

from fakedove.dovecot.variables.braced_functions import FUNCTIONS
from fakedove.dovecot.variables.braced_state import ExpansionCrash, Lookup, State
from fakedove.dovecot.variables.braced_syntax import Pipeline, UnknownVariable, parse
from fakedove.wire.tabescape import c_string


def expand(template: str, lookup: Lookup) -> str:
    """Fill in `template`; raises UnknownVariable. So does `lookup`, which gives variables."""
    parts = parse(template)
    return "".join(one if isinstance(one, str) else _run(one, lookup) for one in parts)


def _run(pipeline: Pipeline, lookup: Lookup) -> str:
    state = State(lookup)
    for at, step in enumerate(pipeline):
        function = FUNCTIONS.get(step.name)
        if function is None and at:
            raise UnknownVariable(f"No such function '{step.name}'")
        before = state.problem
        try:
            if function is None:
                state.value = lookup(step.name)
            else:
                function(state, step)
                state.problem = None
        except ExpansionCrash:
            raise
        except UnknownVariable as problem:
            if before is not None:
                raise UnknownVariable(before) from None
            prefix = "" if function is None else f"{step.name}: "
            state.value, state.problem = None, f"{prefix}{problem}"
    if state.problem is not None:
        raise UnknownVariable(state.problem)
    value = state.value or b""
    return value.hex() if state.binary else c_string(value).decode(errors="replace")
