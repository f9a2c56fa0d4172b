"""Explanations: what was expected beside the closest thing that came, the difference marked.

None is longer than 20 lines.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Generic, NamedTuple, TypeVar

from fakedove.double.exchange import Exchange
from fakedove.double.invocations import Invocation
from fakedove.double.selection import Choice, Criterion, Selection

_T = TypeVar("_T", bound=Exchange | Invocation)

#: Characters of one value that are shown, and of a line that tells of a selection or a call.
_WIDTH, _LINE_WIDTH = 48, 120
#: Calls that are listed.
_MOST_CALLS = 8
#: Of so many of the newest commands, or stubs, the closest is looked for.
_MOST_CANDIDATES = 1_000

#: How much it counts that a field is right: a command is nearer by its name than by its user.
_WEIGHTS = {"command": 16, "script": 16, "user": 8, "args": 4}


class Came(NamedTuple, Generic[_T]):
    """How often came what was meant, and the newest of it."""

    times: int
    newest: Sequence[_T]


def unmet(wanted: str, choice: Choice[_T], came: Came[_T], candidates: Sequence[_T]) -> list[str]:
    """Return lines: what was expected, how often it came, and what is closest if it never did."""
    lines = [
        f"expected {wanted}: {_shortened(choice.prefix + str(choice), _LINE_WIDTH)}",
        f"it came {times(came.times)}" if came.times else "it never came",
    ]
    return lines + (_calls(choice, came) if came.times else _beside_closest(choice, candidates))


def closest_selection(exchange: Exchange, selections: Iterable[tuple[str, Selection]]) -> list[str]:
    """Return lines with an exchange beside the selection that is closest to it.

    Each selection comes with its place in the test, the newest one first.
    """
    candidates = list(islice(selections, _MOST_CANDIDATES))
    if not candidates:
        return ["there is no stub and no expectation"]
    where, best = max(candidates, key=lambda one: _nearness(one[1], exchange))
    return [f"closest is that of {where}:", *_beside(best, exchange)]


def how_often(times_wanted: int | None) -> str:
    """Return "at least once", or what `times` says."""
    return "at least once" if times_wanted is None else times(times_wanted)


def times(count: int) -> str:
    """Return "never", "once" or "3 times"."""
    return {0: "never", 1: "once"}.get(count, f"{count:,} times")


def _calls(choice: Choice[_T], came: Came[_T]) -> list[str]:
    newest = came.newest[-_MOST_CALLS:]
    lines = [
        f"  {_shortened(choice.told(one), _LINE_WIDTH)} (connection {one.connection})"
        for one in newest
    ]
    more = came.times - len(lines)
    return [f"  ... {more:,} more", *lines] if more > 0 else lines


def _beside_closest(choice: Choice[_T], candidates: Sequence[_T]) -> list[str]:
    if not candidates:
        return [choice.none]
    # Of several that are as near the newest: its neighbours are in the reader's mind.
    newest = candidates[: -_MOST_CANDIDATES - 1 : -1]
    best = max(newest, key=lambda one: _nearness(choice, one))
    count = len(candidates)
    of = f"{count:,} {choice.noun}" + ("" if count == 1 else "s")
    return [f"closest of {of}:", *_beside(choice, best)]


def _beside(choice: Choice[_T], came: _T) -> list[str]:
    criteria = {one.name: one for one in choice.criteria}
    names = [*choice.shown, *(name for name in criteria if name not in choice.shown)]
    rows = [_row(choice, name, criteria.get(name), came) for name in names]
    width = max(len("expected"), *(len(wanted) for _, _, wanted, _ in rows))
    names_width = max(len("listener"), *map(len, names))
    return [
        f"    {'':<{names_width}} {'expected':<{width}}   sent (connection {came.connection})",
        *(
            f"  {' ' if right else '>'} {name:<{names_width}} {wanted:<{width}}   {shown}"
            for right, name, wanted, shown in rows
        ),
    ]


def _row(
    choice: Choice[_T], name: str, criterion: Criterion[_T] | None, came: _T
) -> tuple[bool, str, str, str]:
    """Return whether the field is right, its name, what was expected, and what came."""
    if criterion is None:
        return True, name, "any", _shortened(repr(choice.shown[name](came)))
    shown = _shortened(repr(criterion.came(came)))
    return criterion.means(came), name, _shortened(criterion.wanted), shown


def _nearness(choice: Choice[_T], came: _T) -> int:
    right = (one.name for one in choice.criteria if one.means(came))
    return sum(_WEIGHTS.get(name, 1) for name in right)


def _shortened(text: str, width: int = _WIDTH) -> str:
    return text if len(text) <= width else f"{text[: width - 3]}..."
