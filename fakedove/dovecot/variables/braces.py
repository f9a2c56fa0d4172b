"""What `%{user | upper}` becomes: variables and functions as Dovecot 2.4 has them.

Measured on 2.4.1. A value that is binary is shown as hex digits in the end.
"""

from __future__ import annotations

from random import Random

from fakedove.dovecot.variables.braced_functions import FUNCTIONS
from fakedove.dovecot.variables.braced_state import ExpansionCrash, Function, Lookup, State
from fakedove.dovecot.variables.braced_syntax import Pipeline, Step, UnknownVariable, parse
from fakedove.wire.tabescape import c_string


def expand(template: str, lookup: Lookup, random: Random) -> str:
    """Fill in `template`; raises UnknownVariable. So does `lookup`, which gives variables."""
    state = State(lookup, random)
    parts = parse(template)
    return "".join(one if isinstance(one, str) else _run(one, state) for one in parts)


def _run(pipeline: Pipeline, state: State) -> str:
    if not pipeline:
        return ""
    state.begin()
    first, *rest = pipeline
    unfound = _look_up(state, first.name)
    if unfound is not None:
        _call(state, first, unfound)
    for step in rest:
        _call(state, step)
    if state.value is None and not state.binary:
        if state.problem is None:
            raise ExpansionCrash("there is neither a value nor a reason", panics=True)
        raise UnknownVariable(state.problem)
    # Where a binary value was lost, there is an empty one.
    value, binary = state.value or b"", state.binary
    state.binary = False
    return value.hex() if binary else c_string(value).decode(errors="replace")


def _look_up(state: State, name: str) -> str | None:
    """Take the variable `name` for the value; return why there is none."""
    try:
        state.put(state.lookup(name))
    except UnknownVariable as problem:
        state.failure = str(problem)
        return state.failure
    return None


def _call(state: State, step: Step, unfound: str | None = None) -> None:
    """Carry out a function; where it fails the next ones may still provide a value.

    `unfound`: why it is no variable, where it could have been one.
    """
    function = FUNCTIONS.get(step.name)
    if function is None and unfound is None:
        raise UnknownVariable(f"No such function '{step.name}'")
    problem = unfound if function is None else _failure(function, state, step)
    if problem is not None:
        state.value = None
    state.problem = problem


def _failure(function: Function, state: State, step: Step) -> str | None:
    """Carry out a function and return why it failed; two that fail are told of the first."""
    try:
        function(state, step)
    except ExpansionCrash:
        raise
    except UnknownVariable as problem:
        state.failure = str(problem)
        if state.problem is not None:
            raise UnknownVariable(state.problem) from None
        return f"{step.name}: {problem}"
    return None
