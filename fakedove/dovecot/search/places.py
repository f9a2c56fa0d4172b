"""Which mailboxes a query is about: those it names, or all that it could match in.

Mailboxes that are named are opened as they are named, again for each time a list names them;
with a pattern, or where an OR decides, the mailboxes are listed and sorted out. A list shows
those that the user may look up; what is named is opened whatever its ACL says.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeAlias

import msgspec

from fakedove.dovecot import masks
from fakedove.dovecot.mailbox import Mailbox
from fakedove.dovecot.names import canonical_name, existing_name_problem
from fakedove.dovecot.release import Release
from fakedove.dovecot.reply import Fatal, Scope
from fakedove.dovecot.search.tree import Group, InMailbox, InMailboxes, InThread, Node
from fakedove.dovecot.user import User

#: Names that a query asks for; the number doubles with each list in a list.
_Names: TypeAlias = list[InMailbox | InMailboxes]

#: With more than this the real server searches for hours.
_MOST_NAMES = 10_000


class _NegatedError(Exception):
    """A mailbox name is negated."""


class Place(msgspec.Struct, frozen=True, gc=False):
    """A mailbox that is looked into, or why it cannot be."""

    name: str
    box: Mailbox | None
    #: What is wrong with the name, if it is not just that there is no such mailbox.
    fault: str | None = None


def places(
    nodes: Sequence[Node],
    named: Sequence[Node],
    user: User,
    release: Release,
    death: Fatal | None = None,
) -> Iterator[Place]:
    """Yield where the query `nodes` looks; `named` is what names are taken from.

    What the process dies of as it searches, it dies of as it sorts out the first that is listed.
    """
    names = _gather(named)
    if names and not any(isinstance(one, InMailboxes) for one in names):
        for one in names:
            yield _named(one, user)
        return
    wanted = [_text(one) for one in names]
    for name, box in user.listing(wanted, inbox_last=release.lists_inbox_last):
        listed = not wanted or any(masks.mailbox_matches(mask, name) for mask in wanted)
        box = user.open_listed(name) if listed else box
        if box is None or not user.may("lookup", box):
            continue
        if listed and death is not None:
            raise death
        if listed and all(_may_match(node, name) for node in nodes):
            yield Place(name, box)


def _text(one: InMailbox | InMailboxes) -> str:
    return one.mask if isinstance(one, InMailboxes) else one.name


def _named(one: InMailbox | InMailboxes, user: User) -> Place:
    assert isinstance(one, InMailbox)
    fault = existing_name_problem(one.name)
    if fault:
        return Place(one.name, None, fault)
    name = canonical_name(one.name)
    box = user.find_mailbox(name)
    if box is None:
        user.list_index.refresh()
    return Place(name, box)


def _gather(nodes: Sequence[Node]) -> _Names:
    """Return the names in keys that all must match; none at all if one is negated."""
    try:
        return [name for node in nodes for name in _gather_one(node)]
    except _NegatedError:
        return []


def _gather_one(node: Node) -> _Names:
    if isinstance(node, InThread) or (isinstance(node, Group) and not node.any_of):
        # Dovecot goes through a list once from each of its keys on, so the second key counts
        # twice, the third three times, each time with what comes behind it.
        each = [_gather_one(key) for key in node.keys]
        found = [name for first in range(len(each)) for rest in each[first:] for name in rest]
        if len(found) > _MOST_NAMES:
            raise Fatal(b"the real server does not come to an end here", Scope.MAIL)
        return found
    if isinstance(node, (InMailbox, InMailboxes)):
        if node.negated:
            raise _NegatedError
        return [node]
    return []


def _may_match(node: Node, name: str) -> bool:
    """Whether anything in the mailbox `name` could match."""
    match node:
        case Group(keys, any_of):
            return (any if any_of else all)(_may_match(key, name) for key in keys)
        case InThread(_, keys):
            return all(_may_match(key, name) for key in keys)
        case InMailbox(wanted, negated):
            return (wanted == name) is not negated
        case InMailboxes(mask, negated):
            return masks.mailbox_matches(mask, name) is not negated
    return True
