"""Explanations: what was expected beside the closest thing that came, the difference marked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from fakedove.double.exchange import Exchange
from fakedove.double.invocations import Invocation
from fakedove.double.selection import Selection, shown_arguments

#: Characters of one value that are shown.
_WIDTH = 48
#: Calls that are listed.
_MOST_CALLS = 8

#: How much it counts that a field is right: a command is nearer by its name than by its user.
_WEIGHTS = {"command": 8, "script": 8, "user": 4, "args": 2, "listener": 1}

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


def beside_closest_invocation(selection: Selection, invocations: Iterable[Invocation]) -> list[str]:
    """Return lines with the invocation of a script that is closest to a selection beside it."""
    candidates = [(_invoked(selection, one), str(one.connection)) for one in invocations]
    if not candidates:
        return ["no script was run"]
    fields, connection = max(reversed(candidates), key=lambda one: _weight(one[0]))
    count = _counted(len(candidates), "invocation")
    return [f"closest of {count}:", *_table(fields, connection)]


def closest_selection(exchange: Exchange, selections: Sequence[tuple[str, Selection]]) -> list[str]:
    """Return lines with an exchange beside the selection that is closest to it.

    Each selection comes with its place in the test.
    """
    if not selections:
        return ["there is no stub and no expectation"]
    where, best = max(reversed(selections), key=lambda one: _nearness(one[1], exchange))
    return [f"closest is that of {where}:", *_beside(best, exchange)]


def expected(where: str, times: int | None, used: int, what: str) -> list[str]:
    """Return lines with what was expected, and how often it came."""
    wanted = "at least once" if times is None else _times(times)
    came = f"it came {_times(used)}" if used else "it never came"
    return [f"{where}: expected {wanted}: {what}", came]


def calls(exchanges: Sequence[Exchange]) -> list[str]:
    """Return lines with the newest of some exchanges."""
    return _newest([_told(one) for one in exchanges])


def invoked(invocations: Sequence[Invocation]) -> list[str]:
    """Return lines with the newest of some invocations."""
    return _newest(
        [f"{one.script} {list(one.args)!r} (connection {one.connection})" for one in invocations]
    )


def _newest(told: Sequence[str]) -> list[str]:
    lines = [f"  {_shortened(one)}" for one in told[-_MOST_CALLS:]]
    more = len(told) - len(lines)
    return [f"  ... {more} more", *lines] if more > 0 else lines


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _told(exchange: Exchange) -> str:
    words = [exchange.command, *shown_arguments(exchange.fields)]
    return f"{' '.join(words)} (user {exchange.user!r}, connection {exchange.connection})"


def _beside(selection: Selection, exchange: Exchange) -> list[str]:
    return _table(_fields(selection, exchange), str(exchange.connection))


def _table(fields: Sequence[_Field], connection: str) -> list[str]:
    wanted = [_shortened("any" if one is None else one) for _, one, _, _ in fields]
    width = max(len("expected"), *map(len, wanted))
    title = f"             {'expected':<{width}}   sent (connection {connection})"
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


def _invoked(selection: Selection, invocation: Invocation) -> list[_Field]:
    """Return the fields of an invocation, beside what is expected."""
    args = list(invocation.args)
    wanted = None if selection.args is None else selection.shown_args
    return [
        (
            "script",
            repr(selection.command),
            repr(invocation.script),
            selection.command.matches(invocation.script),
        ),
        ("args", wanted, repr(args), selection.means_args(args)),
    ]


def _nearness(selection: Selection, exchange: Exchange) -> int:
    return _weight(_fields(selection, exchange))


def _weight(fields: Sequence[_Field]) -> int:
    return sum(_WEIGHTS[name] for name, _, _, right in fields if right)


def _shortened(text: str) -> str:
    return text if len(text) <= _WIDTH else f"{text[: _WIDTH - 3]}..."


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}" + ("" if count == 1 else "s")
