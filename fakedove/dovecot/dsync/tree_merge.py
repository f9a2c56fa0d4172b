"""How the list of mailboxes of one side becomes what it is to be after a sync.

Both sides do this, each from what both told at first, so they come to the same list.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator

import msgspec

from fakedove.dovecot.change_log import Event
from fakedove.dovecot.dsync.tree import Node, Tree, place


class Act(enum.Enum):
    """What is done to a name."""

    DELETE = enum.auto()
    RENAME = enum.auto()
    CREATE = enum.auto()
    CREATE_FOLDER = enum.auto()
    DELETE_FOLDER = enum.auto()
    SUBSCRIBE = enum.auto()
    UNSUBSCRIBE = enum.auto()


class Step(msgspec.Struct, frozen=True):
    """One change of the list of mailboxes."""

    act: Act
    name: str
    #: The new name.
    to: str = ""
    guid: str = ""
    uidvalidity: int = 0


def steps(mine: Tree, theirs: Tree, *, mirror: bool) -> Iterator[Step]:
    """Yield what this side has to do, in order, and change `mine` on the way.

    With `mirror` this side becomes what the other one is, else both have their say.
    """
    if not mirror:
        yield from _deletions(mine, theirs)
    yield from _renames(mine, theirs, mirror=mirror)
    if mirror:
        yield from _wrong(mine, theirs)
    yield from _missing(mine, theirs, mirror=mirror)
    yield from _folders(mine, theirs, mirror=mirror)


def _deletions(mine: Tree, theirs: Tree) -> Iterator[Step]:
    """Delete what the other side has deleted, unless the name is in use again there."""
    here = mine.by_guid()
    for change in theirs.deletions:
        node = here.get(change.subject) if change.event is Event.DELETED else None
        if node is None or theirs.at(node.name).guid:
            continue
        yield Step(Act.DELETE, node.name, guid=node.guid)
        _no_mailbox(node, mine)


def _no_mailbox(node: Node, tree: Tree) -> None:
    node.guid = ""
    node.exists = tree.has_children(node.name)


def _renames(mine: Tree, theirs: Tree, *, mirror: bool) -> Iterator[Step]:
    """Take over the names that the other side gave, if it was the last to do so.

    Else it takes over those of this side, and the subscription goes with the mailbox.
    """
    there = theirs.by_guid()
    for node in list(mine):
        other = there.get(node.guid)
        if other is None or other.name == node.name or "INBOX" in (other.name, node.name):
            continue
        if mirror or other.renamed > node.renamed:
            old, new, tree = node.name, other.name, mine
        elif other.renamed < node.renamed:
            old, new, tree = other.name, node.name, theirs
        else:
            continue
        taken = tree.nodes.get(new)
        if taken is None or not taken.exists:
            tree.rename(old, new)
            if tree is mine:
                yield Step(Act.RENAME, old, to=new)


def _wrong(mine: Tree, theirs: Tree) -> Iterator[Step]:
    """Delete mailboxes that cannot become what the other side has under their names."""
    for node in list(mine):
        other = theirs.nodes.get(node.name)
        fits = (
            other is not None
            and node.guid == other.guid
            and node.uidvalidity == other.uidvalidity
            and node.uidnext <= other.uidnext
        )
        if node.guid and not fits:
            yield Step(Act.DELETE, node.name, guid=node.guid)
            _no_mailbox(node, mine)


def _missing(mine: Tree, theirs: Tree, *, mirror: bool) -> Iterator[Step]:
    """Make the mailboxes that only the other side has, unless they were deleted here."""
    here = mine.by_guid()
    deleted = {change.subject for change in mine.deletions if change.event is Event.DELETED}
    gone = set() if mirror else deleted
    for other in theirs:
        if not other.guid or other.guid in here or _is_gone(other, gone, mine):
            continue
        yield Step(Act.CREATE, other.name, guid=other.guid, uidvalidity=other.uidvalidity)
        node = mine.at(other.name)
        node.exists = True
        node.guid = node.guid or other.guid


def _is_gone(other: Node, gone: set[str], mine: Tree) -> bool:
    """Whether the other side will delete the mailbox, since this one did."""
    return other.guid in gone and not mine.at(other.name).guid


def _folders(mine: Tree, theirs: Tree, *, mirror: bool) -> Iterator[Step]:
    """Make and delete folders, and subscribe and unsubscribe."""
    for name in sorted({*mine.nodes, *theirs.nodes}, key=place):
        node, other = mine.at(name), theirs.at(name)
        if other.exists and not other.guid and not node.exists and not _deleted(other, mine):
            node.exists = True
            yield Step(Act.CREATE_FOLDER, name)
        if node.subscribed is not other.subscribed and (mirror or _subscribes(node, other)):
            node.subscribed = other.subscribed
            yield Step(Act.SUBSCRIBE if other.subscribed else Act.UNSUBSCRIBE, name)
        if node.exists and not node.guid and not mirror and _deleted(node, theirs):
            node.exists = False
            yield Step(Act.DELETE_FOLDER, name)


def _subscribes(mine: Node, theirs: Node) -> bool:
    """Whether the other side's subscription counts: the later one, else that there is one."""
    if mine.subscription_changed != theirs.subscription_changed:
        return mine.subscription_changed < theirs.subscription_changed
    return theirs.subscribed


def _deleted(node: Node, other: Tree) -> bool:
    """Whether the other side deleted the folder after this one made it."""
    return any(
        change.event is Event.FOLDER_DELETED
        and change.subject == node.name
        and change.time > node.renamed
        for change in other.deletions
    )
