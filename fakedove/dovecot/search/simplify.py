"""Simplifying a query, as Dovecot does it before it searches: rules, until none changes anything.

Most of it changes nothing that a client sees. What does: two dates or sizes that are both
negated merge as if they were not, flags of which one must not be set are one key
(which `windows` takes for something else), keys that contradict each other leave no key behind that
names a mailbox, and a mailbox that all branches of an OR name is named by the whole.

A list is keys that all must match, or of which any one must; a list in it is its opposite.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import replace
from typing import TypeAlias, TypeGuard

from fakedove.dovecot.reply import Fatal, Scope
from fakedove.dovecot.search import sets
from fakedove.dovecot.search.alike import joined, likeness
from fakedove.dovecot.search.tree import (
    All,
    Flags,
    Group,
    InThread,
    Node,
    Numbers,
    Text,
    Uids,
    negate,
)

_Keys: TypeAlias = tuple[Node, ...]
#: What becomes of a list, `any_of` or all of whose keys must match.
_Rule: TypeAlias = Callable[[_Keys, bool], _Keys]


def simplify(nodes: Sequence[Node]) -> _Keys:
    """Return keys that all must match in their simplest form.

    Raises Fatal for a negated INTHREAD, on which the real process aborts.
    """
    _check_threads(tuple(nodes), False)
    before: _Keys = ()
    after, _ = _cut(_each_rewritten(tuple(nodes), False), in_thread=False)
    while after != before:
        before = after
        after = _in_each_list(_rewritten(before, False), _flags_joined)
    return after


def _check_threads(keys: _Keys, any_of: bool) -> None:
    """Raise Fatal for a negated INTHREAD, unless a key before it in the list decides alone."""
    for node in _spliced(keys, any_of):
        match node:
            case Group():
                _check_threads(node.keys, node.any_of)
            case InThread(negated=True):
                raise Fatal(b"assertion failed: (!args->match_not)", Scope.MAIL, crash=True)
            case InThread():
                _check_threads(node.keys, False)
            case Numbers() | Uids(real=False):
                node = _plain_set(node)
        if isinstance(node, All) and node.negated is not any_of:
            return


def _in_each_list(keys: _Keys, rule: _Rule, *, any_of: bool = False) -> _Keys:
    """Return the list with a rule applied to it and all lists in it, innermost first."""
    return rule(tuple(_within(key, rule) for key in keys), any_of)


def _within(node: Node, rule: _Rule) -> Node:
    if not isinstance(node, (Group, InThread)):
        return node
    any_of = isinstance(node, Group) and node.any_of
    return _with_keys(node, _in_each_list(node.keys, rule, any_of=any_of))


def _with_keys(node: Group | InThread, keys: _Keys) -> Group | InThread:
    return node if keys == node.keys else replace(node, keys=keys)


def _cut(keys: _Keys, *, in_thread: bool) -> tuple[_Keys, bool]:
    """Resolve INTHREADs in INTHREADs as far as Dovecot does; the second is whether any was.

    A list in which INTHREADs stand beside other keys ends with the first of the others. Lists
    count as INTHREADs, unless they end so themselves.
    """
    found, others = [], []
    for node in keys:
        is_other = True
        if isinstance(node, InThread):
            inner, cut = _cut(node.keys, in_thread=True)
            node, is_other = Group(inner) if cut else _with_keys(node, inner), False
        elif isinstance(node, Group):
            inner, is_other = _cut(node.keys, in_thread=in_thread)
            node = _with_keys(node, inner)
        found.append(node)
        others.append(is_other)
    if not in_thread or all(others) or not any(others):
        return tuple(found), False
    return tuple(found[: others.index(True) + 1]), True


def _rewritten(keys: _Keys, any_of: bool) -> _Keys:
    """Return the list after one round of the rules for lists and of those for keys.

    The rules for lists do not see that a list in it is negated: as Dovecot has it, seen and not
    (seen or flagged) are seen there.
    """
    for rule in (_implied_dropped, _shared_taken_out):
        keys = rule(keys, any_of)
    return _each_rewritten(keys, any_of)


def _each_rewritten(keys: _Keys, any_of: bool) -> _Keys:
    """Return the list with each of its keys rewritten, and alike ones joined."""
    found: dict[Hashable, Node] = {}
    needless: _Keys = ()
    for node in map(_rewritten_key, _spliced(keys, any_of)):
        if isinstance(node, All):
            if node.negated is not any_of:
                # It decides alone.
                return (node,)
            needless = (node,)
            continue
        like = likeness(node)
        first = found.get(like)
        found[like] = node if first is None else joined(first, node, any_of=any_of)
    return tuple(map(_without_empty_text, found.values())) or needless


def _spliced(keys: _Keys, any_of: bool) -> Iterator[Node]:
    """Yield the keys, and for lists that need not be lists theirs."""
    for node in keys:
        if isinstance(node, Group):
            if node.negated:
                node = Group(tuple(map(negate, node.keys)), not node.any_of)
            if node.any_of is any_of or len(node.keys) == 1:
                yield from _spliced(node.keys, any_of)
                continue
        yield node


def _rewritten_key(node: Node) -> Node:
    match node:
        case Group():
            return replace(node, keys=_rewritten(node.keys, node.any_of))
        case InThread():
            return replace(node, keys=_each_rewritten(node.keys, False))
        case Numbers() | Uids(real=False):
            return _plain_set(node)
    return node


def _plain_set(node: Numbers | Uids) -> Node:
    """Return the set without NOT, unless `*` is in it, or what it is the same as."""
    ranges = node.ranges
    if node.negated:
        if sets.contains(ranges, sets.STAR):
            return node
        ranges = sets.complement(ranges, 1, sets.STAR - 1)
    if len(ranges) == 1 and ranges[0][0] == 1 and ranges[0][1] >= sets.STAR - 1:
        return All()
    if not ranges:
        return All(negated=True)
    return replace(node, ranges=ranges, negated=False) if node.negated else node


def _without_empty_text(node: Node) -> Node:
    """Return what matches all for a text that is in every mail."""
    return All(node.negated) if isinstance(node, Text) and not node.text else node


def _parts(node: Node, any_of: bool) -> _Keys:
    """Return the keys of a list in a list; another key is as good as a list of one."""
    return node.keys if _is_inner(node, any_of) else (node,)


def _is_inner(node: Node, any_of: bool) -> TypeGuard[Group]:
    return isinstance(node, Group) and node.any_of is not any_of


def _implied_dropped(keys: _Keys, any_of: bool) -> _Keys:
    """Drop lists that say no more than another key does: A or (A and B) is A."""
    for node in keys:
        if any(node is one for one in keys):
            parts = _parts(node, any_of)
            keys = tuple(
                one
                for one in keys
                if one is node or not _is_inner(one, any_of) or not _all_in(parts, one.keys)
            )
    return keys


def _all_in(wanted: _Keys, keys: _Keys) -> bool:
    return all(key in keys for key in wanted)


def _shared_taken_out(keys: _Keys, any_of: bool) -> _Keys:
    """Take out what all keys share: (A and B) or (A and C) is A and (B or C)."""
    branches = [(node, *_parts(node, any_of)) for node in keys]
    inner = next((node for node in keys if _is_inner(node, any_of)), None)
    if len(keys) < 2 or inner is None:
        return keys
    shared = tuple(key for key in inner.keys if all(key in branch for branch in branches))
    if not shared:
        return keys
    left = (
        _without(node, shared) for node in keys if _is_inner(node, any_of) and node not in shared
    )
    rest = tuple(node for node in left if node.keys)
    others = (Group(rest, any_of),) if rest else ()
    return (Group((*others, *reversed(shared)), not any_of),)


def _without(node: Group, shared: _Keys) -> Group:
    return replace(node, keys=tuple(key for key in node.keys if key not in shared))


def _flags_joined(keys: _Keys, any_of: bool) -> _Keys:
    """Join keys of flags that must all be set, and those of which any must not be."""
    alike = [node for node in keys if isinstance(node, Flags) and node.negated is any_of]
    if len(alike) < 2:
        return keys
    together = replace(alike[0], flags=frozenset().union(*(node.flags for node in alike)))
    others = [together if node is alike[0] else node for node in keys]
    return tuple(node for node in others if not any(node is one for one in alike[1:]))
