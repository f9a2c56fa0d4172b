"""Explanations: what was expected beside the closest thing that came, the difference marked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from fakedove.double.exchange import Exchange
from fakedove.double.selection import Selection, shown_arguments

#: Characters of one value that are shown.
_WIDTH = 48
#: Calls that are listed.
_MOST_CALLS = 8

#: How much it counts that a field is right: a command is nearer by its name than by its user.
_WEIGHTS = {"command": 8, "user": 4, "args": 2, "listener": 1}

#: A field's name, what is expected (None: anything), what came, and whether that is right.
_Field = tuple[str, str | None, str, bool]


def beside_closest(selection: Selection, exchanges: Iterable[Exchange]) -> list[str]:
    """Return lines with the exchange that is closest to a selection beside it."""
    candidates = list(exchanges)
    if not candidates:
        return ["no command was sent"]
    # Of several that are as near the newest: its neighbours are in the reader's mind.
    best = max(reversed(candidates), key=lambda one: _nearness(selection, one))
    return [f"closest of {_counted(len(candidates), 'command')}:", *_beside(selection, best)]


def closest_selection(exchange: Exchange, selections: Sequence[tuple[str, Selection]]) -> list[str]:
    """Return lines with an exchange beside the selection that is closest to it.

    Each selection comes with its place in the test.
    """
    if not selections:
        return ["there is no stub and no expectation"]
    where, best = max(reversed(selections), key=lambda one: _nearness(one[1], exchange))
    return [f"closest is that of {where}:", *_beside(best, exchange)]


def calls(exchanges: Sequence[Exchange]) -> list[str]:
    """Return lines with the newest of some exchanges."""
    lines = [f"  {_shortened(_told(one))}" for one in exchanges[-_MOST_CALLS:]]
    more = len(exchanges) - len(lines)
    return [f"  ... {more} more", *lines] if more > 0 else lines


def times(count: int) -> str:
    """Return "once" or "3 times"."""
    return "once" if count == 1 else f"{count} times"


def _told(exchange: Exchange) -> str:
    words = [exchange.command, *shown_arguments(exchange.fields)]
    return f"{' '.join(words)} (user {exchange.user!r}, connection {exchange.connection})"


def _beside(selection: Selection, exchange: Exchange) -> list[str]:
    fields = _fields(selection, exchange)
    wanted = [_shortened("any" if one is None else one) for _, one, _, _ in fields]
    width = max(len("expected"), *map(len, wanted))
    title = f"             {'expected':<{width}}   sent (connection {exchange.connection})"
    return [
        title,
        *(
            f"  {' ' if right else '>'} {name:<8} {one:<{width}}   {_shortened(came)}"
            for (name, _, came, right), one in zip(fields, wanted, strict=True)
        ),
    ]


def _fields(selection: Selection, exchange: Exchange) -> list[_Field]:
    args = shown_arguments(exchange.fields)
    user = None if selection.user is None else repr(selection.user)
    listener = None if selection.listener is None else repr(selection.listener)
    fields: list[_Field] = [
        (
            "command",
            repr(selection.command),
            repr(exchange.command),
            selection.command.matches(exchange.command),
        ),
        ("user", user, repr(exchange.user), selection.means_user(exchange.user)),
        (
            "args",
            None if selection.args is None else selection.shown_args,
            repr(list(args)),
            selection.means_args(args),
        ),
    ]
    if listener is not None:
        right = selection.listener == exchange.listener
        fields.append(("listener", listener, repr(exchange.listener), right))
    return fields


def _nearness(selection: Selection, exchange: Exchange) -> int:
    fields = _fields(selection, exchange)
    return sum(_WEIGHTS[name] for name, _, _, right in fields if right)


def _shortened(text: str) -> str:
    return text if len(text) <= _WIDTH else f"{text[: _WIDTH - 3]}..."


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}" + ("" if count == 1 else "s")
