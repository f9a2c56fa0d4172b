"""Message numbers of a query in one mailbox: which stretch of it is searched.

Dovecot does not look at messages outside of it. For a negated set it is too short where the
set begins with the first message and ends with the last one: then nothing is looked at. So it
is with flags of which any must not be set, and with a modseq that the mailbox has not reached.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TypeAlias

from fakedove.dovecot.message import Message
from fakedove.dovecot.search.sets import Ranges, settle
from fakedove.dovecot.search.tree import Flags, Group, InThread, Modseq, Node, Numbers

#: First and last message number; nothing if the first is higher.
Window: TypeAlias = tuple[int, int]

_NOTHING: Window = (2**32 - 1, 0)


def window(nodes: Iterable[Node], messages: Sequence[Message], highestmodseq: int) -> Window:
    """Return the stretch of a mailbox's `messages` that keys which all must match leave."""
    nodes = tuple(nodes)
    first, last = _common(nodes, len(messages))
    for node in nodes:
        if isinstance(node, Modseq) and node.modseq > highestmodseq:
            return _NOTHING
        if isinstance(node, Flags) and node.negated and len(node.flags) > 1:
            low, high = _by_flags(node.flags, messages)
            first, last = max(first, low), min(last, high)
    return first, last


def _by_flags(flags: frozenset[str], messages: Sequence[Message]) -> Window:
    """Return where any of `flags` may not be set, in the opinion of Dovecot.

    It asks where each of them is not set.
    """
    if "\\Deleted" in flags and all(message.deleted for message in messages):
        return _NOTHING
    if "\\Seen" not in flags:
        return 1, len(messages)
    unseen = (number for number, message in enumerate(messages, 1) if not message.seen)
    first = next(unseen, None)
    return _NOTHING if first is None else (first, len(messages))


def _common(nodes: Iterable[Node], count: int) -> Window:
    """Return the stretch that message numbers leave of `count` messages."""
    first, last = 1, count
    for node in nodes:
        low, high = _window(node, count)
        first, last = max(first, low), min(last, high)
    return first, last


def _window(node: Node, count: int) -> Window:
    match node:
        case Group(keys, any_of):
            if not any_of:
                return _common(keys, count)
            windows = [_window(key, count) for key in keys]
            return min(low for low, _ in windows), max(high for _, high in windows)
        case Numbers(ranges, negated):
            settled = settle(ranges, count)
            return _outside(settled, count) if negated else _inside(settled)
    return 1, count


def _inside(ranges: Ranges) -> Window:
    return (ranges[0][0], ranges[-1][1]) if ranges else _NOTHING


def _outside(ranges: Ranges, count: int) -> Window:
    if not ranges:
        return 1, count
    if ranges[0][0] == 1 and ranges[-1][1] == count:
        return _NOTHING
    first = 1 if ranges[0][0] > 1 else ranges[0][1] + 1
    last = count if ranges[-1][1] < count else ranges[-1][0] - 1
    return (first, last) if first <= last else _NOTHING


def settled(nodes: tuple[Node, ...], count: int) -> tuple[Node, ...]:
    """Return the keys with their message numbers fitted to `count` messages."""
    return tuple(_settled(node, count) for node in nodes) if _have_numbers(nodes) else nodes


def _settled(node: Node, count: int) -> Node:
    match node:
        case Group(keys) | InThread(_, keys):
            return replace(node, keys=settled(keys, count))
        case Numbers(ranges):
            return replace(node, ranges=settle(ranges, count))
    return node


def _have_numbers(nodes: Iterable[Node]) -> bool:
    return any(
        isinstance(node, Numbers)
        or (isinstance(node, (Group, InThread)) and _have_numbers(node.keys))
        for node in nodes
    )
