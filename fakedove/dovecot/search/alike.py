"""Keys that are alike: those that one key can stand for where they are side by side."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace

from fakedove.dovecot.search import sets
from fakedove.dovecot.search.tree import (
    All,
    Flags,
    Header,
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


def likeness(node: Node) -> Hashable:
    """Return a value that is equal for keys which are alike."""
    match node:
        case Flags() | Keyword() | Text() | Header():
            # Its opposite is too.
            return negate(node) if node.negated else node
        case Numbers(negated=False) | Uids(real=False, negated=False):
            return (type(node),)
        case When(Relation.ON):
            return node
        case When(relation, time, moment):
            return relation, time, moment.exact, node.negated
        case Larger() | Smaller():
            return type(node), node.negated
    return id(node)


def joined(first: Node, second: Node, *, any_of: bool) -> Node:
    """Return the key that stands for two which are alike, `any_of` or all of which must match."""
    match first, second:
        case (Numbers() | Uids(), Numbers() | Uids()):
            join = sets.union if any_of else sets.intersection
            return replace(first, ranges=join(first.ranges, second.ranges))
        case (When(Relation.ON), _):
            return first
        case (When() as one, When() as other):
            by_time = sorted((one, other), key=lambda node: node.moment.seconds)
            return by_time[0 if (one.relation is Relation.SINCE) is any_of else 1]
        case (Larger(size), Larger(other_size)):
            return replace(first, size=(min if any_of else max)(size, other_size))
        case (Smaller(size), Smaller(other_size)):
            return replace(first, size=(max if any_of else min)(size, other_size))
    return first if first.negated is second.negated else All(negated=not any_of)
