"""Simplifying a query, as Dovecot does it before it searches.

Most of it changes nothing that a client sees. What does: two dates or sizes that are both
negated merge as if they were not, flags of which one must not be set are one key
(which `windows` takes for something else), keys that contradict each other leave no key behind that
names a mailbox, and a mailbox that all branches of an OR name is named by the whole.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TypeAlias

from fakedove.dovecot.reply import Fatal, Scope
from fakedove.dovecot.search import sets
from fakedove.dovecot.search.tree import (
    All,
    Flags,
    Group,
    Header,
    InThread,
    Keyword,
    Larger,
    Node,
    Numbers,
    Relation,
    Smaller,
    Text,
    Uids,
    When,
    negate,
)

_Key: TypeAlias = tuple[object, ...]


def simplify(nodes: Sequence[Node]) -> tuple[Node, ...]:
    """Return keys that all must match in their simplest form.

    Raises Fatal for a negated INTHREAD, on which the real process aborts.
    """
    before: tuple[Node, ...] = ()
    after, _ = _unnested(_simplify(tuple(nodes), any_of=False), in_thread=False)
    while after != before:
        before = after
        after = _simplify(_factored(_absorbed(before, any_of=False), any_of=False), any_of=False)
        after = _with_flags_joined(after, any_of=False)
    return after


def _unnested(nodes: tuple[Node, ...], *, in_thread: bool) -> tuple[tuple[Node, ...], bool]:
    """Resolve INTHREADs in INTHREADs as far as Dovecot does; the second is whether any was.

    It means to move the other keys of such a list into an INTHREAD of their own; but what
    stays behind is the list up to the first of them. Lists count as INTHREADs here.
    """
    found: list[Node] = []
    plain: list[int] = []
    for node in nodes:
        resolved = True
        if isinstance(node, Group):
            keys, resolved = _unnested(node.keys, in_thread=in_thread)
            node = node if keys == node.keys else replace(node, keys=keys)
        elif isinstance(node, InThread):
            keys, inner = _unnested(node.keys, in_thread=True)
            node = Group(keys) if inner else node if keys == node.keys else replace(node, keys=keys)
            resolved = False
        if resolved:
            plain.append(len(found))
        found.append(node)
    if not in_thread or len(plain) in (0, len(found)):
        return tuple(found), False
    return tuple(found[: plain[0] + 1]), True


def _with_flags_joined(nodes: tuple[Node, ...], *, any_of: bool) -> tuple[Node, ...]:
    """Join keys of flags that must all be set, and those of which any must not be."""
    joined: list[Node] = []
    place: int | None = None
    for node in nodes:
        if isinstance(node, Group):
            keys = _with_flags_joined(node.keys, any_of=node.any_of)
            node = node if keys == node.keys else replace(node, keys=keys)
        elif isinstance(node, InThread):
            keys = _with_flags_joined(node.keys, any_of=False)
            node = node if keys == node.keys else replace(node, keys=keys)
        elif isinstance(node, Flags) and node.negated is any_of:
            if place is not None:
                first = joined[place]
                assert isinstance(first, Flags)
                joined[place] = replace(first, flags=first.flags | node.flags)
                continue
            place = len(joined)
        joined.append(node)
    return tuple(joined)


def _simplify(nodes: tuple[Node, ...], *, any_of: bool) -> tuple[Node, ...]:
    waiting = deque(nodes)
    merged = _Merged(any_of)
    while waiting:
        node = waiting.popleft()
        if isinstance(node, Group):
            node = _without_not(node)
            if node.any_of is any_of or len(node.keys) == 1:
                waiting.extendleft(reversed(node.keys))
                continue
            keys = _factored(_absorbed(node.keys, any_of=node.any_of), any_of=node.any_of)
            node = replace(node, keys=_simplify(keys, any_of=node.any_of))
        elif isinstance(node, InThread):
            if node.negated:
                raise Fatal(b"assertion failed: (!args->match_not)", Scope.MAIL, crash=True)
            node = replace(node, keys=_simplify(node.keys, any_of=False))
        elif isinstance(node, (Numbers, Uids)):
            node = _plain_set(node)
        if isinstance(node, All) and (merged.nodes or waiting):
            if node.negated is any_of:
                continue
            # It decides alone.
            return (node,)
        merged.add(node)
    return tuple(merged.nodes)


def _without_not(group: Group) -> Group:
    """Return the group with its NOT moved to its keys."""
    if not group.negated:
        return group
    return Group(tuple(map(negate, group.keys)), any_of=not group.any_of)


def _plain_set(node: Numbers | Uids) -> Node:
    """Return the set without NOT, unless `*` is in it, or what it is the same as."""
    ranges = node.ranges
    if isinstance(node, Uids) and node.real:
        return node
    if node.negated:
        if sets.contains(ranges, sets.STAR):
            return node
        ranges = sets.complement(ranges, 1, sets.STAR - 1)
    if len(ranges) == 1 and ranges[0][0] == 1 and ranges[0][1] >= sets.STAR - 1:
        return All()
    if not ranges:
        return All(negated=True)
    return replace(node, ranges=ranges, negated=False) if node.negated else node


class _Merged:
    """Keys side by side, alike ones merged into the first of them."""

    def __init__(self, any_of: bool) -> None:
        self.nodes: list[Node] = []
        self._any_of = any_of
        self._places: dict[_Key, int] = {}
        #: Whether the first key of a kind was negated.
        self._negated: dict[_Key, bool] = {}

    def add(self, node: Node) -> None:
        if isinstance(node, Text) and not node.text:
            # It is in every mail; alike ones are merged in the next round.
            self.nodes.append(All(node.negated))
            return
        key = _merge_key(node)
        place = None if key is None else self._places.get(key)
        if key is None or place is None:
            if key is not None:
                self._places[key] = len(self.nodes)
            self.nodes.append(node)
            return
        together = self._merge(self.nodes[place], node)
        if together is None:
            self.nodes.append(node)
        else:
            self.nodes[place] = together

    def _merge(self, first: Node, node: Node) -> Node | None:
        """Return the key that stands for both, or None."""
        match first, node:
            case (Numbers() | Uids(), Numbers() | Uids()):
                join = sets.union if self._any_of else sets.intersection
                return replace(first, ranges=join(first.ranges, node.ranges))
            case (When(), When()):
                return self._merge_times(first, node)
            case (Larger(), Larger()):
                wanted = min if self._any_of else max
                return replace(first, size=wanted(first.size, node.size))
            case (Smaller(), Smaller()):
                wanted = max if self._any_of else min
                return replace(first, size=wanted(first.size, node.size))
        if first.negated is node.negated:
            return first
        return All(negated=not self._any_of)

    def _merge_times(self, first: When, node: When) -> When | None:
        moments = (first.moment, node.moment)
        if first.relation is Relation.ON:
            return first if first.moment == node.moment else None
        latest = (first.relation is Relation.SINCE) is not self._any_of
        by_seconds = sorted(moments, key=lambda moment: moment.seconds)
        return replace(first, moment=by_seconds[-1 if latest else 0])


def _merge_key(node: Node) -> _Key | None:
    """Return what keys have in common that can be merged, None if nothing can be."""
    match node:
        case Flags(flags):
            return (Flags, flags)
        case Keyword(word):
            return (Keyword, word)
        case Text(text, headers):
            return (Text, text, headers)
        case Header(field, text, reading):
            return (Header, field, text, reading)
        case Numbers():
            return None if node.negated else (Numbers,)
        case Uids():
            return None if node.negated or node.real else (Uids,)
        case When(relation, time, moment):
            return (relation, time, moment.exact, node.negated)
        case Larger() | Smaller():
            return (type(node), node.negated)
    return None


def _absorbed(nodes: tuple[Node, ...], *, any_of: bool) -> tuple[Node, ...]:
    """Drop groups that say no more than another key does: A or (A and B) is A."""
    if len(nodes) < 2 or not any(_is_inner(node, any_of) for node in nodes):
        return nodes
    kept = list(nodes)
    for node in nodes:
        if any(node is one for one in kept):
            wanted = node.keys if isinstance(node, Group) and _is_inner(node, any_of) else (node,)
            kept = [
                one
                for one in kept
                if one is node
                or not (isinstance(one, Group) and _is_inner(one, any_of))
                or not all(key in one.keys for key in wanted)
            ]
    return tuple(kept)


def _factored(nodes: tuple[Node, ...], *, any_of: bool) -> tuple[Node, ...]:
    """Take out what all keys share: (A and B) or (A and C) is A and (B or C)."""
    if len(nodes) < 2:
        return nodes
    inner = next((node for node in nodes if _is_inner(node, any_of)), None)
    if not isinstance(inner, Group):
        return nodes
    shared = [key for key in inner.keys if all(_has(node, key, any_of) for node in nodes)]
    if not shared:
        return nodes
    rest = [one for node in nodes for one in _rest(node, shared)]
    common: list[Node] = list(reversed(shared))
    if rest:
        common.insert(0, Group(tuple(rest), any_of=any_of))
    return (Group(tuple(common), any_of=not any_of),)


def _is_inner(node: Node, any_of: bool) -> bool:
    return isinstance(node, Group) and node.any_of is not any_of


def _has(node: Node, key: Node, any_of: bool) -> bool:
    return node == key or (
        isinstance(node, Group) and node.any_of is not any_of and key in node.keys
    )


def _rest(node: Node, shared: Iterable[Node]) -> list[Node]:
    """Return the node without the shared keys: one node or none."""
    taken = list(shared)
    if node in taken:
        return []
    assert isinstance(node, Group)
    keys = tuple(key for key in node.keys if key not in taken)
    return [replace(node, keys=keys)] if keys else []
